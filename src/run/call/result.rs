//! Results of tasks on hosts, as reports show them and `register` stores them.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Diff, Error, ErrorKind, Failure, Map, ModuleEntry, Outcome, Value, map};

use super::{ItemCall, keyword};
use crate::playbook::Keyword;
use crate::report::{Status, TaskInfo, TaskResult};
use crate::template::Deprecation;
use crate::vars::HostScope;

/// The fact that says that facts were gathered. It is among the host's facts and not in the result.
pub(crate) const GATHERED: &str = "_ansible_facts_gathered";

/// Returns a result without values.
pub(crate) fn blank(info: &Arc<TaskInfo>, scope: &HostScope, status: Status) -> TaskResult {
    TaskResult {
        host: scope.host.name.clone(),
        delegated: None,
        delegated_address: None,
        task: info.clone(),
        status,
        ignored: false,
        is_loop: false,
        values: Map::default(),
        item: None,
        no_log: info.no_log,
        error: None,
        verbose_always: false,
        warnings: Vec::new(),
        deprecations: Vec::new(),
        change: None,
        duration: Duration::ZERO,
    }
}

/// Adds what the reader can do next to a failed result.
fn add_help(values: &mut Map, error: &Error) {
    let help = std::iter::successors(Some(error), |error| error.cause()).find_map(Error::help);
    if let Some(help) = help {
        values.entry("help".into()).or_insert_with(|| help.into());
    }
}

/// Returns the result of a task whose condition does not hold.
pub(crate) fn skipped(info: &Arc<TaskInfo>, scope: &HostScope, condition: Value) -> TaskResult {
    let mut result = blank(info, scope, Status::Skipped);
    result.values = map! {
        "changed" => false, "skipped" => true, "skip_reason" => "Conditional result was False",
        "false_condition" => condition,
    };
    if scope.release().results_always_have_failed() {
        result.values.insert("failed".into(), false.into());
    }
    result
}

/// What is not known yet of a task that cannot run in check mode.
#[derive(Clone, Copy)]
pub(crate) enum NotYetKnown {
    Arguments,
    Condition,
}

/// Returns the values of a task that cannot run in check mode, since only a change will tell its arguments or whether
/// its condition holds. What it would return is as unknown as they are, so that later tasks can be planned too.
pub(crate) fn not_run(module: Option<&ModuleEntry>, what: NotYetKnown, reason: &Arc<str>) -> Map {
    let mut values = module.map(|entry| entry.unknown_values(reason)).unwrap_or_default();
    let message = match what {
        NotYetKnown::Arguments => "would run; its arguments are",
        NotYetKnown::Condition => "would run if its condition holds, which is",
    };
    values.insert("msg".into(), format!("{message} known after {reason}").into());
    values
}

/// Returns the result of a task in check mode whose conditions depend on what only a change will tell.
pub(crate) fn undecided(call: &ItemCall, scope: &HostScope, reason: &Arc<str>) -> TaskResult {
    // What is an action alone, such as `debug`, acts on the run.
    let module = call.play.shared.registry.module(&call.task.action.name);
    let status = if module.is_some() { Status::Changed } else { Status::Ok };
    let mut result = blank(call.info, scope, status);
    result.values = not_run(module.map(|entry| &**entry), NotYetKnown::Condition, reason);
    result.values.extend(map! { "changed" => module.is_some(), "failed" => false });
    result
}

/// Returns the result of a task that failed before its action returned one.
pub(crate) fn failed(info: &Arc<TaskInfo>, scope: &HostScope, error: Error) -> TaskResult {
    let status = if error.kind() == ErrorKind::Unreachable { Status::Unreachable } else { Status::Failed };
    let mut result = blank(info, scope, status);
    let error = error.context("Task failed").at(&info.place);
    result.values =
        map! { "changed" => false, "msg" => error.to_string(), "exception" => "(traceback unavailable)" };
    if status == Status::Unreachable {
        result.values.insert("unreachable".into(), true.into());
    } else {
        result.values.insert("failed".into(), true.into());
    }
    add_help(&mut result.values, &error);
    result.error = Some(error);
    ignore(scope, &mut result);
    result
}

/// The result of a task that fails before or between its items: in 2.19 it says nothing of changes.
pub(crate) fn failed_at_once(info: &Arc<TaskInfo>, scope: &HostScope, error: Error) -> TaskResult {
    let mut result = blank(info, scope, Status::Failed);
    result.values =
        map! { "failed" => true, "msg" => error.to_string(), "exception" => "(traceback unavailable)" };
    if scope.release().loops_that_fail_at_once_have_changed() {
        result.values.insert("changed".into(), false.into());
    }
    result.error = Some(error);
    ignore(scope, &mut result);
    result
}

