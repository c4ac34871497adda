//! Finds the files of modules and plugins beside playbooks, in roles and in configured directories. Each directory is
//! listed once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use playbook_api::sync::lock;

use crate::settings::Settings;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A module, in any language.
    Module,
    /// An action plugin.
    Action,
    /// Filters.
    Filter,
    /// Tests.
    Test,
    /// A lookup plugin.
    Lookup,
    /// A callback plugin.
    Callback,
    /// An inventory plugin.
    Inventory,
    /// A connection plugin.
    Connection,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Module,
        Kind::Action,
        Kind::Filter,
        Kind::Test,
        Kind::Lookup,
        Kind::Callback,
        Kind::Inventory,
        Kind::Connection,
    ];

    /// Returns the name of the directory beside a playbook and in a role.
    pub fn directory(self) -> &'static str {
        match self {
            Kind::Module => "library",
            Kind::Action => "action_plugins",
            Kind::Filter => "filter_plugins",
            Kind::Test => "test_plugins",
            Kind::Lookup => "lookup_plugins",
            Kind::Callback => "callback_plugins",
            Kind::Inventory => "inventory_plugins",
            Kind::Connection => "connection_plugins",
        }
    }

    /// Returns the name of the directory in a collection's `plugins`, which is also ansible-core's name of
    /// the kind.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Module => "modules",
            Kind::Action => "action",
            Kind::Filter => "filter",
            Kind::Test => "test",
            Kind::Lookup => "lookup",
            Kind::Callback => "callback",
            Kind::Inventory => "inventory",
            Kind::Connection => "connection",
        }
    }

    fn configured(self, settings: &Settings) -> &[PathBuf] {
        match self {
            Kind::Module => &settings.library,
            Kind::Action => &settings.action_plugins,
            Kind::Filter => &settings.filter_plugins,
            Kind::Test => &settings.test_plugins,
            Kind::Lookup => &settings.lookup_plugins,
            Kind::Callback => &settings.callback_plugins,
            Kind::Inventory => &settings.inventory_plugins,
            Kind::Connection => &settings.connection_plugins,
        }
    }

    /// Whether a file can be one. Modules may be in any language, with any extension but the `ignored` ones.
    fn accepts(self, path: &Path, ignored: &[String]) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match self {
            _ if name.starts_with("__init__") || name.starts_with('.') => false,
            Kind::Module => !ignored.iter().any(|extension| name.ends_with(extension.as_str())),
            _ => path.extension().is_some_and(|extension| extension == "py"),
        }
    }
}

/// Files by kind and name.
type Index = HashMap<Kind, HashMap<String, Arc<Path>>>;

/// The files that were found.
#[derive(Debug, Default)]
pub(super) struct Directories {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Directories of playbooks and roles, in the order in which they were added.
    added: Vec<PathBuf>,
    /// Their files.
    files: Index,
    /// The files of the configured directories, for the kinds that were requested so far.
    configured: Index,
}

impl Directories {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Adds a playbook's or role's directory. Returns whether it is new and holds modules or plugins.
    pub(super) fn add(&self, directory: &Path, settings: &Settings) -> bool {
        let mut state = self.state();
        if state.added.iter().any(|known| known == directory) {
            return false;
        }
        state.added.push(directory.to_owned());
        let Ok(entries) = std::fs::read_dir(directory) else { return false };
        let mut any = false;
        for entry in entries.flatten() {
            let name = entry.file_name();
            any |= name == "module_utils";
            let Some(kind) = Kind::ALL.into_iter().find(|kind| name == kind.directory()) else { continue };
            scan(kind, &entry.path(), settings, state.files.entry(kind).or_default());
            any = true;
        }
        any
    }

    /// Returns the directories that were added.
    pub(super) fn added(&self) -> Vec<PathBuf> {
        self.state().added.clone()
    }

    /// Finds the file of a module or plugin. Directories beside playbooks and in roles come first.
    pub(super) fn find(&self, kind: Kind, name: &str, settings: &Settings) -> Option<Arc<Path>> {
        let mut state = self.state();
        let known = |index: &Index| {
            let files = index.get(&kind)?;
            // The file of a deprecated module begins with an underscore.
            files.get(name).or_else(|| files.get(&format!("_{name}"))).cloned()
        };
        if let Some(path) = known(&state.files) {
            return Some(path);
        }
        state.configured.entry(kind).or_insert_with(|| configured(kind, settings));
        known(&state.configured)
    }

    /// Returns all files of a kind.
    pub(super) fn all(&self, kind: Kind, settings: &Settings) -> Vec<Arc<Path>> {
        let mut state = self.state();
        state.configured.entry(kind).or_insert_with(|| configured(kind, settings));
        let indices = [&state.files, &state.configured];
        indices
            .into_iter()
            .filter_map(|index| index.get(&kind))
            .flat_map(|files| files.values().cloned())
            .collect()
    }
}

/// Returns the files of the configured directories and their subdirectories.
fn configured(kind: Kind, settings: &Settings) -> HashMap<String, Arc<Path>> {
    let mut files = HashMap::new();
    for directory in kind.configured(settings) {
        let inside = |directory: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            let mut directories: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
            directories.sort();
            directories
        };
        for below in inside(directory) {
            inside(&below)
                .iter()
                .chain([&below])
                .for_each(|directory| scan(kind, directory, settings, &mut files));
        }
        scan(kind, directory, settings, &mut files);
    }
    files
}

fn scan(kind: Kind, directory: &Path, settings: &Settings, into: &mut HashMap<String, Arc<Path>>) {
    let ignored = &settings.module_ignore_exts;
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| kind.accepts(path, ignored) && path.is_file()) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        into.entry(name).or_insert_with(|| path.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_wins_and_modules_have_any_ending() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        for name in ["a/library/one.sh", "a/library/readme.md", "b/library/one", "b/library/two.py"] {
            put(name);
        }
        for name in ["b/filter_plugins/f.py", "b/filter_plugins/f.txt", "conf/sub/three"] {
            put(name);
        }
        let mut settings = Settings::default();
        settings.set("library", vec![root.path().join("conf").to_string_lossy().into_owned()]);
        let directories = Directories::default();
        assert!(directories.add(&root.path().join("a"), &settings));
        assert!(directories.add(&root.path().join("b"), &settings));
        assert!(!directories.add(&root.path().join("b"), &settings));
        let find = |kind, name| directories.find(kind, name, &settings).map(|p| p.to_path_buf());
        assert_eq!(find(Kind::Module, "one"), Some(root.path().join("a/library/one.sh")));
        assert_eq!(find(Kind::Module, "two"), Some(root.path().join("b/library/two.py")));
        assert_eq!(find(Kind::Module, "three"), Some(root.path().join("conf/sub/three")));
        assert_eq!(find(Kind::Module, "readme"), None);
        assert_eq!(directories.all(Kind::Filter, &settings).len(), 1);
    }
}
