//! The files in group_vars/ and host_vars/.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use playbook_api::sync::lock;
use playbook_api::{Error, ErrorKind};

use super::combine::combine;
use super::model::Vars;
use crate::document::{Trust, load};
use crate::settings::Settings;
use crate::vault::Keyring;

/// Reads group_vars/ and host_vars/: every directory is listed once and every file read once, when it is
/// needed.
#[derive(Debug)]
pub(super) struct VarsFiles {
    keyring: Arc<Keyring>,
    extensions: Vec<String>,
    pub(super) merge: bool,
    pub(super) precedence: Vec<String>,
    stage: Stage,
    /// What a duplicate key is: `error`, `warn` or `ignore`.
    duplicate_keys: String,
    enabled: bool,
    listings: Mutex<HashMap<PathBuf, Arc<Listing>>>,
    files: Mutex<HashMap<PathBuf, Arc<Vars>>>,
    warnings: Mutex<Vec<Error>>,
}

/// The names in a directory, and whether each is a directory itself.
type Listing = HashMap<String, bool>;

/// When the files are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Inventory,
    Task,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Of {
    Group,
    Host,
}

impl Of {
    fn directory(self) -> &'static str {
        match self {
            Of::Group => "group_vars",
            Of::Host => "host_vars",
        }
    }
}

impl Default for VarsFiles {
    fn default() -> Self {
        VarsFiles::new(Arc::default(), &Settings::default())
    }
}

impl VarsFiles {
    pub(super) fn new(keyring: Arc<Keyring>, settings: &Settings) -> VarsFiles {
        let stage = match (settings.vars_stage.as_deref(), settings.run_vars_plugins.as_str()) {
            (Some("all"), _) => Stage::All,
            (Some("inventory"), _) | (None, "start") => Stage::Inventory,
            _ => Stage::Task,
        };
        let plugins = &settings.vars_plugins_enabled;
        VarsFiles {
            keyring,
            extensions: settings.yaml_valid_extensions.clone(),
            merge: settings.hash_behaviour == "merge",
            precedence: settings.precedence.clone(),
            stage,
            duplicate_keys: settings.duplicate_dict_key.clone(),
            enabled: plugins.iter().any(|name| name.ends_with("host_group_vars")),
            listings: Mutex::default(),
            files: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Whether the files are read with the inventory.
    pub(super) fn at_inventory(&self) -> bool {
        self.enabled && self.stage != Stage::Task
    }

    /// Whether the files are read when a host's variables are needed.
    pub(super) fn at_task(&self) -> bool {
        self.enabled && self.stage != Stage::Inventory
    }

    /// Takes the warnings about the files, such as duplicate keys.
    pub(super) fn take_warnings(&self) -> Vec<Error> {
        std::mem::take(&mut lock(&self.warnings))
    }

    /// Adds the variables of a group or host from the files beside a source.
    pub(super) fn add(&self, vars: &mut Vars, directory: &Path, of: Of, name: &str) -> Result<(), Error> {
        // A name such as /srv/chroot is not a file's.
        if name.starts_with('/') {
            return Ok(());
        }
        for path in self.find(&directory.join(of.directory()), name) {
            let file = self.file(&path)?;
            combine(vars, &file, self.merge);
        }
        Ok(())
    }

    /// Finds the files of a name: a directory of that name, or one file with a known extension.
    fn find(&self, directory: &Path, name: &str) -> Vec<PathBuf> {
        let listing = self.listing(directory);
        // Most directories of an inventory have no such files, and it may have many hosts.
        if listing.is_empty() {
            return Vec::new();
        }
        let extensions = std::iter::once("").chain(self.extensions.iter().map(String::as_str));
        for extension in extensions {
            let entry = format!("{name}{extension}");
            if let Some(is_directory) = listing.get(&entry) {
                let path = directory.join(entry);
                let mut found = Vec::new();
                if *is_directory {
                    self.collect(&path, &mut found, 0);
                } else {
                    found.push(path);
                }
                return found;
            }
        }
        Vec::new()
    }

    fn collect(&self, directory: &Path, found: &mut Vec<PathBuf>, depth: usize) {
        let listing = self.listing(directory);
        let mut names: Vec<(&String, &bool)> = listing.iter().collect();
        names.sort();
        for (name, is_directory) in names {
            let path = directory.join(name);
            let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            match (is_directory, extension) {
                (true, None) if depth < 32 => self.collect(&path, found, depth + 1),
                (false, None) => found.push(path),
                (false, Some(extension)) if self.extensions.contains(&extension) => found.push(path),
                _ => {}
            }
        }
    }

    fn listing(&self, directory: &Path) -> Arc<Listing> {
        let mut listings = lock(&self.listings);
        if let Some(known) = listings.get(directory) {
            return known.clone();
        }
        if directory.exists() && !directory.is_dir() {
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            let message = format!("Found {name} that is not a directory, skipping: {}", directory.display());
            lock(&self.warnings).push(Error::new(message));
        }
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let listing: Listing = entries
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()))
            .collect();
        let listing = Arc::new(listing);
        listings.insert(directory.to_owned(), listing.clone());
        listing
    }

    fn file(&self, path: &Path) -> Result<Arc<Vars>, Error> {
        if let Some(known) = lock(&self.files).get(path) {
            return Ok(known.clone());
        }
        let loaded =
            load(path, Trust::Templates, &self.keyring).map_err(|e| e.with_kind(ErrorKind::Syntax))?;
        let node = loaded.accept(&self.duplicate_keys, |warning| lock(&self.warnings).push(warning))?;
        let mut vars = Vars::default();
        match node.as_map() {
            Some(map) => {
                vars.extend(map.iter().map(|(k, entry)| (k.to_text().as_ref().into(), entry.node.clone())))
            }
            None if node.is_null() => {}
            None => {
                let found = node.raw().type_name();
                return Err(Error::new(format!(
                    "Could not process '{}': variables must be a map, not {found}",
                    path.display()
                ))
                .at(node.place()));
            }
        }
        let vars = Arc::new(vars);
        lock(&self.files).insert(path.to_owned(), vars.clone());
        Ok(vars)
    }
}
