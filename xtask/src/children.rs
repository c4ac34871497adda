//! Child processes that end with the command that started them.
//!
//! A child is stopped when its guard is dropped and when the command is interrupted. On Linux the kernel also stops it
//! when the command is killed.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::{Doing, Result, lock};

/// The running children; process groups are negative numbers.
static ALIVE: Mutex<Vec<libc::pid_t>> = Mutex::new(Vec::new());
/// The directories to remove when the command ends.
static DIRECTORIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A started program; dropping it stops it.
pub struct Server {
    child: Child,
    name: &'static str,
    signal: i32,
}

impl Server {
    /// Starts `command`; `signal` is the signal that stops it.
    pub fn start(name: &'static str, command: &mut Command, signal: i32) -> Result<Server> {
        #[cfg(target_os = "linux")]
        {
            // SAFETY: prctl is async-signal-safe and touches nothing but the child itself.
            unsafe {
                command.pre_exec(move || {
                    libc::prctl(libc::PR_SET_PDEATHSIG, signal);
                    Ok(())
                });
            }
        }
        let child = command.spawn().doing(format!("starting {name}"))?;
        lock(&ALIVE).push(child.id() as libc::pid_t);
        Ok(Server { child, name, signal })
    }

    /// Returns the process id.
    pub fn id(&self) -> libc::pid_t {
        self.child.id() as libc::pid_t
    }

    /// Returns whether the program still runs.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().doing(self.name)?.is_none())
    }

    /// Waits up to two minutes until a program listens on `port`.
    ///
    /// # Errors
    ///
    /// The server ended, or nothing listens after two minutes.
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().doing(self.name)? {
                return Err(format!("{} ended before it listened on port {port} ({status})", self.name));
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not listen on port {port} after two minutes", self.name));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.child.id() as libc::pid_t;
        stop(id, self.signal);
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        lock(&ALIVE).retain(|other| *other != id);
    }
}

/// Sends a signal to a process, or to a process group if the number is negative.
fn stop(id: libc::pid_t, signal: i32) {
    // SAFETY: kill accesses no memory; the process was started here and has not been waited for.
    unsafe {
        libc::kill(id, signal);
    }
}

/// A program in its own process group; dropping it kills the whole group.
pub struct Group {
    child: Child,
}

impl Group {
    /// Starts a program in a new process group.
    pub fn start(command: &mut Command) -> Result<Group> {
        let child = command.process_group(0).spawn().doing("starting a program")?;
        lock(&ALIVE).push(-(child.id() as libc::pid_t));
        Ok(Group { child })
    }

    /// Waits for the program and returns its exit status: -1 if a signal ended it, `None` after the timeout.
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<i32>> {
        let deadline = Instant::now() + timeout;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().doing("waiting for a program")? {
                return Ok(Some(status.code().unwrap_or(-1)));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(None)
    }

    /// Returns the id of the group's first process.
    pub fn id(&self) -> libc::pid_t {
        self.child.id() as libc::pid_t
    }

    /// Sends a signal to every process of the group.
    pub fn signal(&self, signal: i32) {
        stop(-(self.child.id() as libc::pid_t), signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = -(self.child.id() as libc::pid_t);
        stop(group, libc::SIGKILL);
        let _ = self.child.wait();
        lock(&ALIVE).retain(|other| *other != group);
    }
}

/// A directory that is removed with the guard, or when the command is interrupted.
pub struct Directory(
    /// Its path.
    pub PathBuf,
);

impl Directory {
    /// Registers a directory for removal; it does not have to exist yet.
    pub fn new(path: PathBuf) -> Directory {
        lock(&DIRECTORIES).push(path.clone());
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        lock(&DIRECTORIES).retain(|other| *other != self.0);
    }
}

/// Installs the handler for SIGINT and SIGTERM: it stops all children, removes the directories, and exits with status
/// 130.
pub fn stop_all_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        eprintln!("\ninterrupted: stopping the servers");
        let alive = lock(&ALIVE).clone();
        for id in &alive {
            stop(*id, libc::SIGINT);
        }
        std::thread::sleep(Duration::from_millis(500));
        for id in &alive {
            stop(*id, libc::SIGKILL);
        }
        for directory in lock(&DIRECTORIES).iter() {
            let _ = std::fs::remove_dir_all(directory);
        }
        std::process::exit(130);
    })
    .doing("listening for Ctrl-C")
}

/// Returns a port that no program listens on.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).doing("finding a free port")?;
    Ok(listener.local_addr().doing("finding a free port")?.port())
}

/// Runs a program and returns its standard output.
///
/// # Errors
///
/// A failure of the program includes its output.
pub fn run(what: &str, command: &mut Command) -> Result<String> {
    let output = command.output().doing(what)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed ({}):\n{}{}", output.status, text, error.trim_end()))
}
