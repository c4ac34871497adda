//! Jobs: modules that run in a separate process, which continues after the process that started it ends.
//!
//! A job is this program, started with [`ARGUMENT`] and one request on its standard input. It runs the module and
//! writes the result to the job's file as JSON, which `crate::modules::async_status` reads.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use playbook_api::{Arguments, Context, Error, Failure, Map, Registry, Run, Value, map, result_map};
use serde::{Deserialize, Serialize};

use crate::host::path;
use crate::host::{Host, Replace};

/// The argument that makes this program a job.
pub const ARGUMENT: &str = "__run-job";

/// The time that a module has to end its programs after its time limit.
const GRACE: Duration = Duration::from_secs(2);

/// The module to run, and its context.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    module: String,
    args: serde_json::Value,
    /// The time limit of the module and its programs, in seconds.
    limit: u64,
    file: PathBuf,
    check: bool,
    diff: bool,
    verbosity: u8,
    environment: Vec<(String, String)>,
    directory: Option<PathBuf>,
    temporary: Option<PathBuf>,
}

impl Request {
    /// Creates a request that runs a module in the given context.
    pub fn new(module: &str, args: Map, limit: u64, context: &Context) -> Self {
        Request {
            module: module.to_owned(),
            args: Value::from(args).to_json(),
            limit,
            file: PathBuf::new(),
            check: context.check,
            diff: context.diff,
            verbosity: context.verbosity,
            environment: context.environment.clone(),
            directory: context.directory.clone(),
            temporary: context.temporary.clone(),
        }
    }
}

/// The job's file is written in check mode too. Only the module must not change anything.
pub fn books(context: &Context) -> Context {
    Context { check: false, ..context.clone() }
}

/// Returns the directory of jobs for the value of the setting.
pub fn directory(written: &str, context: &Context) -> PathBuf {
    path::resolve(written, context)
}

/// Starts a job and returns at once, with the job's id and file.
pub fn start(
    prefix: &str,
    directory: &Path,
    mut request: Request,
    context: &Context,
) -> Result<(String, PathBuf), Failure> {
    let books = books(context);
    let host = Host::new(&books);
    create_directory(&host, directory).map_err(|e| {
        let reason = crate::host::errno::describe(&e);
        Failure::new(format!("could not create directory: {} - {reason}", directory.display()))
    })?;
    let (process, mut input) = crate::host::process::detach(ARGUMENT)
        .map_err(|e| Failure::new(format!("cannot start the job: {e}")))?;
    let id = format!("{prefix}.{process}");
    request.file = directory.join(&id);
    write(
        &host,
        &request.file,
        &map! { "started" => true, "finished" => false, "ansible_job_id" => id.as_str() },
    )?;
    let request_bytes = serde_json::to_vec(&request).map_err(|e| Error::new(e.to_string()))?;
    input.write_all(&request_bytes).map_err(|e| Failure::new(format!("cannot start the job: {e}")))?;
    Ok((id, request.file))
}

fn create_directory(host: &Host, directory: &Path) -> std::io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        create_directory(host, parent)?;
    }
    match host.create_directory(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => host.set_mode(directory, 0o700),
    }
}

fn write(host: &Host, file: &Path, values: &Map) -> Result<(), Failure> {
    let text = Value::from(values.clone()).to_json().to_string();
    // Results may hold secrets.
    host.write(file, text.as_bytes(), &Replace { mode: Some(0o600), ..Replace::default() })
}

/// Runs this process as a job.
pub fn serve(registry: Registry) -> Result<(), Error> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Error::new(format!("cannot read the job's request: {e}")))?;
    let request: Request = serde_json::from_slice(&bytes)
        .map_err(|e| Error::new(format!("the job's request is invalid: {e}")))?;
    // The job must not belong to the terminal and the process group that started it.
    let _ = nix::unistd::setsid();
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let context = Context {
        check: request.check,
        diff: request.diff,
        verbosity: request.verbosity,
        environment: request.environment,
        directory: request.directory,
        temporary: request.temporary,
        registry: Arc::new(registry),
        ..Context::default()
    };
    let args = match Value::from_json(request.args) {
        Value::Map(map) => Arguments::from((*map).clone()),
        _ => Arguments::default(),
    };
    let done = within(Duration::from_secs(request.limit), &request.module, args, &context);
    let books = books(&context);
    write(&Host::new(&books), &request.file, &done).map_err(|failure| failure.error)
}

/// Runs a module until its end or its time limit.
fn within(limit: Duration, module: &str, args: Arguments, context: &Context) -> Map {
    let registry = context.registry.clone();
    let Some((entry, Run::Host(run))) = registry.module(module).map(|entry| (entry.clone(), entry.run))
    else {
        return result_map::to_map(Err(Failure::new(format!("a job cannot run the module '{module}'"))));
    };
    let (sender, receiver) = channel();
    let (working, cancel) = (context.clone(), context.cancel.clone());
    std::thread::spawn(move || {
        let _ = sender.send(run(&entry, &args, &working));
    });
    match receiver.recv_timeout(limit) {
        Ok(done) => result_map::to_map(done),
        Err(RecvTimeoutError::Disconnected) => result_map::to_map(Err(Failure::new("the module panicked"))),
        Err(RecvTimeoutError::Timeout) => {
            cancel.set();
            let _ = receiver.recv_timeout(GRACE);
            let failure = Failure::new("Timeout exceeded").with("child_pid", std::process::id());
            result_map::to_map(Err(failure))
        }
    }
}
