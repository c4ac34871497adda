//! Code beside playbooks and in collections: modules in any language, plugins in Python.
//!
//! Each directory is listed once. Modules in other languages need no Python. Modules and plugins in Python use one
//! helper process with ansible-core, which is started when it is first needed.

mod callbacks;
pub mod collections;
mod directories;
pub mod groups;
pub mod payload;
mod plugins;
pub mod python;
mod routing;
mod site;
pub mod style;
#[cfg(test)]
mod tests;
pub mod wire;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use playbook_api::sync::lock;
use playbook_api::{Error, Registry};
use serde_json::{Value as Json, json};

pub use directories::Kind;
pub use payload::Payload;
pub use python::{Python, Serve};

use crate::settings::Settings;
use collections::{Runtime, full_name};
use site::Site;

/// A module or plugin that was found by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Its name: the full one if it is in a collection, else as written.
    pub name: String,
    /// Its file; none if this program has a module of that name itself.
    pub path: Option<Arc<Path>>,
    /// Warnings about the name, such as a deprecation.
    pub warnings: Vec<String>,
    /// The action plugin that its collection names for a module.
    pub action: Option<String>,
}

/// Returns the full name of a module or action that this program has itself.
pub type Native<'a> = dyn Fn(Kind, &str) -> Option<String> + 'a;

/// A kind, a name, and the collections in which a short name is looked for.
type Question = (Kind, String, Vec<Arc<str>>);

/// The modules and plugins around a run.
pub struct Foreign {
    settings: Settings,
    verbosity: u8,
    directories: directories::Directories,
    /// The directories of playbooks, which may have `collections/` beside them.
    playbooks: RwLock<Vec<PathBuf>>,
    runtime: Runtime,
    /// The collections of which a warning about their version was given.
    checked: Mutex<HashSet<PathBuf>>,
    known: Mutex<HashMap<Question, Option<Found>>>,
    /// The modules that ansible-core has, or sends to a collection that is installed.
    core: Mutex<HashMap<String, Option<Found>>>,
    payloads: Mutex<HashMap<PathBuf, Arc<Payload>>>,
    names: Mutex<plugins::Names>,
    python: OnceLock<Result<Python, Error>>,
    /// Where the Python with ansible-core has its packages.
    site: OnceLock<Option<Site>>,
    /// This program's own modules, which no collection replaces unless the settings say so.
    registry: Arc<Registry>,
    /// Whether callback plugins are loaded.
    callbacks: AtomicBool,
    starting: Mutex<()>,
    /// The command line, by the names of ansible-playbook's options.
    arguments: Mutex<serde_json::Map<String, Json>>,
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Foreign")
    }
}

impl Foreign {
    /// Creates an empty set: playbooks and roles add their directories as they are loaded.
    pub fn new(settings: &Settings, verbosity: u8) -> Foreign {
        Foreign {
            settings: settings.clone(),
            verbosity,
            directories: directories::Directories::default(),
            playbooks: RwLock::default(),
            runtime: Runtime::default(),
            checked: Mutex::default(),
            known: Mutex::default(),
            core: Mutex::default(),
            payloads: Mutex::default(),
            names: Mutex::default(),
            python: OnceLock::new(),
            site: OnceLock::new(),
            registry: Arc::default(),
            callbacks: AtomicBool::new(false),
            starting: Mutex::default(),
            arguments: Mutex::default(),
        }
    }

    /// Keeps installed collections from replacing the modules of a registry.
    #[must_use]
    pub fn with_registry(self, registry: Arc<Registry>) -> Foreign {
        Foreign { registry, ..self }
    }

    /// Sets what plugins see as the command line (`context.CLIARGS`). It must be set before the helper is
    /// started.
    pub fn set_arguments(&self, arguments: serde_json::Map<String, Json>) {
        *lock(&self.arguments) = arguments;
    }

    /// Adds a playbook's directory.
    pub fn add_playbook(&self, directory: &Path) {
        let mut playbooks = self.playbooks.write().unwrap_or_else(PoisonError::into_inner);
        if !playbooks.iter().any(|known| known == directory) {
            playbooks.push(directory.to_owned());
            drop(playbooks);
            lock(&self.known).clear();
            self.add_directory(directory);
        }
    }

    /// Adds a directory that may hold `library` and the like: a playbook's or a role's.
    pub fn add_directory(&self, directory: &Path) {
        if !self.directories.add(directory, &self.settings) {
            return;
        }
        lock(&self.known).clear();
        *lock(&self.names) = plugins::Names::default();
        if let Some(Ok(python)) = self.python.get() {
            // A plugin that cannot be found for it says so itself.
            let _ = python.ask("directory", json!(directory), &mut nothing_to_ask);
        }
    }

    /// Returns the directories of a collection that exist: beside the playbooks, in the configured
    /// directories, and where the Python with ansible-core has its packages.
    pub fn collection(&self, name: &str) -> Vec<PathBuf> {
        let playbooks = self.playbooks.read().unwrap_or_else(PoisonError::into_inner);
        self.collection_from(name, playbooks.iter().map(PathBuf::as_path))
    }

