//! Finds and reads the files that templates include, import and extend.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Error, Place};

use super::Renderer;
use super::lazy::force_deep;
use crate::jinja::{Syntax, Template};

/// Returns the directories in which templates are searched: for each directory of `ansible_search_path`, its
/// `templates/` and itself, and finally the base directory. A caller that renders a file puts the file's directory
/// first in that variable.
pub(super) fn search_path(renderer: &Renderer) -> Vec<PathBuf> {
    let named = renderer.scope.get("ansible_search_path").and_then(Result::ok);
    let named = named.and_then(|value| force_deep(&value).ok()).unwrap_or_default();
    let named = named.as_list().unwrap_or_default().iter().filter_map(|directory| directory.as_str());
    let base = &renderer.environment.options.base_dir;
    let mut directories: Vec<PathBuf> = Vec::new();
    for directory in named.map(PathBuf::from).chain([base.clone()]) {
        for directory in [directory.join("templates"), directory] {
            if !directories.contains(&directory) {
                directories.push(directory);
            }
        }
    }
    directories
}

/// Finds the file of a name.
pub(super) fn find(renderer: &Renderer, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.is_file().then(|| path.to_owned());
    }
    search_path(renderer).into_iter().map(|directory| directory.join(path)).find(|path| path.is_file())
}

/// Reads a template file. It has the delimiters of the template that requests it, and, like every file, reads
/// backslashes as Python does.
pub(super) fn read(path: &Path, syntax: &Arc<Syntax>) -> Result<Template, Error> {
    let file = path.display().to_string();
    let text = crate::paths::read(path)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8 text")))
        .map_err(|e| Error::io(&e, format!("cannot read {file}")))?;
    let syntax = Syntax { escape_backslashes: false, ..(**syntax).clone() };
    Ok(Template::with_syntax(text, Place::new(file, 1, 1), syntax))
}
