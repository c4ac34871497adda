//! A task's life, for one item of its loop: scope → `when` → arguments → attempts → result.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Error, ErrorKind, Map, Value};

use super::arguments;
use super::register::Seen;
use crate::playbook::{Condition, Keyword, Task};
use crate::report::{Event, Status, TaskResult};
use crate::run::call::effect::Effect;
use crate::run::call::keyword::{self, Verdict};
use crate::run::call::{ActionCall, ItemCall, describe, result};
use crate::run::module::{asynchronous, python_action};
use crate::settings::Release;
use crate::template::Renderer;
use crate::vars::HostScope;

/// How the error of a module's own failure begins.
const MODULE_FAILED: &str = "Task failed: Module failed";

/// The outcome of one item.
pub(crate) struct ItemOutcome {
    pub result: TaskResult,
    pub effects: Vec<Effect>,
    /// Variables that the next items of the loop see: facts that were set, and the registered result.
    pub carry: Vec<(Arc<str>, Value)>,
    /// The handlers that a change notifies.
    pub notify: Vec<String>,
}

/// Runs one item, or the whole task if it has no loop.
///
/// Where the task goes comes before whether it runs: a `delegate_to` that has no value fails even a task that its
/// `when` would skip.
pub(crate) fn run(call: &ItemCall, scope: &Arc<HostScope>) -> ItemOutcome {
    let mut outcome = match delegate(call.task, scope) {
        Ok(None) => conditional(call, scope),
        Ok(Some(name)) => conditional(call, &scope.delegated_to(&name)),
        Err(e) => {
            let written =
                call.task.keyword(Keyword::DelegateTo).map(|node| Arc::from(&*node.raw().to_text()));
            only(TaskResult { delegated: written, ..result::failed(call.info, scope, e) })
        }
    };
    let result = &mut outcome.result;
    result::deprecate(result, scope.take_deprecations());
    result.warnings.extend(scope.take_warnings().iter().map(describe::warning));
    match keyword::of(call.task, &scope.renderer()).no_log() {
        Ok(no_log) => result.no_log |= no_log == Some(true),
        // It is the safe reading. Only a task that is skipped has not failed with it.
        Err(e) => {
            result.no_log = true;
            let warning = e.context("Invalid no_log value for task, output will be masked.");
            result.warnings.push(describe::warning(&warning));
        }
    }
    if !call.task.register.is_empty() {
        let seen = Seen::one(outcome.result.values.clone().into());
        outcome.carry.extend(seen.registered(call.task, scope, &mut Vec::new()));
    }
    outcome
}

/// Runs the item if its conditions hold.
fn conditional(call: &ItemCall, scope: &Arc<HostScope>) -> ItemOutcome {
    let failed = |e| {
        let delegated = scope.delegate().map(|delegate| delegate.name.clone());
        only(TaskResult { delegated, ..result::failed(call.info, scope, e) })
    };
    match keyword::when(call.task, &scope.renderer()) {
        Ok(Verdict::True) => {
            keyword::check(call.task, &scope.renderer(), &|w| (call.emit)(Event::Warning(w)))
                .and_then(|()| notifications(call.task, scope))
                .and_then(|notify| Ok(ItemOutcome { notify, ..attempts(call, scope)? }))
                .unwrap_or_else(failed)
        }
        Ok(Verdict::False(condition)) => only(result::skipped(call.info, scope, condition)),
        Ok(Verdict::Unknown(reason)) => only(result::undecided(call, scope, &reason)),
        Err(e) => failed(e),
    }
}

fn only(result: TaskResult) -> ItemOutcome {
    ItemOutcome { result, effects: Vec::new(), carry: Vec::new(), notify: Vec::new() }
}

/// Returns the names in `notify` of the task and of all that encloses it.
fn notifications(task: &Task, scope: &Arc<HostScope>) -> Result<Vec<String>, Error> {
    let renderer = scope.renderer();
    let mut names = Vec::new();
    for node in task.inherited(Keyword::Notify) {
        match renderer.value(node).map_err(|e| keyword::broken(Keyword::Notify.name(), node, e))? {
            Value::List(items) | Value::Tuple(items) => {
                names.extend(items.iter().map(|v| v.to_text().into_owned()))
            }
            Value::Null | Value::Omit => {}
            one => names.push(one.to_text().into_owned()),
        }
    }
    Ok(names)
}

/// How many attempts `until` and `retries` allow, and the time between two of them.
struct Retries {
    attempts: i64,
    delay: Duration,
}

