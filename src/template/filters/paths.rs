//! Filters of paths.

use std::path::{Path, PathBuf};

use playbook_api::{Error, Value};

use super::arguments::{given, text, tuple};
use crate::template::{Call, Function};
use crate::{paths, settings};

pub(crate) const FILTERS: &[Function] = &[
    Function::new("basename", basename_filter),
    Function::new("dirname", dirname_filter),
    Function::new("expanduser", expanduser_filter),
    Function::new("expandvars", expandvars_filter),
    Function::new("realpath", realpath_filter),
    Function::new("relpath", relpath),
    Function::new("normpath", normpath_filter),
    Function::new("splitext", splitext),
    Function::new("path_join", path_join),
    Function::new("commonpath", commonpath),
    Function::new("fileglob", fileglob),
    Function::new("win_basename", win_basename),
    Function::new("win_dirname", win_dirname),
    Function::new("win_splitdrive", win_splitdrive),
];

/// Returns the input of a filter as a path.
pub(crate) fn path(value: &Value) -> Result<String, Error> {
    match value {
        Value::Str(text) => Ok(text.to_string()),
        Value::Bytes(_) => Ok(value.to_text().into_owned()),
        other => {
            Err(Error::new(format!("expected str, bytes or os.PathLike object, not {}", other.type_name())))
        }
    }
}

fn plain(call: &mut Call, convert: impl Fn(&str) -> String) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(convert(&path(&call.input)?).into())
}

fn basename_filter(call: &mut Call) -> Result<Value, Error> {
    plain(call, |path| split(path).1.to_owned())
}

fn dirname_filter(call: &mut Call) -> Result<Value, Error> {
    plain(call, |path| split(path).0.to_owned())
}

/// Splits a path into its directory, without trailing slashes, and its last part.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let (head, tail) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

/// Expands `~` and `~user` at the start.
pub(crate) fn expanduser(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mine = settings::variable("HOME");
    let home = paths::home(user, mine.as_deref()).map(|home| home.to_string_lossy().into_owned());
    match home {
        Some(home) => {
            let full = format!("{}{rest}", home.trim_end_matches('/'));
            if full.is_empty() { "/".into() } else { full }
        }
        None => path.to_owned(),
    }
}

fn expanduser_filter(call: &mut Call) -> Result<Value, Error> {
    plain(call, expanduser)
}

/// Expands `$NAME` and `${NAME}` from the environment. Unknown names stay unchanged.
pub(crate) fn expandvars(text: &str) -> String {
    paths::expand_variables(text, settings::variable)
}

fn expandvars_filter(call: &mut Call) -> Result<Value, Error> {
    plain(call, expandvars)
}

fn absolute(path: &str) -> String {
    let path = Path::new(path);
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    normpath(&absolute.to_string_lossy())
}

/// Resolves links as far as the path exists.
pub(crate) fn realpath(path: &str) -> String {
    let absolute = PathBuf::from(absolute(path));
    let mut missing: Vec<&std::ffi::OsStr> = Vec::new();
    let mut existing: &Path = &absolute;
    loop {
        if let Ok(found) = existing.canonicalize() {
            let full = missing.iter().rev().fold(found, |path, part| path.join(part));
            return full.to_string_lossy().into_owned();
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = parent;
            }
            _ => return absolute.to_string_lossy().into_owned(),
        }
    }
}

fn realpath_filter(call: &mut Call) -> Result<Value, Error> {
    plain(call, realpath)
}

fn relpath(call: &mut Call) -> Result<Value, Error> {
    let [start] = call.bind(["start"], 0)?;
    let path = path(&call.input)?;
    if path.is_empty() {
        return Err(Error::new("no path specified"));
    }
    let (path, start) = (absolute(&path), absolute(&text(&given(start), ".")));
    let parts = |path: &str| path.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut relative = vec!["..".to_owned(); start.len() - common];
    relative.extend_from_slice(&path[common..]);
    Ok(if relative.is_empty() { ".".into() } else { relative.join("/").into() })
}

