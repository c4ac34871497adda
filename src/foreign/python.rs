//! The Python process of a run, which is started when it is first needed. It has ansible-core, loads plugins and
//! builds payloads of modules. Its program is the package in `helper/`.
//!
//! JSON frames are sent over a socket that is the process's standard input, so that plugins can print. Every request
//! has a number, and during a request the process may send requests of its own.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use playbook_api::sync::lock;
use playbook_api::{Error, ErrorKind};
use serde_json::{Value as Json, json};

use crate::settings::Settings;

/// The helper's program, which receives the sources of its package in the first frame.
const SCRIPT: &str = include_str!("helper/start.py");

/// The modules of the helper's package.
const SOURCES: [(&str, &str); 12] = [
    ("actions", include_str!("helper/actions.py")),
    ("callbacks", include_str!("helper/callbacks.py")),
    ("connections", include_str!("helper/connections.py")),
    ("conversation", include_str!("helper/conversation.py")),
    ("core", include_str!("helper/core.py")),
    ("errors", include_str!("helper/errors.py")),
    ("inventory", include_str!("helper/inventory.py")),
    ("main", include_str!("helper/main.py")),
    ("plugins", include_str!("helper/plugins.py")),
    ("requests", include_str!("helper/requests.py")),
    ("values", include_str!("helper/values.py")),
    ("variables", include_str!("helper/variables.py")),
];

/// The maximum size of a frame. Payloads are much smaller.
const LARGEST: usize = 512 << 20;

/// A running helper.
pub struct Python {
    /// The interpreter.
    pub executable: PathBuf,
    /// The version of its ansible-core.
    pub version: String,
    writer: Mutex<UnixStream>,
    waiting: Waiting,
    next: AtomicU64,
    child: Mutex<Child>,
}

type Waiting = Arc<Mutex<HashMap<u64, Sender<Json>>>>;

/// Responds to the helper's own requests, given by name and body, while it works on a request.
pub type Serve<'a> = dyn FnMut(&str, Json) -> Result<Json, Error> + 'a;

impl Python {
    /// Starts the helper with the first Python that has ansible-core.
    pub fn start(settings: &Settings, configuration: &Json) -> Result<Python, Error> {
        let mut tried: Vec<String> = Vec::new();
        for candidate in candidates(settings) {
            match Python::with(&candidate, settings, configuration) {
                Ok(python) => return Ok(python),
                Err(reason) => tried.push(format!("{}: {reason}", candidate.display())),
            }
        }
        let tried = if tried.is_empty() { "there is no Python".to_owned() } else { tried.join("; ") };
        Err(Error::new(format!("no Python with ansible-core was found ({tried})")).with_help(
            "Install ansible-core 2.19 or newer for the controller's python3, or name its Python in the setting \
             plugin_python (environment PLAYBOOK_PYTHON).",
        ))
    }