fn retries(task: &Task, scope: &Arc<HostScope>) -> Result<Retries, Error> {
    let renderer = scope.renderer();
    let retries = match &task.retries {
        Some(node) => keyword::integer(node, "retries", &renderer)?,
        None => None,
    };
    let delay = match &task.delay {
        // As in ansible-core, a negative delay is a second.
        Some(node) if keyword::float(node, "delay", &renderer)?.is_some_and(|delay| delay < 0.0) => {
            Some(Duration::from_secs(1))
        }
        Some(node) => keyword::seconds(node, "delay", &renderer)?,
        None => None,
    };
    let attempts = match retries {
        None if task.until.is_empty() => 1,
        None => 4,
        Some(n) if n <= 0 => 1,
        Some(n) => n.saturating_add(1),
    };
    Ok(Retries { attempts, delay: delay.unwrap_or(Duration::from_secs(5)) })
}

fn attempts(call: &ItemCall, scope: &Arc<HostScope>) -> Result<ItemOutcome, Error> {
    let retries = retries(call.task, scope)?;
    let check = check_mode(call, scope)?;
    let release = scope.release();
    let mut try_number = 1;
    loop {
        let retrying = retries.attempts > 1 || !call.task.until.is_empty();
        let number = retrying.then_some(try_number);
        let mut attempt = attempt(call, scope, check, number)?;
        if !retrying {
            return Ok(attempt);
        }
        if attempt.result.status == Status::Skipped || attempt.result.status == Status::Unreachable {
            return Ok(attempt);
        }
        let met = if call.task.until.is_empty() {
            attempt.result.status != Status::Failed
        } else {
            let scope = with_result(call.task, scope, &attempt);
            !matches!(keyword::conditions("until", &call.task.until, &scope.renderer())?, Verdict::False(_))
        };
        if met {
            return Ok(attempt);
        }
        if check {
            // Nothing was changed, so the condition may never hold: report what the run would wait for.
            let wait = format!(
                "Would wait until {}",
                call.task.until.iter().map(|c| c.written().to_string()).collect::<Vec<_>>().join(" and ")
            );
            attempt.result.warnings.push(wait);
            return Ok(attempt);
        }
        if try_number >= retries.attempts {
            let result = &mut attempt.result;
            result.values.insert("failed".into(), true.into());
            result.values.insert("attempts".into(), (try_number - 1).max(1).into());
            // The verdict of `failed_when` stays.
            if result.values.get("failed_when_result") == Some(&false.into()) {
                return Ok(attempt);
            }
            result.status = Status::Failed;
            if result.error.is_none() && release.exhausted_retries_are_errors() {
                let last = result.values.get("msg").map(|m| m.to_text().into_owned());
                let message = last.unwrap_or_else(|| "Retries exhausted.".into());
                result.error = Some(Error::new(message).context("Task failed").at(&call.task.place));
            }
            result::ignore(scope, &mut attempt.result);
            return Ok(attempt);
        }
        attempt.result.values.insert("retries".into(), retries.attempts.into());
        let ahead = i64::from(release.retries_shown_ahead());
        attempt.result.values.insert("attempts".into(), (try_number + ahead).into());
        let left = (retries.attempts - try_number - ahead) as u64;
        (call.emit)(Event::Retry { result: attempt.result, left });
        call.play.sleep(retries.delay)?;
        try_number += 1;
    }
}

fn check_mode(call: &ItemCall, scope: &Arc<HostScope>) -> Result<bool, Error> {
    Ok(keyword::of(call.task, &scope.renderer()).check_mode()?.unwrap_or(call.play.shared.options.check))
}

/// Returns the host that a task is delegated to.
fn delegate(task: &Task, scope: &Arc<HostScope>) -> Result<Option<Arc<str>>, Error> {
    let Some(node) = task.keyword(Keyword::DelegateTo) else { return Ok(None) };
    let renderer = scope.renderer();
    match keyword::of(task, &renderer).delegate_to().map_err(|e| e.at(node.place()))? {
        None if !node.is_plain() && !matches!(renderer.value(node), Ok(Value::Omit | Value::Null)) => {
            let message = format!("Empty hostname produced from delegate_to: \"{}\"", node.raw());
            Err(Error::new(message))
        }
        name => Ok(name.map(Into::into)),
    }
}

/// Returns the scope in which conditions on a result are evaluated.
fn with_result(task: &Task, scope: &Arc<HostScope>, attempt: &ItemOutcome) -> Arc<HostScope> {
    let scope = scope.with_local(attempt.carry.iter().cloned());
    let seen = Seen::one(attempt.result.values.clone().into());
    let local = seen.locals(task, &scope);
    scope.with_local(local)
}

