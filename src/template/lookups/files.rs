//! `file`, `unvault` and `fileglob`.

use std::path::{Path, PathBuf};

use playbook_api::{Error, ErrorKind, Map, Value};

use super::terms::flag;
use super::{Lookup, search};
use crate::paths;
use crate::template::Renderer;
use crate::template::filters::paths::{glob_files, split};

pub(super) const LOOKUPS: &[Lookup] =
    &[Lookup::new("file", file), Lookup::new("unvault", unvault), Lookup::new("fileglob", fileglob)];

/// Returns a file's bytes, decrypted if it is a vault, and whether it was one.
pub(super) fn read(renderer: &Renderer, path: &Path) -> Result<(Vec<u8>, bool), Error> {
    let bytes = paths::read(path).map_err(|e| {
        Error::io(&e, format!("an error occurred while trying to read the file '{}'", path.display()))
    })?;
    if !bytes.starts_with(b"$ANSIBLE_VAULT;") {
        return Ok((bytes, false));
    }
    let opened = renderer.environment.keyring.open(&String::from_utf8_lossy(&bytes));
    Ok((opened.map_err(|e| e.context(format!("cannot open the vault {}", path.display())))?, true))
}

/// Returns the bytes as text, which is secret if it comes from a vault.
fn as_text((bytes, secret): (Vec<u8>, bool), renderer: &Renderer) -> Value {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if secret {
        renderer.environment.context.redactor.register(&text);
    }
    if secret { Value::secret(text) } else { text.into() }
}

fn name(term: &Value) -> Result<&str, Error> {
    term.as_str().ok_or_else(|| {
        Error::new(format!(
            "a path must be text, not {} ({})",
            term.type_name(),
            playbook_api::python::repr(term)
        ))
    })
}

fn file(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let (lstrip, rstrip) = (flag("file", options, "lstrip", false)?, flag("file", options, "rstrip", true)?);
    let content = |term: &Value| {
        let name = name(term)?;
        let Some(path) = search::find(renderer, "files", name) else { return Err(missing(renderer, name)) };
        let read =
            read(renderer, &path).map_err(|e| e.context(format!("Unable to access the file '{name}'")))?;
        let value = as_text(read, renderer);
        let text = value.to_text();
        let stripped = if lstrip { text.trim_start() } else { &text };
        let stripped = if rstrip { stripped.trim_end() } else { stripped };
        Ok(if value.is_secret() { Value::secret(stripped) } else { stripped.into() })
    };
    terms.iter().map(content).collect()
}

fn missing(renderer: &Renderer, name: &str) -> Error {
    let places: Vec<String> = search::candidates(renderer, "files", name)
        .iter()
        .map(|candidate| candidate.display().to_string())
        .collect();
    Error::new(format!("Unable to access the file '{name}': File not found."))
        .with_kind(ErrorKind::NotFound)
        .with_help(format!("It was searched as {}.", places.join(", ")))
}

fn unvault(terms: &[Value], _: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let content = |term: &Value| {
        let name = name(term)?;
        let path = search::find(renderer, "files", name);
        let path = path.ok_or_else(|| {
            Error::new(format!("Unable to find file matching \"{name}\"")).with_kind(ErrorKind::NotFound)
        })?;
        Ok(as_text(read(renderer, &path)?, renderer))
    };
    terms.iter().map(content).collect()
}

/// Returns the matching files of the first directory that has any.
fn fileglob(terms: &[Value], _: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for term in terms {
        let pattern = name(term)?;
        let mut directories: Vec<PathBuf> = Vec::new();
        if pattern.contains('/') {
            let (directory, _) = split(pattern);
            directories.extend(search::candidates(renderer, "files", directory));
        } else {
            // A pattern without a directory is searched in the `files` directories first, then in the directories
            // themselves.
            for directory in search::candidates(renderer, "files", ".") {
                let (parent, is_kind) = (directory.clone(), directory.ends_with("files"));
                directories.push(parent);
                if !is_kind {
                    directories.push(directory.join("files"));
                }
            }
        }
        let last = split(pattern).1;
        for directory in directories.iter().filter(|directory| directory.is_dir()) {
            let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
            let escaped = glob::Pattern::escape(&directory.to_string_lossy());
            let files = glob_files(&format!("{}/{last}", escaped.trim_end_matches('/')));
            if !files.is_empty() {
                found.extend(files.into_iter().map(Value::from));
                break;
            }
        }
    }
    Ok(found)
}
