//! How a program is started where a connection leads, with pipes to all three of its ends.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use playbook_api::Failure;

/// Starts programs where a connection leads.
pub trait Launcher: Send + Sync {
    /// Starts a command line in a shell.
    fn start(&self, command: &str) -> Result<Started, Failure>;

    /// Why the host cannot be reached any more, asked after a program's pipes were cut; nothing where it can.
    fn unreachable(&self) -> Option<Failure> {
        None
    }

    /// The line that ends on the host whatever this connection has started there and is no helper, where that can be
    /// told.
    fn sweeper(&self) -> Option<String> {
        None
    }

    /// Ends the connection; the next start makes a new one.
    fn close(&self) {}
}

/// A program that was started.
pub struct Started {
    pub input: File,
    pub output: File,
    pub errors: File,
    pub process: Box<dyn Process>,
}

/// A running program.
pub trait Process: Send {
    /// Waits for its end, for so long; its exit code, where one is known.
    fn wait(&mut self, patience: Duration) -> Option<i32>;
}

/// A shell on the controller.
pub struct Shell;

impl Launcher for Shell {
    fn start(&self, command: &str) -> Result<Started, Failure> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", command]);
        start(&mut shell).map_err(|e| Failure::new(format!("cannot start /bin/sh: {e}")))
    }
}

/// Starts a program here.
pub fn start(command: &mut Command) -> io::Result<Started> {
    use std::os::unix::process::CommandExt;
    let ((their_input, input), (output, their_output), (errors, their_errors)) = (pipe()?, pipe()?, pipe()?);
    let child = command
        .stdin(Stdio::from(their_input))
        .stdout(Stdio::from(their_output))
        .stderr(Stdio::from(their_errors))
        // Ctrl-C lets running tasks finish.
        .process_group(0)
        .spawn();
    Ok(Started {
        process: Box::new(Here(child?)),
        input: input.into(),
        output: output.into(),
        errors: errors.into(),
    })
}

/// The end to read from, and the one to write to.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

struct Here(Child);

impl Process for Here {
    fn wait(&mut self, patience: Duration) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let deadline = Instant::now() + patience;
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return status.code().or(status.signal().map(|signal| 128 + signal)),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
                _ => return None,
            }
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        if self.wait(Duration::from_secs(2)).is_none() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
