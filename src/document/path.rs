//! Paths as documents, settings and templates write them: `~`, `$VARIABLE`, `..`.

use std::path::{Component, Path, PathBuf};

use nix::unistd::{User, getuid};

/// The path from the root, without `.` and `..`; links are left as they are.
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

/// `~` and `~user` at the start of a path.
pub fn expand_home(path: &Path) -> PathBuf {
    expand_home_with(path, std::env::var("HOME").ok().as_deref())
}

/// The same, with a home of one's own.
pub fn expand_home_with(path: &Path, mine: Option<&str>) -> PathBuf {
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    match first.as_deref().and_then(|first| first.strip_prefix('~')).and_then(|user| home(user, mine)) {
        Some(folder) => folder.join(parts.as_path()),
        None => path.to_owned(),
    }
}

/// A user's home; without a name that of `HOME`, or else of who runs this.
pub fn home(user: &str, mine: Option<&str>) -> Option<PathBuf> {
    match (user, mine) {
        ("", Some(home)) => Some(PathBuf::from(home)),
        ("", None) => User::from_uid(getuid()).ok().flatten().map(|user| user.dir),
        (name, _) => User::from_name(name).ok().flatten().map(|user| user.dir),
    }
}

/// `$NAME` and `${NAME}`; what is not set stays as it is.
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
