//! Calls modules by name: resolves the name, and runs the module on the host or in the controller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playbook_api::arguments::to_bool;
use playbook_api::{Arguments, Context, Diff, Error, Failure, Map, ModuleEntry, Outcome, Run, Value, map};

use super::{external, names, on_host, task_host};
use crate::connection::Output;
use crate::foreign::{Found, Kind};
use crate::run::call::ActionCall;
use crate::run::call::files::Files;

/// The time that a module has to end after its task's time limit.
const LAST_WORDS: Duration = Duration::from_secs(3);

impl ActionCall<'_> {
    /// Runs the module of the task's own name.
    pub fn module(&mut self) -> Result<Outcome, Failure> {
        let name = self.item.task.action.name.clone();
        let args = self.args.clone();
        self.call_module(&name, args)
    }

    /// Runs a command line where the task acts, which needs only a shell there.
    pub fn execute(&mut self, command: &str) -> Result<Output, Failure> {
        on_host::execute(self, command)
    }

    /// Runs a module where the task acts.
    pub fn call_module(&mut self, name: &str, args: Arguments) -> Result<Outcome, Failure> {
        call(self, name, args)
    }

    /// Runs a module that reads or writes a file on the controller.
    pub fn call_with_files(&mut self, name: &str, args: Arguments, files: Files) -> Result<Outcome, Failure> {
        self.files = files;
        let done = self.call_module(name, args);
        self.files = Files::default();
        done
    }
}

/// Runs a module for a task: where the task acts, or in the controller if it acts on a cloud or database.
pub fn call(call: &ActionCall, name: &str, args: Arguments) -> Result<Outcome, Failure> {
    let shared = &call.item.play.shared;
    let resolved = resolve(call, name)?;
    if let Some(reason) = args.values.values().find_map(unknown) {
        // An earlier task did not run in check mode, so this one's arguments are not known.
        return Ok(not_run(&resolved, reason));
    }
    let entry = match &resolved {
        Resolved::Native(entry) => entry,
        Resolved::Foreign(found, path) => return external::call(call, found, path, &args),
    };
    let release = shared.settings.core;
    if entry.doc.name == "user"
        && release.appending_needs_groups()
        && args.get("append").is_some_and(|append| to_bool(append) == Some(true))
        && args.get("groups").is_none_or(Value::is_null)
    {
        return Err(Failure::new("append is True but all of the following are missing: groups"));
    }
    // In 2.19, the result has the groups that were asked for.
    let asked = (entry.doc.name == "user" && !release.user_returns_its_groups())
        .then(|| args.get("groups").filter(|groups| !groups.is_null()).map(joined));
    let shown = shared.shows_invocations().then(|| invocation(entry, &args));
    let done = match entry.run {
        Run::Host(_) => on_host::run(call, entry, args),
        Run::Controller(run) => {
            let context = on_host::context(call)?;
            let (host, cancel) = (task_host::of_task(call, &context), context.cancel.child());
            let context = Context { host, cancel: cancel.clone(), ..context };
            let mut work = run(entry.clone(), args, context);
            match on_host::time_limit(call)? {
                None => shared.runtime()?.block_on(work),
                Some(limit) => {
                    let timed = async {
                        let done = tokio::time::timeout(limit, &mut work).await;
                        if done.is_err() {
                            // What a server does for the module is canceled, which takes a moment.
                            cancel.set();
                            let _ = tokio::time::timeout(LAST_WORDS, &mut work).await;
                        }
                        done
                    };
                    shared.runtime()?.block_on(timed).unwrap_or_else(|_| Err(on_host::timed_out(limit)))
                }
            }
        }
    };
    let done = done.map(|mut outcome| {
        outcome.diff.iter_mut().for_each(|diff| shorten(diff, shared.settings.max_diff_size));
        match (entry.doc.name, release.stat_has_disk_usage()) {
            ("stat", true) => outcome.values.get_mut("stat").into_iter().for_each(add_disk_usage),
            ("find", has) => each_file(&mut outcome, |file| match has {
                true => add_disk_usage(file),
                false => remove_blocks(file),
            }),
            _ => {}
        }
        if let Some(asked) = asked
            && outcome.values.get("state").and_then(Value::as_str) == Some("present")
        {
            outcome.values.shift_remove("groups");
            outcome.values.extend(asked.map(|groups| ("groups".into(), groups)));
        }
        outcome
    });
    let worded = matches!(entry.doc.name, "command" | "shell" | "async_status");
    let done = done.map_err(|failure| match shared.settings.core.command_failed().filter(|_| worded) {
        Some(message) => with_message(failure, message),
        None => failure,
    });
    let Some(shown) = shown else { return done };
    match done {
        Ok(outcome) => Ok(outcome.with("invocation", shown)),
        Err(failure) if failure.unreachable => Err(failure),
        Err(failure) => Err(failure.with("invocation", shown)),
    }
}

