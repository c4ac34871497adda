//! Finds the files that tasks name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Error, ErrorKind};

use crate::paths;
use crate::playbook::{Frame, FrameKind};

/// Returns the error for a document that does not exist.
pub(super) fn missing(path: &Path) -> Error {
    let path = path.display();
    let message = format!(
        "Unable to retrieve file contents.\nCould not find or access '{path}' on the Ansible Controller."
    );
    Error::new(message).with_kind(ErrorKind::NotFound)
}

/// The reference to a task file in a task that imports or includes it.
#[derive(Clone, Copy, Debug)]
pub struct TaskFileRef<'a> {
    /// The name of the file, as the task gives it.
    pub name: &'a str,
    /// The frame of the task.
    pub frame: &'a Arc<Frame>,
    /// The directory of the playbook that the play is in.
    pub playbook: &'a Path,
    /// Whether the file contains handlers.
    pub handlers: bool,
}

impl TaskFileRef<'_> {
    /// Returns the file: it is searched in the directories of the including files, in the role, and in the playbook's
    /// directory. If there is none, returns the likeliest path, for the error to name.
    pub fn path(&self) -> PathBuf {
        let name = paths::expand_home(self.name);
        let mut directories: Vec<PathBuf> = Vec::new();
        for around in self.frame.chain() {
            match &around.kind {
                FrameKind::Include { directory, .. } => directories.push(directory.clone()),
                FrameKind::Role(_) => break,
                _ => {}
            }
        }
        let mut likeliest = directories.first().cloned().unwrap_or_else(|| self.playbook.to_owned());
        if let Some(role) = self.frame.role() {
            let section = if self.handlers { "handlers" } else { "tasks" };
            likeliest = role.path.join(section);
            directories.extend([likeliest.clone(), role.path.join("tasks"), role.path.clone()]);
            directories.push(self.playbook.join(section));
        }
        directories.push(self.playbook.to_owned());
        let found = directories.iter().map(|f| paths::absolute(&f.join(&name))).find(|path| path.exists());
        found.unwrap_or_else(|| paths::absolute(&likeliest.join(&name)))
    }
}

/// Returns the files of a role's directory for a name: `main`, `main.yml`, …, or all files in the directory `main/`.
pub(super) fn role_files(directory: &Path, from: Option<&str>, whole_directories: bool) -> Vec<PathBuf> {
    const EXTENSIONS: [&str; 3] = [".yml", ".yaml", ".json"];
    let name = from.unwrap_or("main");
    let mut endings: Vec<&str> = EXTENSIONS.to_vec();
    if from.is_some() {
        endings.insert(0, "")
    } else {
        endings.push("")
    }
    for ending in endings {
        let path = paths::absolute(&directory.join(format!("{name}{ending}")));
        if path.is_dir() {
            if whole_directories {
                let mut found = Vec::new();
                collect(&path, &EXTENSIONS, &mut found);
                return found;
            }
        } else if path.exists() {
            return vec![path];
        }
    }
    Vec::new()
}

fn collect(directory: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
        match extension {
            None if path.is_dir() => collect(&path, extensions, found),
            Some(extension) if !extensions.contains(&&*extension) => {}
            _ if path.is_file() => found.push(path),
            _ => {}
        }
    }
}