    fn with(executable: &Path, settings: &Settings, configuration: &Json) -> Result<Python, String> {
        let (ours, theirs) = UnixStream::pair().map_err(|e| e.to_string())?;
        let mut command = Command::new(executable);
        command.args(["-c", SCRIPT]).stdin(Stdio::from(OwnedFd::from(theirs))).process_group(0);
        if let Some(file) = &settings.config_file {
            command.env("ANSIBLE_CONFIG", file);
        }
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        drop(command);
        let mut reader = ours.try_clone().map_err(|e| e.to_string())?;
        let mut writer = ours;
        let sources: serde_json::Map<String, Json> =
            SOURCES.iter().map(|(name, source)| ((*name).to_owned(), (*source).into())).collect();
        let first = json!({ "sources": sources, "configuration": configuration });
        let hello = send(&mut writer, &first).and_then(|()| receive(&mut reader));
        let hello = match hello {
            Ok(Some(hello)) => hello,
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("it did not start".into());
            }
        };
        if let Some(fault) = hello.get("error").and_then(Json::as_str) {
            let _ = child.wait();
            return Err(fault.to_owned());
        }
        let text = |name: &str| hello.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let waiting: Waiting = Arc::default();
        let readers = waiting.clone();
        std::thread::Builder::new()
            .name("python".into())
            .spawn(move || {
                while let Ok(Some(frame)) = receive(&mut reader) {
                    let number = frame.get("id").and_then(Json::as_u64).unwrap_or_default();
                    let sender = lock(&readers).get(&number).cloned();
                    if let Some(sender) = sender {
                        let _ = sender.send(frame);
                    }
                }
                // Waiting requests get an error instead of a response.
                lock(&readers).clear();
            })
            .map_err(|e| e.to_string())?;
        Ok(Python {
            executable: text("executable").into(),
            version: text("version"),
            writer: Mutex::new(writer),
            waiting,
            next: AtomicU64::new(1),
            child: Mutex::new(child),
        })
    }

    /// Sends a request to the helper, responds to its own requests in the meantime, and returns its response.
    pub fn ask(&self, what: &str, body: Json, serve: &mut Serve) -> Result<Json, Error> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = channel();
        lock(&self.waiting).insert(number, sender);
        let done = self.send(&json!({ "id": number, "ask": what, "body": body })).and_then(|()| {
            loop {
                let mut frame = receiver.recv().map_err(|_| ended())?;
                if let Some(question) = frame.get("ask").and_then(Json::as_str).map(str::to_owned) {
                    let body = frame.get_mut("body").map(Json::take).unwrap_or_default();
                    let answer = match serve(&question, body) {
                        Ok(answer) => json!({ "id": number, "answer": answer }),
                        Err(e) => json!({ "id": number, "fault": e.to_string() }),
                    };
                    self.send(&answer)?;
                    continue;
                }
                return match frame.get("fault").and_then(Json::as_str) {
                    Some(fault) => Err(fault_of(fault, &frame)),
                    None => Ok(frame.get_mut("answer").map(Json::take).unwrap_or_default()),
                };
            }
        });
        lock(&self.waiting).remove(&number);
        done
    }

    fn send(&self, frame: &Json) -> Result<(), Error> {
        send(&mut lock(&self.writer), frame).map_err(|_| ended())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = lock(&self.writer).shutdown(std::net::Shutdown::Both);
        let _ = lock(&self.child).wait();
    }
}

fn ended() -> Error {
    Error::new("the Python process for plugins ended unexpectedly").with_help("Read its output above.")
}

/// Converts an error in Python, with its causes.
fn fault_of(message: &str, frame: &Json) -> Error {
    let error = Error::new(message);
    let error = match frame.get("help").and_then(Json::as_str) {
        Some(help) => error.with_help(help),
        None => error,
    };
    let is = |name: &str| frame.get(name).and_then(Json::as_bool) == Some(true);
    match () {
        () if is("undefined") => error.with_kind(ErrorKind::Undefined),
        () if is("unreachable") => error.with_kind(ErrorKind::Unreachable),
        () => error,
    }
}

fn send(stream: &mut UnixStream, frame: &Json) -> std::io::Result<()> {
    let body = serde_json::to_vec(frame)?;
    let length = u32::try_from(body.len()).map_err(std::io::Error::other)?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&body)
}

/// Receives the next frame. Returns `None` at the end.
fn receive(stream: &mut UnixStream) -> std::io::Result<Option<Json>> {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > LARGEST {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

/// Returns the Python that plugins would run with, whether or not it has ansible-core: the value of
/// `ansible_playbook_python`, and the interpreter of an implicit localhost.
pub fn likely(settings: &Settings) -> String {
    let first = candidates(settings).into_iter().next();
    first.map_or_else(|| "/usr/bin/python3".into(), |path| path.to_string_lossy().into_owned())
}

/// Returns the interpreters that may have ansible-core: only the configured one, or else that of the active virtual
/// environment, that of an `ansible-playbook` script, and python3.
pub fn candidates(settings: &Settings) -> Vec<PathBuf> {
    if let Some(named) = &settings.plugin_python {
        return vec![named.clone()];
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let mut add = |path: PathBuf| {
        if path.is_file() && !found.contains(&path) {
            found.push(path);
        }
    };
    if let Some(environment) = std::env::var_os("VIRTUAL_ENV") {
        add(Path::new(&environment).join("bin/python3"));
    }
    let directories: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    for directory in &directories {
        if let Some(python) = of_script(&directory.join("ansible-playbook")) {
            add(python);
        }
    }
    for name in ["python3", "python"] {
        if let Some(path) =
            directories.iter().map(|directory| directory.join(name)).find(|path| path.is_file())
        {
            add(path);
        }
    }
    found
}

/// Returns the Python that a script names in its first line.
fn of_script(path: &Path) -> Option<PathBuf> {
    let mut start = [0; 256];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start)).ok()?;
    let (program, _) = super::style::shebang(&start[..read])?;
    let program = PathBuf::from(program);
    let name = program.file_name()?.to_string_lossy().into_owned();
    name.starts_with("python").then_some(program)
}
