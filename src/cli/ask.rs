//! Asks for passwords on the terminal without showing them.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::os::fd::AsFd;

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use playbook_api::Error;

/// Asks for a password. Without a terminal it reads a line of standard input.
pub(super) fn password(prompt: &str) -> Result<String, Error> {
    let failed = |e: std::io::Error| Error::io(&e, "cannot read a password");
    let Ok(mut terminal) = File::options().read(true).write(true).open("/dev/tty") else {
        if std::io::stdin().is_terminal() {
            return Err(Error::new("cannot read a password: there is no terminal"));
        }
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).map_err(failed)? == 0 {
            let what = prompt.trim_end().trim_end_matches(':');
            return Err(Error::new(format!("no answer to the prompt '{what}': standard input has ended"))
                .with_help("Give the password in a file, or run the command on a terminal."));
        }
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    };
    terminal.write_all(prompt.as_bytes()).map_err(failed)?;
    let before = tcgetattr(terminal.as_fd()).map_err(|e| failed(e.into()))?;
    let mut quiet = before.clone();
    quiet.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(terminal.as_fd(), SetArg::TCSAFLUSH, &quiet).map_err(|e| failed(e.into()))?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    let restored = tcsetattr(terminal.as_fd(), SetArg::TCSAFLUSH, &before);
    let _ = terminal.write_all(b"\n");
    read.map_err(failed)?;
    restored.map_err(|e| failed(e.into()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
