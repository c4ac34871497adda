//! `playbook-remote`: the helper on a remote host. The controller puts it there and starts it.
//!
//! `playbook-remote serve HASH [once]` serves the channel on its standard input and output, after it has made sure
//! that it is the file the controller means; `once` removes that file first. `playbook-remote verify HASH` only
//! says so.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use playbook_api::Registry;
use playbook_host::job;
use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [job::ARGUMENT] => job::serve(registry()).map_err(|e| io::Error::other(e.to_string())),
        ["verify", hash] => verify(hash),
        ["serve", hash] => verify(hash).and_then(|()| serve()),
        ["serve", hash, "once"] => {
            verify(hash).and_then(|()| std::fs::remove_file(std::env::current_exe()?)).and_then(|()| serve())
        }
        _ => {
            eprintln!("playbook-remote {} is started by playbook", env!("CARGO_PKG_VERSION"));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("playbook-remote: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether this file is the one that is meant.
fn verify(hash: &str) -> io::Result<()> {
    let mut file =
        std::fs::File::open("/proc/self/exe").or_else(|_| std::fs::File::open(std::env::current_exe()?))?;
    let (mut sum, mut piece) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => sum.update(&piece[..count]),
        }
    }
    if hex::encode(sum.finalize()) == hash { Ok(()) } else { Err(io::Error::other("this file is damaged")) }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    registry
}

/// Takes the channel away from standard input and output, where programs that modules start would find it.
fn serve() -> io::Result<()> {
    let input: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let output: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
    std::fs::File::from(output.try_clone()?).write_all(format!("{}\n", playbook_remote::READY).as_bytes())?;
    let nothing = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&nothing)?;
    nix::unistd::dup2_stdout(&nothing)?;
    nix::unistd::dup2_stderr(&nothing)?;
    // A login whose folder this user may not enter.
    if std::fs::read_dir(".").is_err() {
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
        let _ = std::env::set_current_dir(home).or_else(|_| std::env::set_current_dir("/"));
    }
    playbook_remote::serve::serve(registry(), input, output).map_err(|e| io::Error::other(e.to_string()))
}