/// Returns the result of a module that cannot run in check mode, since its arguments are not known yet. What it would
/// return is as unknown as they are, so that later tasks can be planned too.
fn not_run(resolved: &Resolved, reason: Arc<str>) -> Outcome {
    let mut outcome = Outcome::changed(true);
    if let Resolved::Native(entry) = resolved {
        outcome.values = entry.unknown_values(&reason);
    }
    outcome.msg(format!("would run; its arguments are known after {reason}"))
}

/// Applies a function to each file that `find` returns.
fn each_file(outcome: &mut Outcome, apply: impl FnMut(&mut Value)) {
    if let Some(Value::List(files)) = outcome.values.get_mut("files") {
        files.modify(|files| files.iter_mut().for_each(apply));
    }
}

/// Removes the number of blocks from what is known of a file.
fn remove_blocks(file: &mut Value) {
    if let Value::Map(stat) = file {
        Arc::make_mut(stat).shift_remove("blocks");
    }
}

/// Returns a list as text with commas.
fn joined(list: &Value) -> Value {
    match list.as_list() {
        Some(items) => items.iter().map(|item| item.to_text()).collect::<Vec<_>>().join(",").into(),
        None => list.to_text().as_ref().into(),
    }
}

/// Adds the size on disk to what is known of a file.
fn add_disk_usage(file: &mut Value) {
    const BLOCK: i64 = 512;
    let Value::Map(stat) = file else { return };
    let blocks = stat.get("blocks").and_then(Value::as_i64);
    if let Some(bytes) = blocks.and_then(|blocks| blocks.checked_mul(BLOCK)) {
        Arc::make_mut(stat).insert("disk_usage_bytes".into(), bytes.into());
    }
}

/// Replaces what a module says of a command whose exit status is not 0.
fn with_message(mut failure: Failure, message: &str) -> Failure {
    const SAID: &str = "non-zero return code";
    let values = &mut failure.outcome.values;
    if values.get("msg").and_then(Value::as_str) == Some(SAID) {
        values.insert("msg".into(), message.into());
    }
    if failure.error.message() == SAID {
        failure.error = Error::new(message);
    }
    failure
}

/// A module that was found by its name.
pub enum Resolved {
    /// A module of this program.
    Native(Arc<ModuleEntry>),
    /// A module that is not part of this program, and its file.
    Foreign(Found, Arc<Path>),
}

/// Returns the module that a name means in this task. Modules next to the playbook come before built-in ones, unless
/// the name begins with `ansible.builtin`.
pub fn resolve(call: &ActionCall, name: &str) -> Result<Resolved, Error> {
    let shared = &call.item.play.shared;
    let task = call.item.task;
    // The collections that the playbook searches do not apply to the modules that an action calls.
    let search = if *name == *task.action.name { names::search(task) } else { Vec::new() };
    let native = |name: &str| shared.registry.module(name).cloned().map(Resolved::Native);
    let found = shared.foreign.find(Kind::Module, name, &search).map_err(|e| e.at(&task.place))?;
    let foreign = |found: Found| match found.path.clone() {
        Some(path) => Ok(Resolved::Foreign(found, path)),
        None => Err(found),
    };
    let found = match found.map(foreign) {
        Some(Ok(found)) => return Ok(found),
        Some(Err(redirected)) => native(&redirected.name),
        None => search.iter().find_map(|collection| native(&format!("{collection}.{name}"))),
    };
    if let Some(found) = found.or_else(|| native(name)) {
        return Ok(found);
    }
    match shared.foreign.core_module(name).map(foreign) {
        Some(Ok(found)) => Ok(found),
        _ => Err(crate::playbook::unknown_action(name, &task.place, &**shared, &shared.foreign)),
    }
}

/// Replaces a difference between texts of which one is too large to be shown. A limit of 0 means none.
fn shorten(diff: &mut Diff, limit: usize) {
    let is_large = |text: &Option<Value>| {
        limit > 0 && text.as_ref().and_then(Value::as_str).is_some_and(|text| text.len() > limit)
    };
    let large =
        [(&diff.before, "destination"), (&diff.after, "source")].into_iter().find(|(text, _)| is_large(text));
    if let Some((_, which)) = large {
        let prepared = format!("diff skipped: {which} file size is greater than {limit}\n");
        *diff = Diff { prepared: Some(prepared), ..Diff::default() };
    }
}

/// Returns the arguments that a module ran with, including defaults, as `-vvv` shows them.
pub fn invocation(entry: &ModuleEntry, args: &Arguments) -> Value {
    let mut all = Map::default();
    for (name, option) in &entry.spec().options {
        let given = std::iter::once(name).chain(&option.aliases).find_map(|n| args.get(n));
        let value = match given {
            Some(_) if option.no_log => "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER".into(),
            Some(value) => value.clone(),
            None => option.default.clone().map_or(Value::Null, Value::from_json),
        };
        if given.is_some() || !name.starts_with('_') {
            all.insert(name.as_str().into(), value);
        }
    }
    map! { "module_args" => all }.into()
}

fn unknown(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Unknown(reason) => Some(reason.clone()),
        Value::List(items) | Value::Tuple(items) => items.iter().find_map(unknown),
        Value::Map(map) => map.values().find_map(unknown),
        _ => None,
    }
}
