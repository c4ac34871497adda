//! Starts programs at the other end of a connection, with pipes to their input, output and standard error.

use std::fs::File;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use playbook_api::Failure;
use playbook_api::time::deadline;

use super::pipe::{input_pipe, pipe, readable};

/// Starts programs at the other end of a connection.
pub(crate) trait Launcher: Send + Sync {
    /// Starts a command line in a shell.
    fn start(&self, command: &str) -> Result<Started, Failure>;

    /// Returns the reason why the host can no longer be reached, after a program's pipes were closed; `None` if it
    /// can.
    fn unreachable(&self) -> Option<Failure> {
        None
    }

    /// Returns the command line that ends the programs that this connection has started on the host, except the
    /// helpers, if they can be identified.
    fn sweeper(&self) -> Option<String> {
        None
    }

    /// Ends the connection. The next start makes a new one.
    fn close(&self) {}
}

/// A program that was started.
pub(crate) struct Started {
    /// Its standard input, which does not block; see [`write_all`](super::pipe::write_all).
    pub input: File,
    /// Its standard output.
    pub output: File,
    /// Its standard error.
    pub errors: File,
    /// The program itself.
    pub process: Box<dyn Process>,
}

/// A running program.
pub(crate) trait Process: Send {
    /// Waits until it has ended, at most for `timeout`. Returns the exit status, if it is known.
    fn wait(&mut self, timeout: Duration) -> Option<i32>;
}

/// Starts programs in a shell on the controller.
pub(crate) struct Shell;

impl Launcher for Shell {
    fn start(&self, command: &str) -> Result<Started, Failure> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", command]);
        start(&mut shell).map_err(|e| Failure::new(format!("cannot start /bin/sh: {e}")))
    }
}

/// Starts a program on the controller.
pub(crate) fn start(command: &mut Command) -> io::Result<Started> {
    use std::os::unix::process::CommandExt;
    let ((their_input, input), (output, their_output), (errors, their_errors)) =
        (input_pipe()?, pipe()?, pipe()?);
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

/// A program on the controller.
struct Here(Child);

impl Process for Here {
    fn wait(&mut self, timeout: Duration) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let deadline = deadline(timeout);
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

/// Runs a program on the controller. Returns its exit status and output.
///
/// # Errors
///
/// Fails if the program cannot be started, and with `TimedOut` if it takes longer than `timeout`.
pub(crate) fn output(mut command: Command, timeout: Duration) -> io::Result<(i32, String, String)> {
    let Started { output, errors, mut process, .. } = start(&mut command)?;
    // It holds the program's ends of the pipes.
    drop(command);
    let until = deadline(timeout);
    let mut texts = [Vec::new(), Vec::new()];
    let mut open = [true, true];
    let (mut files, mut piece) = ([output, errors], [0; 4096]);
    while open.contains(&true) {
        if Instant::now() > until {
            let message = format!("no response within {} seconds", timeout.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        for ((file, text), open) in files.iter_mut().zip(&mut texts).zip(&mut open) {
            if *open && readable(file, Duration::from_millis(5))? {
                let count = file.read(&mut piece)?;
                *open = count > 0;
                text.extend_from_slice(piece.get(..count).unwrap_or_default());
            }
        }
    }
    let status = process.wait(until.saturating_duration_since(Instant::now())).unwrap_or(-1);
    let [output, errors] = texts.map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok((status, output, errors))
}
