//! `playbook-remote`: the helper on a managed host. The controller puts it there and starts it.
//!
//! `playbook-remote serve HASH [once]` serves the channel on its standard input and output, after it has verified its own
//! file's checksum; `once` removes that file first. `verify HASH` only verifies. `answer HASH [once]` reads its standard
//! input to the end, does what it says, and then answers in one piece: for connections that run one command at a time.
//! `terminal COMMAND` runs a program that needs a terminal for a password.

use std::ffi::OsStr;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use playbook_api::Registry;
use playbook_host::job;
use playbook_remote::{READY, serve, terminal};
use sha2::{Digest, Sha256};

/// The age at which helpers of other versions are removed.
const OLD: Duration = Duration::from_secs(30 * 24 * 3600);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [job::ARGUMENT] => job::serve(registry()).map_err(|e| io::Error::other(e.to_string())),
        ["verify", hash] => verify(hash),
        ["serve", hash] => verify(hash).and_then(|()| begin(false)),
        ["serve", hash, "once"] => verify(hash).and_then(|()| begin(true)),
        ["answer", hash] => verify(hash).and_then(|()| answer(false)),
        ["answer", hash, "once"] => verify(hash).and_then(|()| answer(true)),
        ["terminal", "once", command] => {
            return ended(remove(&own()).and_then(|()| terminal::run(command)));
        }
        ["terminal", command] => return ended(terminal::run(command)),
        ["terminal-head", place, command] => return ended(terminal::head(place, command)),
        _ => {
            eprintln!("playbook-remote {} is started by playbook", env!("CARGO_PKG_VERSION"));
            return ExitCode::from(2);
        }
    };
    playbook_host::guard::dismiss();
    ended(done.map(|()| ExitCode::SUCCESS))
}

fn ended(done: io::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|e| {
        eprintln!("playbook-remote: {e}");
        ExitCode::FAILURE
    })
}

/// Verifies that this file has the checksum that the controller expects. A file that was verified gets a mark for later
/// runs: a part of the checksum, as the fraction of a second of its modification time. A change of the file removes it.
fn verify(hash: &str) -> io::Result<()> {
    let file = std::fs::File::open("/proc/self/exe");
    let mut file = file.or_else(|_| std::fs::File::open(std::env::current_exe()?))?;
    let mark = u32::from_str_radix(hash.get(..8).unwrap_or_default(), 16).unwrap_or_default() % 1_000_000_000;
    let changed = file.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    if changed.subsec_nanos() == mark {
        return Ok(());
    }
    let (mut sum, mut piece) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => sum.update(piece.get(..count).unwrap_or_default()),
        }
    }
    if hex::encode(sum.finalize()) != hash {
        return Err(io::Error::other("this file is damaged"));
    }
    // Where times are coarser, or may not be set, the next run computes the checksum again.
    let _ = file.set_modified(UNIX_EPOCH + Duration::new(changed.as_secs(), mark));
    Ok(())
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    registry
}

/// Serves the channel.
fn begin(once: bool) -> io::Result<()> {
    let (input, output) = channel(once)?;
    std::fs::File::from(output.try_clone()?).write_all(format!("\n{READY}\n").as_bytes())?;
    serve::serve(registry(), input, output).map_err(|e| io::Error::other(e.to_string()))
}

/// Does everything that the channel says, and answers as text, which a terminal does not change.
fn answer(once: bool) -> io::Result<()> {
    let (input, output) = channel(once)?;
    let kept = nix::sys::memfd::memfd_create("answer", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)?;
    let mut answers = std::fs::File::from(kept.try_clone()?);
    serve::answer(registry(), input, kept).map_err(|e| io::Error::other(e.to_string()))?;
    let mut bytes = Vec::new();
    answers.seek(io::SeekFrom::Start(0))?;
    answers.read_to_end(&mut bytes)?;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    std::fs::File::from(output).write_all(format!("\n{READY}\n{text}\n").as_bytes())
}

/// Takes the channel away from standard input and output, where programs that modules start would find it.
fn channel(once: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let me = own();
    if once {
        remove(&me)?;
    }
    let input: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let output: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
    let nothing = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&nothing)?;
    nix::unistd::dup2_stdout(&nothing)?;
    nix::unistd::dup2_stderr(&nothing)?;
    // The login user's directory, which this user may not enter.
    if std::fs::read_dir(".").is_err() {
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
        let _ = std::env::set_current_dir(home).or_else(|_| std::env::set_current_dir("/"));
    }
    playbook_host::guard::end_with_us()?;
    if !once {
        let _ = std::thread::Builder::new().spawn(move || remove_old(&me));
    }
    Ok((input, output))
}

/// Returns the path of this file.
fn own() -> PathBuf {
    std::env::current_exe().unwrap_or_default()
}

/// Removes this file, which runs on without its name.
fn remove(me: &Path) -> io::Result<()> {
    match std::fs::remove_file(me) {
        // Another helper of the same user was faster.
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // A directory that holds anything else stays.
    let _ = me.parent().map(std::fs::remove_dir);
    Ok(())
}

/// Removes old helpers of other versions.
fn remove_old(me: &Path) {
    let Some(entries) = me.parent().and_then(|directory| std::fs::read_dir(directory).ok()) else { return };
    let ours = |name: &OsStr| name.to_string_lossy().starts_with("playbook-remote-");
    for entry in entries.flatten().filter(|entry| ours(&entry.file_name()) && entry.path() != me) {
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > OLD) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
