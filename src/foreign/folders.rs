//! Where the files of modules and plugins are: beside playbooks, in roles, in configured folders. Each folder is
//! read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use playbook_api::sync::lock;

use crate::settings::Settings;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Module,
    Action,
    Filter,
    Test,
    Lookup,
    Callback,
    Inventory,
    Connection,
}

impl Kind {
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

    /// The folder beside a playbook and in a role.
    pub fn folder(self) -> &'static str {
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

    /// The folder in a collection's `plugins`, which is also what ansible-core calls the kind.
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

    /// Whether a file can be one: modules may be in any language.
    fn takes(self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        match self {
            _ if name.starts_with("__init__") || name.starts_with('.') => false,
            Kind::Module => !NO_MODULE.contains(&&*extension) && !name.ends_with('~'),
            _ => extension == "py",
        }
    }
}

/// Files beside modules that are none.
const NO_MODULE: [&str; 16] = [
    "pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "orig", "yaml", "yml", "ini", "json", "toml",
    "cfg", "retry",
];

/// Files by kind and name.
type Index = HashMap<Kind, HashMap<String, Arc<Path>>>;

/// The files that were found.
#[derive(Debug, Default)]
pub struct Folders {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Folders of playbooks and roles, in the order they were met.
    added: Vec<PathBuf>,
    /// What they hold.
    files: Index,
    /// What the configured folders hold, of the kinds that were asked for.
    configured: Index,
}

impl Folders {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Takes note of a playbook's or role's folder. Says whether it was not known and holds something.
    pub fn add(&self, folder: &Path) -> bool {
        let mut state = self.state();
        if state.added.iter().any(|known| known == folder) {
            return false;
        }
        state.added.push(folder.to_owned());
        let Ok(entries) = std::fs::read_dir(folder) else { return false };
        let mut any = false;
        for entry in entries.flatten() {
            let name = entry.file_name();
            any |= name == "module_utils";
            let Some(kind) = Kind::ALL.into_iter().find(|kind| name == kind.folder()) else { continue };
            scan(kind, &entry.path(), state.files.entry(kind).or_default());
            any = true;
        }
        any
    }

    /// The folders that were added.
    pub fn added(&self) -> Vec<PathBuf> {
        self.state().added.clone()
    }

    /// The file of a module or plugin. Folders beside playbooks and in roles come first.
    pub fn find(&self, kind: Kind, name: &str, settings: &Settings) -> Option<Arc<Path>> {
        let mut state = self.state();
        let known = |index: &Index| {
            let files = index.get(&kind)?;
            // A module that starts with an underscore is deprecated and still goes by its name.
            files.get(name).or_else(|| files.get(&format!("_{name}"))).cloned()
        };
        if let Some(path) = known(&state.files) {
            return Some(path);
        }
        state.configured.entry(kind).or_insert_with(|| configured(kind, settings));
        known(&state.configured)
    }

    /// All files of a kind.
    pub fn all(&self, kind: Kind, settings: &Settings) -> Vec<Arc<Path>> {
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

/// What the configured folders hold, and the folders in them.
fn configured(kind: Kind, settings: &Settings) -> HashMap<String, Arc<Path>> {
    let mut files = HashMap::new();
    for folder in kind.configured(settings) {
        let inside = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut folders: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
            folders.sort();
            folders
        };
        for below in inside(folder) {
            inside(&below).iter().chain([&below]).for_each(|folder| scan(kind, folder, &mut files));
        }
        scan(kind, folder, &mut files);
    }
    files
}

fn scan(kind: Kind, folder: &Path, into: &mut HashMap<String, Arc<Path>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| kind.takes(path) && path.is_file()) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        into.entry(name).or_insert_with(|| path.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_wins_and_modules_have_any_ending() {
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
        let folders = Folders::default();
        assert!(folders.add(&root.path().join("a")));
        assert!(folders.add(&root.path().join("b")));
        assert!(!folders.add(&root.path().join("b")));
        let find = |kind, name| folders.find(kind, name, &settings).map(|p| p.to_path_buf());
        assert_eq!(find(Kind::Module, "one"), Some(root.path().join("a/library/one.sh")));
        assert_eq!(find(Kind::Module, "two"), Some(root.path().join("b/library/two.py")));
        assert_eq!(find(Kind::Module, "three"), Some(root.path().join("conf/sub/three")));
        assert_eq!(find(Kind::Module, "readme"), None);
        assert_eq!(folders.all(Kind::Filter, &settings).len(), 1);
    }
}
