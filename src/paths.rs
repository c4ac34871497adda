//! Paths as documents, settings and templates write them: `~`, `$VARIABLE`, `..`.

use std::path::{Component, Path, PathBuf};

use nix::unistd::{User, getuid};
use playbook_api::Error;

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

/// The error for a file that cannot be read, with its path and the system's reason (without the number that Rust adds).
pub fn cannot_read(path: &Path, cause: std::io::Error) -> Error {
    let reason = cause.to_string();
    let reason = reason.split(" (os error").next().unwrap_or(&reason).to_owned();
    let kind = Error::from(cause).kind();
    Error::new(format!("Could not read '{}': {reason}", path.display())).with_kind(kind)
}
