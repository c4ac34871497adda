//! Finds the files of lookups.

use std::path::{Path, PathBuf};

use playbook_api::Value;

use crate::template::Renderer;
use crate::template::filters::paths::{expanduser, normpath};

/// Returns the directories of the scope in which files are searched, nearest first. The run's directory is last.
pub fn directories(renderer: &Renderer) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = match renderer.scope.get("ansible_search_path") {
        Some(Ok(Value::List(paths))) => paths.iter().map(|path| PathBuf::from(&*path.to_text())).collect(),
        _ => ["role_path", "playbook_dir"]
            .iter()
            .filter_map(|name| renderer.scope.get(name)?.ok())
            .map(|path| PathBuf::from(&*path.to_text()))
            .collect(),
    };
    directories.push(base(renderer));
    directories
}

fn base(renderer: &Renderer) -> PathBuf {
    let base = &renderer.environment.options.base_dir;
    if base.as_os_str().is_empty() { PathBuf::from(".") } else { base.clone() }
}

/// Returns all paths where a file of that name may be. `kind` is the directory for such files in a role or beside a
/// playbook: `files`, `templates`, `vars`.
pub fn candidates(renderer: &Renderer, kind: &str, name: &str) -> Vec<PathBuf> {
    let name = expanduser(name);
    let clean = |path: PathBuf| PathBuf::from(normpath(&path.to_string_lossy()));
    if name.starts_with('/') {
        return vec![clean(PathBuf::from(name))];
    }
    let mut candidates = Vec::new();
    let has_kind = Path::new(&name).components().next().is_some_and(|first| first.as_os_str() == kind);
    for directory in directories(renderer) {
        if directory.ends_with("tasks")
            && let Some(role) = directory.parent()
        {
            candidates.push(clean(role.join(kind).join(&name)));
            candidates.push(clean(directory.join(&name)));
            continue;
        }
        if !has_kind && !kind.is_empty() {
            candidates.push(clean(directory.join(kind).join(&name)));
        }
        candidates.push(clean(directory.join(&name)));
    }
    let mut seen = std::collections::HashSet::new();
    candidates.retain(|candidate| seen.insert(candidate.clone()));
    candidates
}

/// Returns the first of these paths that exists.
pub fn find(renderer: &Renderer, kind: &str, name: &str) -> Option<PathBuf> {
    let found = candidates(renderer, kind, name).into_iter().find(|candidate| candidate.exists())?;
    Some(std::path::absolute(&found).unwrap_or(found))
}
