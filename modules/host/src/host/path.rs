//! The paths in tasks, in which `~`, `~user` and `$VAR` are expanded on the host.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use playbook_api::{Context, Deserialize, JsonSchema};
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::host::accounts;
use crate::host::environment::variable;

/// A path argument.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(transparent)]
pub(crate) struct HostPath(pub String);

impl JsonSchema for HostPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HostPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "path" })
    }
}

impl HostPath {
    /// Returns the expanded path. A relative one is relative to the context's directory.
    pub(crate) fn resolve(&self, context: &Context) -> PathBuf {
        resolve(&self.0, context)
    }

    /// Returns whether its last character is a slash.
    pub(crate) fn ends_with_slash(&self) -> bool {
        self.0.ends_with('/')
    }
}

/// See [`HostPath::resolve`].
pub(crate) fn resolve(path: &str, context: &Context) -> PathBuf {
    let path = expand(path, context);
    match &context.directory {
        Some(directory) if !path.starts_with('/') => directory.join(path),
        _ => PathBuf::from(path),
    }
}

/// Expands `~`, `~user`, `$VAR` and `${VAR}`. Unknown names stay unchanged.
pub(crate) fn expand(text: &str, context: &Context) -> String {
    if !text.contains(['~', '$']) {
        return text.to_owned();
    }
    expand_home(&expand_variables(text, context), context)
}

fn expand_home(text: &str, context: &Context) -> String {
    let Some(rest) = text.strip_prefix('~') else { return text.to_owned() };
    let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if user.is_empty() { home(context) } else { home_of(user) };
    match home {
        Some(home) => format!("{}{rest}", home.trim_end_matches('/')),
        None => text.to_owned(),
    }
}

fn home(context: &Context) -> Option<String> {
    variable("HOME", context).or_else(|| {
        let user = accounts::user_of(nix::unistd::getuid())?;
        Some(user.dir.to_string_lossy().into_owned())
    })
}

fn home_of(user: &str) -> Option<String> {
    let user = accounts::user(user)?;
    Some(user.dir.to_string_lossy().into_owned())
}

fn expand_variables(text: &str, context: &Context) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let inner = &rest[1..];
        let (name, length) = match inner.strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (&braced[..end], end + 3),
                None => ("", 1),
            },
            None => {
                let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
                (&inner[..end], end + 1)
            }
        };
        match variable(name, context).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out + rest
}

/// Normalizes `/a/./b/../c` without the file system, as Python's `normpath` does.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            part => out.push(part),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_homes_expand() {
        let context = Context {
            environment: vec![("HOME".into(), "/home/me".into()), ("X_1".into(), "y".into())],
            ..Context::default()
        };
        let all = ["~/a", "~", "$X_1/b", "a${X_1}c", "$NOT_SET_AT_ALL/$", "${X_1", "~root/x", "a~"];
        let expanded: Vec<String> = all.iter().map(|p| expand(p, &context)).collect();
        assert_eq!(
            expanded,
            ["/home/me/a", "/home/me", "y/b", "ayc", "$NOT_SET_AT_ALL/$", "${X_1", "/root/x", "a~"]
        );
    }

    #[test]
    fn relative_paths_start_in_the_context_directory() {
        let context = Context { directory: Some("/srv".into()), ..Context::default() };
        assert_eq!(resolve("a", &context), Path::new("/srv/a"));
        assert_eq!(resolve("/a", &context), Path::new("/a"));
        assert_eq!(normalize(Path::new("/a/./b/../../../c")), Path::new("/c"));
    }
}
