//! Paths as documents, settings and templates write them: `~`, `$VARIABLE`, `..`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{User, getuid};
use playbook_api::Error;

/// Returns the current directory.
pub fn here() -> PathBuf {
    absolute(Path::new("."))
}

/// Returns the absolute form of a path, without `.` and `..`. Symbolic links are not resolved.
pub fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

/// Expands `~` and `~user` at the start of a path. A path with an unknown user is returned as it is.
pub fn expand_home(path: impl AsRef<Path>) -> PathBuf {
    expand_home_with(path, std::env::var("HOME").ok().as_deref())
}

/// Expands `~` and `~user` at the start of a path, with `mine` as the home directory of the current user.
pub fn expand_home_with(path: impl AsRef<Path>, mine: Option<&str>) -> PathBuf {
    let path = path.as_ref();
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    match first.as_deref().and_then(|first| first.strip_prefix('~')).and_then(|user| home(user, mine)) {
        Some(directory) => directory.join(parts.as_path()),
        None => path.to_owned(),
    }
}

/// Returns a user's home directory. An empty name means the current user, whose home directory is `mine` or, where
/// that is missing, the one in the user database.
pub fn home(user: &str, mine: Option<&str>) -> Option<PathBuf> {
    match (user, mine) {
        ("", Some(home)) => Some(PathBuf::from(home)),
        ("", None) => User::from_uid(getuid()).ok().flatten().map(|user| user.dir),
        (name, _) => User::from_name(name).ok().flatten().map(|user| user.dir),
    }
}

/// Expands `$NAME` and `${NAME}`. A variable that is not set stays as it is written.
pub fn expand_variables(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, written, behind) = match braced {
            Some((name, behind)) => (name, format!("${{{name}}}"), behind),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], format!("${}", &after[..end]), &after[end..])
            }
        };
        out.push_str(&variable(name).filter(|_| !name.is_empty()).unwrap_or(written));
        rest = behind;
    }
    out + rest
}

/// The largest file that is read into memory, in bytes.
const LARGEST_FILE: u64 = 1 << 29;

/// How long a pipe or a device may be silent.
const LONGEST_SILENCE: u16 = 30_000;

/// Reads a whole file. A device or pipe that never ends, or that nothing comes out of, is an error.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    read_up_to(path, LARGEST_FILE)
}

fn read_up_to(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    // Opening a pipe must not wait for a writer.
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    let too_large = || std::io::Error::other(format!("it is larger than {} MiB", most >> 20));
    if metadata.is_file() {
        if metadata.len() > most {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let mut bytes = Vec::new();
    let mut part = vec![0; 1 << 16];
    loop {
        let mut waiting = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, PollTimeout::from(LONGEST_SILENCE)) {
            Ok(0) => return Err(std::io::Error::other("nothing came out of it for 30 seconds")),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        match file.read(&mut part) {
            Ok(0) => return Ok(bytes),
            Ok(length) => bytes.extend_from_slice(&part[..length]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        if bytes.len() as u64 > most {
            return Err(too_large());
        }
    }
}

/// The error for a file that cannot be read, with its path and the system's reason (without the number that Rust adds).
pub fn cannot_read(path: &Path, cause: std::io::Error) -> Error {
    let reason = cause.to_string();
    let reason = reason.split(" (os error").next().unwrap_or(&reason).to_owned();
    let kind = Error::io(&cause, "").kind();
    Error::new(format!("Could not read '{}': {reason}", path.display())).with_kind(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_devices_are_not_read_to_their_end() {
        let error = read_up_to(Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1 MiB");
        assert_eq!(read(Path::new("/dev/null")).unwrap(), b"");
    }

    #[test]
    fn a_pipe_with_a_writer_is_read_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let other = path.clone();
        let writer = std::thread::spawn(move || std::fs::write(other, "a: 1\n").unwrap());
        assert_eq!(read(&path).unwrap(), b"a: 1\n");
        writer.join().unwrap();
    }
}