/// Makes one attempt: the action, its provisional result, `changed_when` and `failed_when`.
fn attempt(
    call: &ItemCall,
    scope: &Arc<HostScope>,
    check: bool,
    number: Option<i64>,
) -> Result<ItemOutcome, Error> {
    let native = call.play.shared.actions.find(&call.task.action.name);
    let args = arguments::finalize(call, scope, native.map_or(&[][..], |a| a.raw))?;
    let diff = keyword::of(call.task, &scope.renderer()).diff()?.unwrap_or(call.play.shared.options.diff);
    let mut action_call = ActionCall { args, check, diff, ..ActionCall::new(call, scope) };
    let plugin = python_action::find(&action_call)?;
    let is_action = plugin.is_some() || native.is_some();
    let done = match (native, plugin) {
        (_, None) if asynchronous::limit(call.task, scope)?.is_some() => {
            asynchronous::run(&mut action_call, native)
        }
        (_, Some(plugin)) => python_action::run(&mut action_call, &plugin),
        (Some(action), None) => (action.run)(action, &mut action_call),
        (None, None) => action_call.module(),
    };
    if let Err(failure) = &done
        && native.is_none()
        && failure.error.message().starts_with("couldn't resolve module/action")
        && let Some(message) = scope.release().unknown_action(&call.task.action.name)
    {
        return Err(Error::new(message).at(&call.task.action.place));
    }
    let ActionCall { effects, carry, verbose, hidden, .. } = action_call;
    let mut result = match done {
        // The module was not reached.
        Err(failure) if matches!(failure.error.kind(), ErrorKind::Unreachable | ErrorKind::Connection) => {
            let mut result = result::failed(call.info, scope, failure.error);
            result.values.insert("changed".into(), false.into());
            result
        }
        done => result::of(call.info, scope, done, is_action),
    };
    if let Some(delegate) = scope.delegate() {
        result.delegated = Some(delegate.name.clone());
        let address = delegate.scope.written("ansible_host").and_then(Result::ok);
        result.delegated_address =
            address.and_then(|a| Renderer::finalize(a).ok()).map(|a| a.to_text().into());
    }
    result.verbose_always = verbose;
    result.no_log |= hidden;
    if let Some(number) = number {
        result.values.insert("attempts".into(), number.into());
    }
    let mut outcome = ItemOutcome { result, effects, carry, notify: Vec::new() };
    facts(call, scope, &mut outcome)?;
    judge(call, scope, &mut outcome);
    result::ignore(scope, &mut outcome.result);
    Ok(outcome)
}

/// Applies `changed_when`, then `failed_when`. One that cannot be evaluated fails the task, which keeps its result.
fn judge(call: &ItemCall, scope: &Arc<HostScope>, outcome: &mut ItemOutcome) {
    if matches!(outcome.result.status, Status::Skipped | Status::Unreachable) {
        return;
    }
    let release = scope.release();
    let judged = |conditions: &[Condition], outcome: &ItemOutcome| {
        let scope = with_result(call.task, scope, outcome);
        let as_it_is = |_: &Condition, error: Error| error;
        keyword::conditions_of_no_keyword(conditions, &scope.renderer(), as_it_is)
    };
    if let Some(conditions) = &call.task.changed_when {
        match judged(conditions, outcome) {
            // Only the change will tell.
            Ok(Verdict::Unknown(_)) => {}
            Ok(verdict) => {
                let changed = matches!(verdict, Verdict::True);
                outcome.result.values.insert("changed".into(), changed.into());
                if release.results_have_verdicts() {
                    outcome.result.values.insert("changed_when_result".into(), changed.into());
                }
                if outcome.result.status != Status::Failed {
                    outcome.result.status = if changed { Status::Changed } else { Status::Ok };
                }
            }
            Err(e) => return broken(call, release, "changed_when", outcome, e),
        }
    }
    if let Some(conditions) = &call.task.failed_when {
        // A list of conditions fails the task when all of them hold.
        match judged(conditions, outcome) {
            Ok(verdict) => failed_when(call, release, outcome, matches!(verdict, Verdict::True)),
            Err(e) => broken(call, release, "failed_when", outcome, e),
        }
    }
}

