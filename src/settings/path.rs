//! Paths as people write them: `~`, `$VARIABLE`, `{{CWD}}`.

use std::path::{Path, PathBuf};

use super::Surroundings;
use crate::document::absolute;

/// The path a text means; a relative one starts at `base`, or else in the current folder.
pub fn expand(surroundings: &Surroundings, text: &str, base: Option<&Path>) -> String {
    let directory = surroundings.directory.to_string_lossy();
    let text = text.trim().replace("{{CWD}}", &directory).replace("{{ CWD }}", &directory);
    let text = expand_variables(&text, |name| surroundings.variables.get(name).cloned());
    let path = expand_tilde(Path::new(&text), surroundings.variables.get("HOME").map(String::as_str));
    absolute(&base.unwrap_or(&surroundings.directory).join(path)).to_string_lossy().into_owned()
}

/// `~` and `~user` at the start of a path.
pub fn expand_home(path: &Path) -> PathBuf {
    expand_tilde(path, std::env::var("HOME").ok().as_deref())
}

fn expand_tilde(path: &Path, home: Option<&str>) -> PathBuf {
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let folder = match first.as_deref().and_then(|first| first.strip_prefix('~')) {
        Some("") => match home {
            Some(home) => Some(PathBuf::from(home)),
            None => nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.dir),
        },
        Some(name) => nix::unistd::User::from_name(name).ok().flatten().map(|user| user.dir),
        None => None,
    };
    match folder {
        Some(folder) => folder.join(parts.as_path()),
        None => path.to_owned(),
    }
}

/// `$NAME` and `${NAME}`; what is not set stays as it is.
fn expand_variables(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, length) = match rest[1..].strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (&braced[..end], end + 3),
                None => ("", 1),
            },
            None => {
                let end = rest[1..]
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len() - 1);
                (&rest[1..=end], end + 1)
            }
        };
        match variable(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_tildes_are_replaced() {
        let variables = [("HOME".to_owned(), "/h".to_owned()), ("A".to_owned(), "x".to_owned())].into();
        let surroundings = Surroundings { variables, directory: "/work".into() };
        let expand = |text| expand(&surroundings, text, Some(Path::new("/etc/app")));
        assert_eq!(expand("~/a"), "/h/a");
        assert_eq!(expand("$A/${A}y/$NO/${NO"), "/etc/app/x/xy/$NO/${NO");
        assert_eq!(expand("../b"), "/etc/b");
        assert_eq!(expand("{{CWD}}/c"), "/work/c");
        assert_eq!(expand("a$"), "/etc/app/a$");
        assert_eq!(expand_home(Path::new("~root")), Path::new("/root"));
    }
}
