//! Servers that live no longer than the command that started them.
//!
//! A child is stopped when its guard is dropped, when the command is interrupted, and, on Linux, by the kernel when
//! the command is killed outright.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::{Doing, Result};

/// The running children, groups of them as negative numbers, and the folders to remove after them.
static ALIVE: Mutex<Vec<libc::pid_t>> = Mutex::new(Vec::new());
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A started program; dropping it stops it.
pub struct Server {
    child: Child,
    name: &'static str,
    signal: i32,
}

impl Server {
    /// Starts `command`; `signal` is how it wants to be told to stop.
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
        ALIVE.lock().unwrap().push(child.id() as libc::pid_t);
        Ok(Server { child, name, signal })
    }

    /// The process that was started.
    pub fn id(&self) -> libc::pid_t {
        self.child.id() as libc::pid_t
    }

    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().doing(self.name)?.is_none())
    }

    /// Waits until something listens on `port`, or the program has ended, or half a minute has gone.
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().doing(self.name)? {
                return Err(format!("{} ended before it listened ({status})", self.name));
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not listen on port {port} after 30 seconds", self.name));
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
        ALIVE.lock().unwrap().retain(|other| *other != id);
    }
}

/// Signals a process, or with a negative number a group.
fn stop(id: libc::pid_t, signal: i32) {
    // SAFETY: a plain system call on a process that this one started and has not yet waited for.
    unsafe {
        libc::kill(id, signal);
    }
}

/// A program that runs to its end, in a group of its own with all that it starts.
pub struct Group {
    child: Child,
}

impl Group {
    pub fn start(command: &mut Command) -> Result<Group> {
        let child = command.process_group(0).spawn().doing("starting a program")?;
        ALIVE.lock().unwrap().push(-(child.id() as libc::pid_t));
        Ok(Group { child })
    }

    /// The exit status, or `None` when the time was up.
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

    /// The first of its processes.
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
        ALIVE.lock().unwrap().retain(|other| *other != group);
    }
}

/// A folder that is removed with the guard, or when the command is interrupted.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(path: PathBuf) -> Folder {
        FOLDERS.lock().unwrap().push(path.clone());
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        FOLDERS.lock().unwrap().retain(|other| *other != self.0);
    }
}

/// On Ctrl-C, or when told to end: stop what was started, clean up, and go.
pub fn stop_all_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        eprintln!("\ninterrupted: stopping what was started");
        let alive = ALIVE.lock().unwrap().clone();
        for id in &alive {
            stop(*id, libc::SIGINT);
        }
        std::thread::sleep(Duration::from_millis(500));
        for id in &alive {
            stop(*id, libc::SIGKILL);
        }
        for folder in FOLDERS.lock().unwrap().iter() {
            let _ = std::fs::remove_dir_all(folder);
        }
        std::process::exit(130);
    })
    .doing("listening for Ctrl-C")
}

/// A port that nothing listens on.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).doing("finding a free port")?;
    Ok(listener.local_addr().doing("finding a free port")?.port())
}

/// Runs a program to its end; its output only shows when it fails.
pub fn run(what: &str, command: &mut Command) -> Result<String> {
    let output = command.output().doing(what)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed ({}):\n{}{}", output.status, text, error.trim_end()))
}