/// Fails a task because a condition on its result cannot be evaluated.
fn broken(call: &ItemCall, release: Release, keyword: &str, outcome: &mut ItemOutcome, error: Error) {
    let result = &mut outcome.result;
    result.values.insert(format!("{keyword}_result").into(), error.to_string().into());
    let place = error.place().cloned();
    let error = keyword::condition_failed(release, keyword, error, place.as_ref());
    if release.judges_within_the_action() {
        return fail_within_the_action(call, keyword, result, error);
    }
    let error = error.context("Task failed").at(&call.task.place);
    result.status = Status::Failed;
    result.values.insert("failed".into(), true.into());
    result.values.insert("exception".into(), "(traceback unavailable)".into());
    result.values.entry("msg".into()).or_insert_with(|| error.to_string().into());
    result.error = Some(error);
}

/// Fails a task because of a condition on its result. What failed in the action itself stands beside that.
fn fail_within_the_action(call: &ItemCall, keyword: &str, result: &mut TaskResult, error: Error) {
    // A module that failed is named as such.
    let module = result.error.take().is_some_and(|error| error.to_string().starts_with(MODULE_FAILED));
    let what = if module { MODULE_FAILED } else { "Task failed: Action failed" };
    let error = error.context(what).at(&call.task.place);
    result.status = Status::Failed;
    let values = &mut result.values;
    values.insert("failed".into(), true.into());
    if let Some(exception) = values.insert("exception".into(), "(traceback unavailable)".into()) {
        values.insert(format!("{keyword}_suppressed_exception").into(), exception);
    }
    // What stands for a message that the action does not have, is replaced.
    let is_own =
        |msg: &Value| msg.as_str().is_none_or(|msg| !msg.is_empty() && !msg.starts_with("Task failed: "));
    if !values.get("msg").is_some_and(|msg| !msg.is_null() && is_own(msg)) {
        values.insert("msg".into(), error.to_string().into());
    }
    result.error = Some(error);
}

fn failed_when(call: &ItemCall, release: Release, outcome: &mut ItemOutcome, fails: bool) {
    let result = &mut outcome.result;
    result.values.insert("failed_when_result".into(), fails.into());
    result.values.insert("failed".into(), fails.into());
    if fails && release.judges_within_the_action() {
        let error = Error::new(release.failed_when_holds());
        return fail_within_the_action(call, "failed_when", result, error);
    }
    if fails {
        result.status = Status::Failed;
        if result.error.is_none() {
            let said = result.values.get("msg").and_then(Value::as_str).filter(|m| !m.is_empty());
            let message = format!("Action failed: {}", said.unwrap_or(release.failed_when_holds()));
            result.error = Some(Error::new(message).context("Task failed").at(&call.task.place));
        }
        return;
    }
    let changed = result.values.get("changed").is_some_and(Value::is_true);
    result.status = if changed { Status::Changed } else { Status::Ok };
    result.error = None;
    if let Some(exception) = result.values.shift_remove("exception") {
        result.values.insert("failed_when_suppressed_exception".into(), exception);
    }
}

/// Adds the facts that a module returned to the host, or with `delegate_facts` to the delegate.
fn facts(call: &ItemCall, scope: &Arc<HostScope>, outcome: &mut ItemOutcome) -> Result<(), Error> {
    let Some(facts) = outcome.result.values.get("ansible_facts").and_then(Value::as_map).cloned() else {
        return Ok(());
    };
    let to_delegate = keyword::of(call.task, &scope.renderer()).delegate_facts()? == Some(true);
    let host = match scope.delegate() {
        Some(delegate) if to_delegate => delegate.name.clone(),
        _ => call.host.clone(),
    };
    let names = |map: &Map| -> Vec<(Arc<str>, Value)> {
        map.iter().map(|(k, v)| (k.shared_text(), v.clone())).collect()
    };
    // `ansible_facts` has it, and the result has not.
    if facts.contains_key(result::GATHERED) {
        let mut shown = facts.clone();
        shown.shift_remove(result::GATHERED);
        outcome.result.values.insert("ansible_facts".into(), Value::Map(shown.into()));
    }
    match call.task.action_name() {
        // These have effects of their own, or show what there is.
        "set_fact" | "include_vars" | "debug" => {}
        _ => {
            // A fact named `ansible_facts` must not replace all facts.
            outcome.carry.extend(names(&facts).into_iter().filter(|(name, _)| &**name != "ansible_facts"));
            if scope.release().items_see_facts_of_earlier_ones() && call.task.loop_over.is_some() {
                let known = crate::template::Scope::get(&**scope, "ansible_facts").transpose()?;
                let mut all = known.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
                all.extend(crate::vars::deprefixed(&facts));
                outcome.carry.push(("ansible_facts".into(), all.into()));
            }
            outcome.effects.push(Effect::Facts { host, facts });
        }
    }
    Ok(())
}