/// Python's `normpath`.
pub(crate) fn normpath(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    let slashes = path.len() - path.trim_start_matches('/').len();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    let normal = format!("{root}{}", parts.join("/"));
    if normal.is_empty() { ".".into() } else { normal }
}

fn normpath_filter(call: &mut Call) -> Result<Value, Error> {
    plain(call, normpath)
}

fn splitext(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let path = path(&call.input)?;
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let leading = path[name..].len() - path[name..].trim_start_matches('.').len();
    let dot = path[name + leading..].rfind('.').map(|dot| dot + name + leading);
    let (root, extension) = path.split_at(dot.unwrap_or(path.len()));
    Ok(tuple(vec![root.into(), extension.into()]))
}

/// Python's `os.path.join`.
pub(crate) fn join(parts: &[String]) -> String {
    let mut joined = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at == 0 || part.starts_with('/') {
            joined = part.clone();
        } else {
            if !joined.is_empty() && !joined.ends_with('/') {
                joined.push('/');
            }
            joined.push_str(part);
        }
    }
    joined
}

fn path_join(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    match &call.input {
        Value::Str(text) => Ok(text.as_str().into()),
        Value::List(parts) | Value::Tuple(parts) => {
            let parts = parts.iter().map(path).collect::<Result<Vec<_>, _>>()?;
            Ok(join(&parts).into())
        }
        other => Err(Error::new(format!(
            "|path_join expects string or sequence, got <class '{}'> instead.",
            other.type_name()
        ))),
    }
}

fn commonpath(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let Some(paths) = call.input.as_list() else {
        return Err(Error::new(format!(
            "|commonpath expects sequence, got <class '{}'> instead.",
            call.input.type_name()
        )));
    };
    let paths = paths.iter().map(path).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = paths.first() else { return Err(Error::new("commonpath() arg is an empty sequence")) };
    let rooted = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != rooted) {
        return Err(Error::new("Can't mix absolute and relative paths"));
    }
    let parts = |path: &str| {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect::<Vec<_>>()
    };
    let mut common = parts(first);
    for path in &paths {
        let same = common.iter().zip(parts(path)).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    Ok(format!("{}{}", if rooted { "/" } else { "" }, common.join("/")).into())
}

/// Returns the files (not the directories) that match a shell pattern.
pub(crate) fn glob_files(pattern: &str) -> Vec<String> {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    let found = glob::glob_with(pattern, options).into_iter().flatten().filter_map(Result::ok);
    found.filter(|path| path.is_file()).map(|path| path.to_string_lossy().into_owned()).collect()
}

fn fileglob(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(glob_files(&path(&call.input)?).into())
}

/// Splits a Windows path into its drive or share and the rest.
fn split_drive(path: &str) -> (&str, &str) {
    let is_separator = |c: char| c == '\\' || c == '/';
    let mut characters = path.chars();
    match (characters.next(), characters.next()) {
        (Some(a), Some(b)) if is_separator(a) && is_separator(b) => {
            let mut separators =
                path.char_indices().skip(2).filter(|(_, c)| is_separator(*c)).map(|(at, _)| at);
            let server = separators.next();
            match (server, separators.next()) {
                (Some(_), Some(share)) => path.split_at(share),
                _ => (path, ""),
            }
        }
        (Some(_), Some(':')) => path.split_at(path.find(':').map_or(0, |colon| colon + 1)),
        _ => ("", path),
    }
}

fn win_split(path: &str) -> (String, String) {
    let (drive, rest) = split_drive(path);
    let (head, tail) = rest.split_at(rest.rfind(['\\', '/']).map_or(0, |separator| separator + 1));
    let trimmed = head.trim_end_matches(['\\', '/']);
    let head = if trimmed.is_empty() { head } else { trimmed };
    (format!("{drive}{head}"), tail.to_owned())
}

fn win_basename(call: &mut Call) -> Result<Value, Error> {
    plain(call, |path| win_split(path).1)
}

fn win_dirname(call: &mut Call) -> Result<Value, Error> {
    plain(call, |path| win_split(path).0)
}

fn win_splitdrive(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let path = path(&call.input)?;
    let (drive, rest) = split_drive(&path);
    Ok(tuple(vec![drive.into(), rest.into()]))
}
