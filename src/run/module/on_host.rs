//! Runs modules and command lines on the host that a task acts on.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::context::{Progress, Source};
use playbook_api::{Arguments, Context, Error, Failure, ModuleEntry, Outcome, map};

use super::{python_connection, target};
use crate::connection::{Connection, Output, Target};
use crate::playbook::Task;
use crate::report::{Event, TaskInfo};
use crate::run::call::keyword;
use crate::run::call::state::PlayState;
use crate::run::call::{ActionCall, Emit, ItemCall};
use crate::vars::HostScope;

/// Runs a host module where the task acts.
pub fn run(call: &ActionCall, entry: &Arc<ModuleEntry>, args: Arguments) -> Result<Outcome, Failure> {
    on_host(call, entry, args, context(call)?, time_limit(call)?)
}

/// Runs a host module that may ask for a file.
pub fn run_with(
    call: &ActionCall,
    entry: &Arc<ModuleEntry>,
    args: Arguments,
    source: Option<Arc<dyn Source>>,
) -> Result<Outcome, Failure> {
    on_host(call, entry, args, Context { source, ..context(call)? }, time_limit(call)?)
}

/// Returns the timeout of the action, or that of the `timeout` keyword.
pub(super) fn time_limit(call: &ActionCall) -> Result<Option<Duration>, Error> {
    if call.limit.is_some() {
        return Ok(call.limit);
    }
    let shared = &call.item.play.shared;
    let seconds = match keyword::of(call.item.task, &call.renderer()).timeout()? {
        Some(seconds) => seconds,
        None => i64::try_from(shared.settings.task_timeout).unwrap_or(0),
    };
    Ok(u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs))
}

pub(super) fn timed_out(limit: Duration) -> Failure {
    let seconds = limit.as_secs();
    Failure::new(format!("Timed out after {seconds} second(s)."))
        .with("timedout", map! { "period" => seconds })
}

/// Reports, at -vvv, the command line by which a module runs as another user.
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

/// Returns the connection to where a task acts.
fn open(call: &ActionCall, target: &Target) -> Result<Arc<dyn Connection>, Failure> {
    match python_connection::open(call, target)? {
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
    if let Some(user) = (entry.user_to_disconnect)(&args).filter(|_| !context.check) {
        // A helper that runs as this user and waits for calls would stand in the way.
        call.item.play.shared.connections.release(&target, user);
    }
    let connection = open(call, &target)?;
    let context = Context { temporary: Some(target.deploy.directory.into()), ..context };
    let entry = entry.clone();
    within(limit, context, move |context| connection.run(&entry, &args, context))
}

/// Runs a command line where the task acts.
pub fn execute(call: &ActionCall, command: &str) -> Result<Output, Failure> {
    let connection = open(call, &target::of_task(call)?)?;
    let (context, command) = (context(call)?, command.to_owned());
    within(time_limit(call)?, context, move |context| connection.execute(&command, context))
}

/// Runs a command line over a new connection, optionally with another timeout to connect.
pub fn execute_anew(call: &ActionCall, command: &str, timeout: Option<Duration>) -> Result<Output, Failure> {
    let mut target = target::of_task(call)?;
    target.login.timeout = timeout.unwrap_or(target.login.timeout);
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

/// Runs something with a timeout, after which it is canceled and not waited for.
fn within<T: Send + 'static>(
    limit: Option<Duration>,
    context: Context,
    work: impl FnOnce(&Context) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let Some(limit) = limit else { return work(&context) };
    let context = Context { cancel: context.cancel.child(), ..context };
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

/// Returns the context of a module.
pub(super) fn context(call: &ActionCall) -> Result<Context, Error> {
    let shared = &call.item.play.shared;
    // The check of the keywords has told what is left out of it.
    let environment = keyword::environment(call.item.task, &call.renderer(), &|_| {})
        .map_err(|error| error.context("Task failed"))?;
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

/// Sends a module's progress to the reports.
fn progress(host: Arc<str>, emit: Emit) -> Progress {
    Progress(Some(Arc::new(move |message| emit(Event::Progress { host: host.clone(), message }))))
}
