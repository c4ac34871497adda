//! A terminal for programs that take a password from nothing else, such as doas. Their standard input and output stay the
//! channel.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The line that asks the controller for the password.
pub const ASKS: &str = "PLAYBOOK-ASKS";

/// Runs a shell's command line at a terminal, and answers its question there with the first line of standard input.
pub fn run(command: &str) -> io::Result<ExitCode> {
    io::stdout().write_all(format!("\n{ASKS}\n").as_bytes())?;
    io::stdout().flush()?;
    let password = line()?;
    let pty = nix::pty::openpty(None, None)?;
    let place = nix::unistd::ttyname(&pty.slave)?;
    let mut child = Command::new("/proc/self/exe")
        .args([std::ffi::OsStr::new("terminal-head"), place.as_os_str(), command.as_ref()])
        .spawn()?;
    let mut master = File::from(pty.master);
    let (mut said, mut answered) = (Vec::new(), false);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)));
        }
        // After the password was given, only the end is waited for.
        if !readable(&master, Duration::from_millis(if answered { 500 } else { 50 }))? {
            continue;
        }
        let mut piece = [0; 1024];
        let count = master.read(&mut piece)?;
        said.extend_from_slice(piece.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&said).trim_end().to_lowercase();
        if text.ends_with(':') && text.contains("password") {
            if answered {
                eprintln!("Authentication failed");
                child.kill()?;
            } else {
                master.write_all(&[password.as_slice(), b"\n"].concat())?;
                answered = true;
            }
            said.clear();
        }
    }
}

/// Runs the command line as the leader of the terminal's session: a session leader that opens a terminal gets it.
pub fn head(place: &str, command: &str) -> io::Result<ExitCode> {
    nix::unistd::setsid()?;
    let _terminal = std::fs::OpenOptions::new().read(true).write(true).open(place)?;
    let status = Command::new("/bin/sh").args(["-c", command]).status()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Reads a line of standard input, and not a byte more.
fn line() -> io::Result<Vec<u8>> {
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (mut line, mut byte) = (Vec::new(), [0]);
    while input.read(&mut byte)? == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    Ok(line)
}

fn readable(file: &File, patience: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO)) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(e) => Err(e.into()),
    }
}