    /// Returns the same, for given directories of playbooks.
    pub fn collection_from<'a>(&self, name: &str, playbooks: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
        let mut directories = collections::directories(name, playbooks, &self.settings);
        if self.settings.collections_scan_sys_path {
            let inside = name.replacen('.', "/", 1);
            let roots = self.site().map(Site::collections).unwrap_or_default();
            directories.extend(roots.iter().map(|root| root.join(&inside)).filter(|path| path.is_dir()));
        }
        directories
    }

    /// Where the first Python with ansible-core has its packages.
    fn site(&self) -> Option<&Site> {
        let find = || {
            let sites = python::candidates(&self.settings).into_iter().map(|python| Site::of(&python));
            sites.into_iter().find(|site| site.core().is_some())
        };
        self.site.get_or_init(find).as_ref()
    }

    /// Finds a module or plugin by its short or full name. `search` names the collections that short names
    /// may mean.
    pub fn find(&self, kind: Kind, name: &str, search: &[Arc<str>]) -> Result<Option<Found>, Error> {
        let key = (kind, name.to_owned(), search.to_vec());
        if let Some(found) = lock(&self.known).get(&key) {
            return Ok(found.clone());
        }
        let found = self.resolve(kind, name, search, 0)?;
        lock(&self.known).insert(key, found.clone());
        Ok(found)
    }

    fn resolve(
        &self,
        kind: Kind,
        name: &str,
        search: &[Arc<str>],
        depth: usize,
    ) -> Result<Option<Found>, Error> {
        if let Some((collection, inside)) = full_name(name) {
            return match collection.as_str() {
                "ansible.builtin" => Ok(None),
                "ansible.legacy" => Ok(self.legacy(kind, inside)),
                _ => self.in_collection(kind, &collection, inside, depth),
            };
        }
        for collection in search {
            match &**collection {
                "ansible.builtin" | "ansible.legacy" => {}
                collection => {
                    if let Some(found) = self.in_collection(kind, collection, name, depth)? {
                        return Ok(Some(found));
                    }
                }
            }
        }
        match self.legacy(kind, name) {
            Some(found) => Ok(Some(found)),
            None => self.preferred(kind, name, depth),
        }
    }

    /// Finds the module of a collection that the settings prefer to this program's own module of a short
    /// name.
    fn preferred(&self, kind: Kind, name: &str, depth: usize) -> Result<Option<Found>, Error> {
        let full = self.registry.module(name).map(|entry| entry.doc.full_name()).unwrap_or_default();
        match full_name(&full) {
            Some((collection, inside)) if self.prefers(&collection) => {
                self.in_collection(kind, &collection, inside, depth)
            }
            _ => Ok(None),
        }
    }

    fn legacy(&self, kind: Kind, name: &str) -> Option<Found> {
        let path = self.directories.find(kind, name, &self.settings)?;
        Some(Found { name: name.to_owned(), path: Some(path), ..Found::default() })
    }

    /// Whether this program's own module of a name is run, even if the collection is installed.
    fn is_native(&self, kind: Kind, name: &str, collection: &str) -> bool {
        let is_module = matches!(kind, Kind::Module | Kind::Action);
        is_module && self.registry.module(name).is_some() && !self.prefers(collection)
    }

    fn prefers(&self, collection: &str) -> bool {
        self.settings.prefer_collections.iter().any(|chosen| chosen == "all" || chosen == collection)
    }

    fn in_collection(
        &self,
        kind: Kind,
        collection: &str,
        name: &str,
        depth: usize,
    ) -> Result<Option<Found>, Error> {
        let full = format!("{collection}.{name}");
        if self.is_native(kind, &full, collection) {
            return Ok(Some(Found { name: full, ..Found::default() }));
        }
        for directory in self.collection(collection) {
            let routing = self.runtime.routing(&directory, kind, name)?.unwrap_or_default();
            if let Some(reason) = routing.tombstone {
                return Err(Error::new(format!("{full} has been removed. {reason}").trim_end().to_owned()));
            }
            let mut warnings: Vec<String> = Vec::new();
            let deprecation = routing.deprecation.filter(|_| self.settings.deprecation_warnings);
            warnings.extend(deprecation.map(|text| format!("{full} has been deprecated. {text}")));
            if let Some(target) = routing.redirect {
                if depth > 10 {
                    return Err(Error::new(format!("{full} is redirected in a circle")));
                }
                let found = self.resolve(kind, &target, &[], depth + 1)?;
                let mut found = found.unwrap_or_else(|| Found { name: target, ..Found::default() });
                warnings.append(&mut found.warnings);
                return Ok(Some(Found { warnings, ..found }));
            }
            if let Some(path) = collections::file(&directory, kind, name) {
                let behavior = &self.settings.collections_on_ansible_version_mismatch;
                let (version, ..) = self.settings.core.version();
                let mismatch = self.runtime.mismatch(&directory, collection, behavior, version)?;
                if lock(&self.checked).insert(directory.clone()) {
                    warnings.extend(mismatch);
                }
                let path = Some(path.into());
                return Ok(Some(Found { name: full, path, warnings, action: routing.action }));
            }
        }
        Ok(None)
    }

    /// Returns a module that only ansible-core knows: one of its own, or one that it sends to a collection.
    pub fn core_module(&self, name: &str) -> Option<Found> {
        let short = match full_name(name) {
            Some((collection, inside))
                if collection == "ansible.builtin" || collection == "ansible.legacy" =>
            {
                inside
            }
            Some(_) => return None,
            None => name,
        };
        let plain = !short.is_empty() && short.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || short.starts_with('_') {
            return None;
        }
        if let Some(found) = lock(&self.core).get(short) {
            return found.clone();
        }
        let find = || {
            let file = self.site()?.core()?.join("modules").join(format!("{short}.py"));
            if file.is_file() {
                let name = format!("ansible.builtin.{short}");
                return Some(Found { name, path: Some(file.into()), ..Found::default() });
            }
            let found = self.find(Kind::Module, &self.routed(short)?, &[]).ok()??;
            found.path.is_some().then_some(found)
        };
        let found = find();
        lock(&self.core).insert(short.to_owned(), found.clone());
        found
    }

    /// Returns the full name of what a task of this name runs: its action, or else its module. `native` gives
    /// the full names of those that this program has itself.
    pub fn action(&self, name: &str, search: &[Arc<str>], native: &Native) -> Option<String> {
        self.resolved(Kind::Action, name, search, native)
            .or_else(|| self.resolved(Kind::Module, name, search, native))
            .map(|found| found.name)
    }

    /// Returns the full name of a module.
    pub fn module(&self, name: &str, search: &[Arc<str>], native: &Native) -> Option<String> {
        self.resolved(Kind::Module, name, search, native).map(|found| found.name)
    }

    /// Returns the full name of what a key of `module_defaults` means: a module whose collection names an
    /// action for it counts as itself, every other one as its action.
    pub fn defaults_key(&self, name: &str, native: &Native) -> Option<String> {
        let module = self.resolved(Kind::Module, name, &[], native);
        if module.as_ref().is_some_and(|module| module.action.is_some()) {
            return module.map(|module| module.name);
        }
        self.resolved(Kind::Action, name, &[], native).or(module).map(|found| found.name)
    }

    fn resolved(&self, kind: Kind, name: &str, search: &[Arc<str>], native: &Native) -> Option<Found> {
        let own = |name: &str| native(kind, name).map(|name| Found { name, ..Found::default() });
        let found = match self.find(kind, name, search).ok()? {
            Some(Found { path: None, name, .. }) => own(&name),
            Some(found) if full_name(&found.name).is_none() => {
                let short = found.name.strip_prefix("ansible.legacy.").unwrap_or(&found.name);
                return Some(Found { name: format!("ansible.legacy.{short}"), ..found });
            }
            Some(found) => return Some(found),
            None => search.iter().find_map(|collection| own(&format!("{collection}.{name}"))),
        };
        let core = || if kind == Kind::Module { self.core_module(name) } else { None };
        found.or_else(|| own(name)).or_else(core)
    }

    /// Returns the helper, and starts it at the first call.
    pub fn python(&self) -> Result<&Python, Error> {
        if self.python.get().is_none() {
            let _one = lock(&self.starting);
            if self.python.get().is_none() {
                let started = Python::start(&self.settings, &self.configuration());
                let _ = self.python.set(started);
            }
        }
        match self.python.get() {
            Some(Ok(python)) => Ok(python),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::new("the Python helper was not started")),
        }
    }

    /// Returns the helper for something of this name that is written in Python, which the error names.
    pub fn python_for(&self, what: &str, name: &str) -> Result<&Python, Error> {
        self.python().map_err(|cause| {
            let help = cause.help().unwrap_or_default().to_owned();
            let message = format!("The {what} '{name}' is written in Python and needs ansible-core");
            Error::new(message).caused_by(cause).with_help(help)
        })
    }

    /// Returns the configuration that the helper needs before it loads ansible-core.
    fn configuration(&self) -> Json {
        let texts = |paths: &[PathBuf]| json!(paths.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>());
        let playbooks = self.playbooks.read().unwrap_or_else(PoisonError::into_inner);
        json!({
            "directories": texts(&self.directories.added()),
            "playbooks": texts(&playbooks),
            "collections": texts(&self.settings.collections_path),
            "library": texts(&self.settings.library),
            "verbosity": self.verbosity,
            "arguments": *lock(&self.arguments),
        })
    }
}

/// Answers requests of the helper while it does what never asks back.
pub fn nothing_to_ask(what: &str, _: Json) -> Result<Json, Error> {
    Err(Error::new(format!("'{what}' cannot be asked here")))
}
