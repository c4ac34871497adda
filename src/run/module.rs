//! A module's run: its argument check, its context, and where it runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playbook_api::context::{Cancel, Progress, Source};
use playbook_api::{Arguments, Context, Error, Failure, Map, ModuleEntry, Outcome, Run, Value, map};

use super::call::{ActionCall, Emit, ItemCall};
use super::files::Files;
use super::{PlayState, foreign, foreign_connection, keyword, target};
use crate::connection::{Connection, Output, Target};
use crate::foreign::{Found, Kind};
use crate::playbook::Task;
use crate::report::{Event, TaskInfo};
use crate::vars::HostScope;

impl ActionCall<'_> {
    /// Runs the module of the task's own name.
    pub fn module(&mut self) -> Result<Outcome, Failure> {
        let name = self.item.task.action.name.clone();
        let args = self.args.clone();
        self.call_module(&name, args)
    }

    /// Runs a command line where the task acts, with nothing but a shell needed there.
    pub fn execute(&mut self, command: &str) -> Result<Output, Failure> {
        execute(self, command)
    }

    /// Runs a module where the task acts.
    pub fn call_module(&mut self, name: &str, args: Arguments) -> Result<Outcome, Failure> {
        call(self, name, args)
    }

    /// The same, for a module that takes a file of the controller or sends one.
    pub fn call_with_files(&mut self, name: &str, args: Arguments, files: Files) -> Result<Outcome, Failure> {
        self.files = files;
        let done = self.call_module(name, args);
        self.files = Files::default();
        done
    }
}

/// Runs a module for a task: where the task acts, or in the controller for a cloud or database.
pub fn call(call: &ActionCall, name: &str, args: Arguments) -> Result<Outcome, Failure> {
    let shared = &call.item.play.shared;
    let resolved = resolve(call, name)?;
    if let Some(reason) = args.values.values().find_map(unknown) {
        // An earlier task was not really run, so this one's arguments are not known yet either.
        let outcome =
            Outcome::changed(true).msg(format!("would run; its arguments are known after {reason}"));
        return Ok(outcome);
    }
    let entry = match &resolved {
        Resolved::Native(entry) => entry,
        Resolved::Foreign(found, path) => return foreign::call(call, found, path, &args),
    };
    let context = context(call)?;
    let shown = (shared.options.verbosity >= 3).then(|| invocation(entry, &args));
    let done = match (entry.run, time_limit(call)?) {
        (Run::Host(_), limit) => on_host(call, entry, args, context, limit),
        (Run::Controller(run), None) => shared.runtime()?.block_on(run(entry.clone(), args, context)),
        (Run::Controller(run), Some(limit)) => {
            let work = run(entry.clone(), args, context);
            let timed = async { tokio::time::timeout(limit, work).await };
            shared.runtime()?.block_on(timed).unwrap_or_else(|_| Err(timed_out(limit)))
        }
    };
    let Some(shown) = shown else { return done };
    match done {
        Ok(outcome) => Ok(outcome.with("invocation", shown)),
        Err(failure) if failure.unreachable => Err(failure),
        Err(failure) => Err(failure.with("invocation", shown)),
    }
}

/// A module of this program, or one that is not.
pub enum Resolved {
    Native(Arc<ModuleEntry>),
    Foreign(Found, Arc<Path>),
}

/// The module that a name means in this task. What lies beside the playbook comes before what is built in, except
/// where the name says `ansible.builtin`.
pub fn resolve(call: &ActionCall, name: &str) -> Result<Resolved, Error> {
    let shared = &call.item.play.shared;
    let task = call.item.task;
    // What an action calls is the action's choice; short names are the playbook's.
    let search = if *name == *task.action.name { foreign::search(task) } else { Vec::new() };
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
        _ => Err(crate::playbook::unknown_action(name, &task.place, &**shared)),
    }
}

/// Runs a host module where the task acts.
pub fn run(call: &ActionCall, entry: &Arc<ModuleEntry>, args: Arguments) -> Result<Outcome, Failure> {
    on_host(call, entry, args, context(call)?, time_limit(call)?)
}

/// The same, with a file that the module may ask for.
pub fn run_with(
    call: &ActionCall,
    entry: &Arc<ModuleEntry>,
    args: Arguments,
    source: Option<Arc<dyn Source>>,
) -> Result<Outcome, Failure> {
    on_host(call, entry, args, Context { source, ..context(call)? }, time_limit(call)?)
}

/// The `timeout` keyword, or what the action says.
fn time_limit(call: &ActionCall) -> Result<Option<Duration>, Error> {
    if call.limit.is_some() {
        return Ok(call.limit);
    }
    let shared = &call.item.play.shared;
    let seconds = match call.item.task.keyword("timeout") {
        Some(node) => keyword::integer(node, "timeout", &call.renderer())?.unwrap_or(0),
        None => i64::try_from(shared.settings.task_timeout).unwrap_or(0),
    };
    Ok(u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs))
}

