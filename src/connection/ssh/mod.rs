//! Another host, by ssh: one master connection, and on it a session for each program, through ssh's own multiplexing.

pub mod askpass;
mod control;
mod master;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use openssh::{Child, Session, Stdio};
use playbook_api::{Error, ErrorKind, Failure};

use super::launch::{Launcher, Process, Started, pipe};
use super::privilege::quote;
use super::{Login, Target};
use master::Master;

/// How much a pipe to a host holds.
const PIPE: i32 = 256 << 10;

/// What the ssh connections of a run have in common.
pub struct Common {
    /// Where the sockets are: nobody else may look into it.
    folder: tempfile::TempDir,
    last: AtomicU32,
    runtime: tokio::runtime::Runtime,
    sockets: Mutex<Vec<PathBuf>>,
}

impl Common {
    pub fn new() -> Result<Common, Error> {
        // A socket's name must be short.
        let folder = tempfile::Builder::new().prefix("playbook-").tempdir_in("/tmp");
        let folder = folder.or_else(|_| tempfile::Builder::new().prefix("playbook-").tempdir());
        let folder =
            folder.map_err(|e| Error::new(format!("cannot make a folder for ssh's sockets: {e}")))?;
        // It has no thread of its own: whoever waits drives it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::new(format!("cannot start the network runtime: {e}")))?;
        Ok(Common { folder, last: AtomicU32::new(0), runtime, sockets: Mutex::default() })
    }

    /// A new socket's name.
    fn socket(&self) -> PathBuf {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let socket = self.folder.path().join(number.to_string());
        self.sockets.lock().unwrap_or_else(|e| e.into_inner()).push(socket.clone());
        socket
    }

    /// Ends every master there may be, and removes the folder.
    pub fn abandon(&self) {
        for socket in self.sockets.lock().unwrap_or_else(|e| e.into_inner()).drain(..) {
            control::exit(&socket);
        }
        let _ = std::fs::remove_dir_all(self.folder.path());
    }
}

/// Another host.
pub struct Ssh {
    host: String,
    login: Login,
    common: Arc<Common>,
    master: Mutex<Option<Master>>,
}

impl Ssh {
    pub fn new(target: &Target, common: Arc<Common>) -> Ssh {
        Ssh { host: target.host.clone(), login: target.login.clone(), common, master: Mutex::default() }
    }

    /// The socket of the master, which is started where there is none.
    fn socket(&self) -> Result<PathBuf, Failure> {
        let mut master = self.master.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(master) = &*master {
            return Ok(master.socket.clone());
        }
        let mut attempt = 0;
        let started = loop {
            match Master::start(&self.login, self.common.socket()) {
                Ok(started) => break started,
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

    fn session(&self, socket: PathBuf, command: &str) -> Result<Started, openssh::Error> {
        let io = |e: std::io::Error| openssh::Error::ChildIo(e);
        let (their_input, input) = pipe().map_err(io)?;
        // Files go through it: a larger one is filled and emptied less often.
        let _ = fcntl(&input, FcntlArg::F_SETPIPE_SZ(PIPE));
        let (output, their_output) = pipe().map_err(io)?;
        let (errors, their_errors) = pipe().map_err(io)?;
        let session = Arc::new(Session::resume_mux(socket.into(), None));
        let spawned = self.common.runtime.block_on(async {
            session
                .arc_raw_command(command)
                .stdin(Stdio::from(their_input))
                .stdout(Stdio::from(their_output))
                .stderr(Stdio::from(their_errors))
                .spawn()
                .await
        });
        let process = Remote { child: Some(spawned?), common: self.common.clone() };
        Ok(Started {
            input: input.into(),
            output: output.into(),
            errors: errors.into(),
            process: Box::new(process),
        })
    }

    fn forget(&self) -> Option<Master> {
        self.master.lock().unwrap_or_else(|e| e.into_inner()).take()
    }
}

fn unreachable(message: String) -> Failure {
    Error::new(message).with_kind(ErrorKind::Unreachable).into()
}

impl Launcher for Ssh {
    fn start(&self, command: &str) -> Result<Started, Failure> {
        let socket = self.socket()?;
        match self.session(socket.clone(), command) {
            Ok(started) => Ok(started),
            // The master may have gone away since it was last used.
            Err(_) if !control::is_alive(&socket) => {
                drop(self.forget());
                let socket = self.socket()?;
                self.session(socket, command)
                    .map_err(|e| unreachable(format!("Failed to connect to the host via ssh: {e}")))
            }
            Err(e) => Err(unreachable(format!("Failed to connect to the host via ssh: {e}"))),
        }
    }

    fn unreachable(&self) -> Option<Failure> {
        let socket = {
            let master = self.master.lock().unwrap_or_else(|e| e.into_inner());
            master.as_ref().map(|master| master.socket.clone())?
        };
        // The sessions of a connection that breaks end a moment before the master does.
        let deadline = Instant::now() + Duration::from_millis(300);
        while control::is_alive(&socket) {
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
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

/// A program on the host.
struct Remote {
    child: Option<Child<Arc<Session>>>,
    common: Arc<Common>,
}

impl Process for Remote {
    fn wait(&mut self, patience: Duration) -> Option<i32> {
        let child = self.child.take()?;
        let ended =
            self.common.runtime.block_on(async { tokio::time::timeout(patience, child.wait()).await });
        match ended.ok()? {
            Ok(status) => status.code(),
            Err(openssh::Error::Remote(_)) => Some(127),
            Err(_) => None,
        }
    }
}
