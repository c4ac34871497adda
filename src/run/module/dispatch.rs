//! Calls modules by name: resolves the name, and runs the module on the host or in the controller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Arguments, Context, Diff, Error, Failure, Map, ModuleEntry, Outcome, Run, Value, map};

use super::release::Differences;
use super::{external, names, on_host, task_host};
use crate::connection::Output;
use crate::foreign::{Found, Kind};
use crate::run::call::ActionCall;
use crate::run::call::files::Files;
use crate::run::call::result::{self, NotYetKnown};

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
        let entry = match &resolved {
            Resolved::Native(entry) => Some(&**entry),
            Resolved::Foreign(..) => None,
        };
        let values = result::not_run(entry, NotYetKnown::Arguments, &reason);
        return Ok(Outcome { values, ..Outcome::changed(true) });
    }
    let entry = match &resolved {
        Resolved::Native(entry) => entry,
        Resolved::Foreign(found, path) => return external::call(call, found, path, &args),
    };
    let release = Differences::of(entry.doc.name, &args, shared.settings.core)?;
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
        outcome
    });
    let done = release.apply(done);
    let Some(shown) = shown else { return done };
    match done {
        Ok(outcome) => Ok(outcome.with("invocation", shown)),
        Err(failure) if failure.unreachable => Err(failure),
        Err(failure) => Err(failure.with("invocation", shown)),
    }
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