/// Applies `ignore_errors` and `ignore_unreachable`.
pub(crate) fn ignore(scope: &HostScope, result: &mut TaskResult) {
    let Some(task) = scope.task() else { return };
    let renderer = scope.renderer();
    let keywords = keyword::of(task, &renderer);
    let (ignored, keyword) = match result.status {
        Status::Failed => (keywords.ignore_errors(), Keyword::IgnoreErrors),
        Status::Unreachable => (keywords.ignore_unreachable(), Keyword::IgnoreUnreachable),
        _ => return,
    };
    result.ignored |= match ignored {
        Ok(ignored) => ignored == Some(true),
        // That is what the task has failed with.
        Err(_) => scope.release().broken_ignores_count() && keywords.written_truth(keyword),
    };
}

/// Adds the deprecations that were found while the task ran.
pub(crate) fn deprecate(result: &mut TaskResult, met: Vec<Deprecation>) {
    let mut told = Vec::new();
    for Deprecation { what, version, plugin } in met {
        let core = "ansible.builtin";
        let (name, kind) = match plugin {
            Some((kind, name)) => (format!("{core}.{name}"), kind.into()),
            None => (core.to_owned(), Value::Null),
        };
        let value: Value = map! {
            "msg" => what.message(), "version" => version, "collection_name" => core,
            "deprecator" => map! { "resolved_name" => name, "type" => kind },
        }
        .into();
        let error = Error::new(playbook_api::reply::deprecation_text(&value)).at_opt(what.place());
        result.deprecations.push(match what.help() {
            Some(help) => error.with_help(help),
            None => error,
        });
        told.push(value);
    }
    append(&mut result.values, "deprecations", &told);
}

/// Adds values to a list among a result's values.
pub(crate) fn append(values: &mut Map, list: &str, more: &[Value]) {
    if !more.is_empty() {
        let known = values.get(list).and_then(Value::as_list).unwrap_or_default();
        values.insert(list.into(), [known, more].concat().into());
    }
}

/// Converts a module's outcome to the result that `register` stores.
pub(crate) fn of(
    info: &Arc<TaskInfo>,
    scope: &HostScope,
    done: Result<Outcome, Failure>,
    is_action: bool,
) -> TaskResult {
    let (outcome, failure) = match done {
        Ok(outcome) => (outcome, None),
        Err(failure) => (failure.outcome, Some((failure.error, failure.unreachable))),
    };
    let status = match &failure {
        Some((_, true)) => Status::Unreachable,
        Some((_, false)) => Status::Failed,
        None if outcome.skipped => Status::Skipped,
        None if outcome.changed => Status::Changed,
        None => Status::Ok,
    };
    let mut result = blank(info, scope, status);
    let mut values = map! { "changed" => outcome.changed };
    values.extend(outcome.values);
    values.insert("changed".into(), outcome.changed.into());
    match status {
        Status::Unreachable => {
            values.insert("unreachable".into(), true.into());
        }
        Status::Skipped => {
            values.insert("skipped".into(), true.into());
            // An action that says why it skips has gone no further; everything else has ended well.
            let says = values.get("msg").and_then(Value::as_str);
            if says.is_none_or(|says| !is_action && !says.starts_with("This action (")) {
                values.insert("failed".into(), false.into());
            }
        }
        _ => {
            values.insert("failed".into(), (status == Status::Failed).into());
        }
    }
    for name in ["stdout", "stderr"] {
        let lines = format!("{name}_lines");
        if let (Some(text @ Value::Str(_)), None) = (values.get(name), values.get(lines.as_str())) {
            let value = text.lines();
            values.insert(lines.into(), value);
        }
    }
    if !outcome.diff.is_empty() {
        values.insert("diff".into(), Diff::value_of(&outcome.diff));
    }
    if !outcome.facts.is_empty() {
        values.insert("ansible_facts".into(), outcome.facts.into());
    }
    if let Some((error, _)) = failure {
        values.insert("exception".into(), "(traceback unavailable)".into());
        if !values.contains_key("msg") {
            values.insert("msg".into(), error.to_string().into());
        }
        add_help(&mut values, &error);
        let what = if is_action { "Action failed" } else { "Module failed" };
        result.error = Some(error.context(format!("Task failed: {what}")).at(&info.place));
    }
    if !outcome.warnings.is_empty() {
        values.insert("warnings".into(), outcome.warnings.clone().into());
    }
    let told = values.get("deprecations").and_then(Value::as_list).unwrap_or_default();
    result.deprecations =
        told.iter().map(|told| Error::new(playbook_api::reply::deprecation_text(told))).collect();
    result.warnings = outcome.warnings;
    result.change = outcome.change;
    result.values = values;
    result
}
