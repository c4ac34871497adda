//! A managed host, through ssh: one master connection with a session for each program, through ssh's own multiplexing.
//! If the server rejects further sessions on it, the program gets its own connection.

pub mod askpass;
mod control;
mod master;
mod start;

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use openssh::{Child, Session, Stdio};
use playbook_api::sync::lock;
use playbook_api::{Error, ErrorKind, Failure};

use super::launch::{self, Launcher, Process, Started};
use super::peer::Peer;
use super::pipe::{input_pipe, pipe};
use super::privilege::quote;
use super::{Login, Target};
use master::Master;

/// The size of a pipe to a host, in bytes.
const PIPE: i32 = 256 << 10;

/// The shared state of a run's ssh connections.
pub(crate) struct Common {
    /// The directory of the sockets, which other users may not enter.
    directory: tempfile::TempDir,
    last: AtomicU32,
    runtime: tokio::runtime::Runtime,
    sockets: Mutex<Vec<PathBuf>>,
    gates: start::Gates,
}

impl Common {
    /// Makes the directory of the sockets.
    pub(crate) fn new() -> Result<Common, Error> {
        // A socket's name must be short.
        let directory = tempfile::Builder::new().prefix("playbook-").tempdir_in("/tmp");
        let directory = directory.or_else(|_| tempfile::Builder::new().prefix("playbook-").tempdir());
        let directory =
            directory.map_err(|e| Error::new(format!("cannot make a directory for ssh's sockets: {e}")))?;
        // The runtime has no thread: the threads that wait drive it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::new(format!("cannot start the network runtime: {e}")))?;
        let (last, sockets, gates) = (AtomicU32::new(0), Mutex::default(), start::Gates::default());
        Ok(Common { directory, last, runtime, sockets, gates })
    }

    /// Returns a new socket's name.
    fn socket(&self) -> PathBuf {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let socket = self.directory.path().join(number.to_string());
        lock(&self.sockets).push(socket.clone());
        socket
    }

    /// Ends all masters, and removes the directory.
    pub(crate) fn abandon(&self) {
        for socket in lock(&self.sockets).drain(..) {
            control::exit(&socket);
        }
        let _ = std::fs::remove_dir_all(self.directory.path());
    }
}

/// A managed host.
pub(crate) struct Ssh {
    host: String,
    login: Login,
    common: Arc<Common>,
    master: Mutex<Option<Master>>,
}

impl Ssh {
    /// Describes the host of a target. Nothing is sent yet.
    pub(crate) fn new(target: &Target, common: Arc<Common>) -> Ssh {
        Ssh { host: target.host.clone(), login: target.login.clone(), common, master: Mutex::default() }
    }

    /// Returns the socket of the master, which is started if there is none.
    fn socket(&self) -> Result<PathBuf, Failure> {
        let mut master = lock(&self.master);
        if let Some(master) = &*master {
            return Ok(master.socket.clone());
        }
        let (mut attempt, mut dropped) = (0, 0);
        let started = loop {
            let pass = self.common.gates.enter(&self.destination());
            let started = Master::start(&self.login, self.common.socket());
            drop(pass);
            match started {
                Ok(started) => break started,
                Err(refused) if dropped < start::DROPPED_RETRIES && start::was_dropped(&refused.message) => {
                    std::thread::sleep(start::pause(dropped));
                    dropped += 1;
                }
                Err(refused) if attempt < self.login.retries && refused.may_pass => {
                    let pause = (1_u64 << attempt.min(5)).saturating_sub(1).min(30);
                    std::thread::sleep(Duration::from_secs(pause));
                    attempt += 1;
                }
                Err(refused) => return Err(unreachable(refused.message)),
            }
        };
        let socket = started.socket.clone();
        *master = Some(started);
        Ok(socket)
    }

    /// Returns the server that a new connection reaches first: the host, or the jump host in its arguments.
    fn destination(&self) -> String {
        let login = &self.login;
        match login.arguments.iter().any(|word| word.starts_with("-J") || word.contains("Proxy")) {
            true => login.arguments.join(" "),
            false => format!("{}:{}", login.address, login.port.unwrap_or(22)),
        }
    }

    /// Starts a command line over a separate connection, for a server that rejects further sessions on the master.
    fn alone(&self, command: &str) -> Result<Started, Failure> {
        let _pass = self.common.gates.enter(&self.destination());
        let mut ssh = master::session(&self.login, command);
        let cannot = |e: std::io::Error| {
            unreachable(format!("Unable to execute ssh command line on a controller: {e}"))
        };
        let password = self.login.password.as_ref().map(|password| askpass::prepare(&mut ssh, password));
        let password = password.transpose().map_err(cannot)?;
        let started = launch::start(&mut ssh).map_err(cannot)?;
        let process = Alone { program: started.process, _password: password };
        Ok(Started { process: Box::new(process), ..started })
    }