fn timed_out(limit: Duration) -> Failure {
    let seconds = limit.as_secs();
    Failure::new(format!("Timed out after {seconds} second(s)."))
        .with("timedout", map! { "period" => seconds })
}

/// At -vvv, says by which command line a module runs as another user.
fn tell(call: &ActionCall, module: &str, target: &Target) {
    let level = 3;
    if call.item.play.shared.options.verbosity < level {
        return;
    }
    let line = target.r#become.as_ref().and_then(|other| other.command(module, "").ok());
    if let Some(line) = line {
        let text = format!("<{}> EXEC {line}", target.host);
        (call.item.emit)(Event::Verbose { level, text, host: None });
    }
}

/// The connection to where a task acts.
fn open(call: &ActionCall, target: &Target) -> Result<Arc<dyn Connection>, Failure> {
    match foreign_connection::open(call, target)? {
        Some(connection) => Ok(connection),
        None => call.item.play.shared.connections.open(target),
    }
}

/// Runs a module where the task acts.
fn on_host(
    call: &ActionCall,
    entry: &Arc<ModuleEntry>,
    args: Arguments,
    context: Context,
    limit: Option<Duration>,
) -> Result<Outcome, Failure> {
    let target = target::of_task(call)?;
    tell(call, entry.doc.name, &target);
    if let Some(user) = leaving(entry, &args).filter(|_| !context.check) {
        call.item.play.shared.connections.release(&target, user);
    }
    let connection = open(call, &target)?;
    let context = Context { temporary: Some(target.deploy.folder.into()), ..context };
    let entry = entry.clone();
    within(limit, context, move |context| connection.run(&entry, &args, context))
}

/// Who is to be removed: a helper of ours that waits as this user would stand in the way.
fn leaving<'a>(entry: &ModuleEntry, args: &'a Arguments) -> Option<&'a str> {
    let is_removed = entry.doc.name == "user" && args.get("state")?.as_str() == Some("absent");
    args.get("name").or_else(|| args.get("user")).filter(|_| is_removed)?.as_str()
}

/// Runs a command line where the task acts.
pub fn execute(call: &ActionCall, command: &str) -> Result<Output, Failure> {
    let connection = open(call, &target::of_task(call)?)?;
    let (context, command) = (context(call)?, command.to_owned());
    within(time_limit(call)?, context, move |context| connection.execute(&command, context))
}

/// The same over a connection that is made anew, and may take so long to be made.
pub fn execute_anew(call: &ActionCall, command: &str, patience: Option<Duration>) -> Result<Output, Failure> {
    let mut target = target::of_task(call)?;
    target.login.timeout = patience.unwrap_or(target.login.timeout);
    let connection = open(call, &target)?;
    connection.reset();
    let (context, command) = (context(call)?, command.to_owned());
    within(time_limit(call)?, context, move |context| connection.execute(&command, context))
}

/// Ends a host's connection, so that the next task makes a new one.
pub fn reset(
    play: &PlayState,
    host: &Arc<str>,
    task: &Arc<Task>,
    info: &Arc<TaskInfo>,
    scope: &Arc<HostScope>,
) -> Result<(), Error> {
    let silent: Emit = Arc::new(|_| {});
    let item = ItemCall { play, host, task, info, emit: &silent };
    let call = ActionCall::new(&item, scope);
    let connection = open(&call, &target::of_task(&call)?).map_err(|e| e.error)?;
    connection.reset();
    Ok(())
}

/// Runs something that is told to stop, and not waited for, when it takes longer than it may.
fn within<T: Send + 'static>(
    limit: Option<Duration>,
    context: Context,
    work: impl FnOnce(&Context) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let Some(limit) = limit else { return work(&context) };
    let context = Context { cancel: Cancel::default(), ..context };
    let cancel = context.cancel.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(work(&context));
    });
    receiver.recv_timeout(limit).unwrap_or_else(|_| {
        cancel.set();
        Err(timed_out(limit))
    })
}

/// The arguments a module ran with, defaults included, as `-vvv` shows them.
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

/// What the module is given beside its arguments.
fn context(call: &ActionCall) -> Result<Context, Error> {
    let shared = &call.item.play.shared;
    let environment = keyword::environment(call.item.task, &call.renderer())?;
    Ok(Context {
        check: call.check,
        diff: call.diff,
        verbosity: shared.options.verbosity,
        environment,
        source: call.files.source.clone(),
        sink: call.files.sink.clone(),
        progress: progress(call.item.host.clone(), call.item.emit.clone()),
        ..shared.context.clone()
    })
}

fn unknown(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Unknown(reason) => Some(reason.clone()),
        Value::List(items) | Value::Tuple(items) => items.iter().find_map(unknown),
        Value::Map(map) => map.values().find_map(unknown),
        _ => None,
    }
}

/// Sends a module's progress to the reports.
fn progress(host: Arc<str>, emit: Emit) -> Progress {
    Progress(Some(Arc::new(move |message| emit(Event::Progress { host: host.clone(), message }))))
}
