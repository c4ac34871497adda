//! Where the files that tasks name are found.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Error, ErrorKind};

use crate::paths;
use crate::playbook::{Frame, FrameKind};

/// The error for a document that is not there.
pub(super) fn missing(path: &Path) -> Error {
    let path = path.display();
    let message = format!(
        "Unable to retrieve file contents.\nCould not find or access '{path}' on the Ansible Controller."
    );
    Error::new(message).with_kind(ErrorKind::NotFound)
}

/// How a task names the file of the tasks that shall come in its place.
#[derive(Clone, Copy, Debug)]
pub struct TaskFileRef<'a> {
    pub name: &'a str,
    pub frame: &'a Arc<Frame>,
    /// The folder of the playbook that the play is in.
    pub playbook: &'a Path,
    pub handlers: bool,
}

impl TaskFileRef<'_> {
    /// The file: in the folders of the files that brought the task, in its role, in the playbook's folder. Where
    /// there is none, the likeliest path, for the error to name.
    pub fn path(&self) -> PathBuf {
        let name = paths::expand_home(self.name);
        let mut folders: Vec<PathBuf> = Vec::new();
        for around in self.frame.chain() {
            match &around.kind {
                FrameKind::Include { folder, .. } => folders.push(folder.clone()),
                FrameKind::Role(_) => break,
                _ => {}
            }
        }
        let mut likeliest = folders.first().cloned().unwrap_or_else(|| self.playbook.to_owned());
        if let Some(role) = self.frame.role() {
            let section = if self.handlers { "handlers" } else { "tasks" };
            likeliest = role.path.join(section);
            folders.extend([likeliest.clone(), role.path.join("tasks"), role.path.clone()]);
            folders.push(self.playbook.join(section));
        }
        folders.push(self.playbook.to_owned());
        let found = folders.iter().map(|f| paths::absolute(&f.join(&name))).find(|path| path.exists());
        found.unwrap_or_else(|| paths::absolute(&likeliest.join(&name)))
    }
}

/// The files of a role's folder that a name means: `main`, `main.yml`, …, or everything in the folder `main/`.
pub(super) fn role_files(folder: &Path, from: Option<&str>, whole_folders: bool) -> Vec<PathBuf> {
    const EXTENSIONS: [&str; 3] = [".yml", ".yaml", ".json"];
    let name = from.unwrap_or("main");
    let mut endings: Vec<&str> = EXTENSIONS.to_vec();
    if from.is_some() {
        endings.insert(0, "")
    } else {
        endings.push("")
    }
    for ending in endings {
        let path = paths::absolute(&folder.join(format!("{name}{ending}")));
        if path.is_dir() {
            if whole_folders {
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

fn collect(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
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