    /// Starts a command line in a new session on the master.
    fn on_master(&self, socket: PathBuf, command: &str) -> Result<Started, openssh::Error> {
        let silence = Peer::new(&self.host, self.login.timeout).silence;
        let late = || {
            let message = format!("no response to a new session within {} seconds", silence.as_secs());
            openssh::Error::ChildIo(std::io::Error::new(std::io::ErrorKind::TimedOut, message))
        };
        let io = |e: std::io::Error| openssh::Error::ChildIo(e);
        let (their_input, input) = input_pipe().map_err(io)?;
        // Files are sent through it, and a larger pipe is filled and emptied less often.
        let _ = fcntl(&input, FcntlArg::F_SETPIPE_SZ(PIPE));
        let (output, their_output) = pipe().map_err(io)?;
        let (errors, their_errors) = pipe().map_err(io)?;
        let session = Arc::new(Session::resume_mux(socket.into(), None));
        let spawned = self.common.runtime.block_on(async {
            let mut command = session.arc_raw_command(command);
            command.stdin(Stdio::from(their_input));
            command.stdout(Stdio::from(their_output)).stderr(Stdio::from(their_errors));
            tokio::time::timeout(silence, command.spawn()).await
        });
        let child = spawned.map_err(|_| late())??;
        let process = Remote { child: Some(child), common: self.common.clone() };
        Ok(Started {
            input: input.into(),
            output: output.into(),
            errors: errors.into(),
            process: Box::new(process),
        })
    }

    fn forget(&self) -> Option<Master> {
        lock(&self.master).take()
    }
}

fn unreachable(message: String) -> Failure {
    Error::new(message).with_kind(ErrorKind::Unreachable).into()
}

impl Launcher for Ssh {
    fn start(&self, command: &str) -> Result<Started, Failure> {
        let socket = self.socket()?;
        match self.on_master(socket.clone(), command) {
            Ok(started) => Ok(started),
            Err(openssh::Error::ChildIo(e)) => {
                Err(unreachable(format!("Failed to connect to the host via ssh: {e}")))
            }
            // The master may have ended since it was last used.
            Err(_) if !control::is_alive(&socket) => {
                drop(self.forget());
                let socket = self.socket()?;
                self.on_master(socket, command)
                    .map_err(|e| unreachable(format!("Failed to connect to the host via ssh: {e}")))
            }
            // The server allows no further session on one connection (MaxSessions).
            Err(_) => self.alone(command),
        }
    }

    fn unreachable(&self) -> Option<Failure> {
        let socket = {
            let master = lock(&self.master);
            master.as_ref().map(|master| master.socket.clone())?
        };
        // If a connection breaks, its sessions end before the master does, and on a busy controller long before. So only a
        // response of the host counts: a new session, or the refusal of one (MaxSessions), after which the master runs on.
        match self.on_master(socket.clone(), "exit 0") {
            Ok(_) => return None,
            Err(openssh::Error::ChildIo(_)) => {}
            Err(_) if control::is_alive(&socket) => return None,
            Err(_) => {}
        }
        drop(self.forget());
        let message = format!(
            "Failed to connect to the host via ssh: the connection to {} ({}) was lost",
            self.host, self.login.address
        );
        Some(unreachable(message))
    }

    fn sweeper(&self) -> Option<String> {
        Some(format!("/bin/sh -c {}", quote(include_str!("../sweep.sh"))))
    }

    fn close(&self) {
        drop(self.forget());
    }
}

/// A program on the host, over a separate connection.
struct Alone {
    program: Box<dyn Process>,
    /// ssh can get the password while this is open.
    _password: Option<File>,
}

impl Process for Alone {
    fn wait(&mut self, timeout: Duration) -> Option<i32> {
        self.program.wait(timeout)
    }
}

/// A program on the host, in a session on the master.
struct Remote {
    child: Option<Child<Arc<Session>>>,
    common: Arc<Common>,
}

impl Process for Remote {
    fn wait(&mut self, timeout: Duration) -> Option<i32> {
        let child = self.child.take()?;
        let ended = self.common.runtime.block_on(async { tokio::time::timeout(timeout, child.wait()).await });
        match ended.ok()? {
            Ok(status) => status.code(),
            Err(openssh::Error::Remote(_)) => Some(127),
            Err(_) => None,
        }
    }
}
