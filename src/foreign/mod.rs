//! Code that people keep beside their playbooks, and in collections: modules in any language, plugins in Python.
//!
//! Finding it costs a look into each folder, once. Modules that are no Python run without one; what is Python goes
//! through one helper process with ansible-core, which is started when something first needs it.

pub mod collections;
mod folders;
pub mod groups;
pub mod payload;
mod plugins;
pub mod python;
pub mod style;
pub mod wire;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use playbook_api::Error;
use serde_json::{Value as Json, json};

pub use folders::Kind;
pub use payload::Payload;
pub use python::{Python, Serve};

use crate::settings::Settings;
use collections::{Runtime, full_name};

/// A module or plugin that was found by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The name it goes by: full for a collection's, as written otherwise.
    pub name: String,
    /// Its file; none where the name is another one's that this program has itself.
    pub path: Option<Arc<Path>>,
    /// What there is to warn about.
    pub warnings: Vec<String>,
    /// The action plugin that its collection names for a module.
    pub action: Option<String>,
}

/// The full name of a module or action that this program has itself.
pub type Native<'a> = dyn Fn(Kind, &str) -> Option<String> + 'a;

/// A kind, a name, and the collections that it may be in.
type Question = (Kind, String, Vec<Arc<str>>);

/// The modules and plugins around a run.
pub struct Foreign {
    settings: Settings,
    verbosity: u8,
    folders: folders::Folders,
    /// The folders of playbooks, which may have `collections/` beside them.
    playbooks: RwLock<Vec<PathBuf>>,
    runtime: Runtime,
    known: Mutex<HashMap<Question, Option<Found>>>,
    /// What Python said of modules that nobody else knows.
    core: Mutex<HashMap<String, Option<Found>>>,
    payloads: Mutex<HashMap<PathBuf, Arc<Payload>>>,
    names: Mutex<plugins::Names>,
    python: OnceLock<Result<Python, Error>>,
    /// Where the helper's Python has collections.
    roots: OnceLock<Vec<PathBuf>>,
    /// Whether callback plugins listen.
    callbacks: AtomicBool,
    starting: Mutex<()>,
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Foreign")
    }
}

impl Foreign {
    pub fn new(settings: &Settings, verbosity: u8) -> Foreign {
        Foreign {
            settings: settings.clone(),
            verbosity,
            folders: folders::Folders::default(),
            playbooks: RwLock::default(),
            runtime: Runtime::default(),
            known: Mutex::default(),
            core: Mutex::default(),
            payloads: Mutex::default(),
            names: Mutex::default(),
            python: OnceLock::new(),
            roots: OnceLock::new(),
            callbacks: AtomicBool::new(false),
            starting: Mutex::default(),
        }
    }

    /// Takes note of a playbook's folder.
    pub fn add_playbook(&self, folder: &Path) {
        let mut playbooks = self.playbooks.write().unwrap_or_else(|e| e.into_inner());
        if !playbooks.iter().any(|known| known == folder) {
            playbooks.push(folder.to_owned());
            drop(playbooks);
            lock(&self.known).clear();
            self.add_folder(folder);
        }
    }

    /// Takes note of a folder that may hold `library` and the like: a playbook's or a role's.
    pub fn add_folder(&self, folder: &Path) {
        if !self.folders.add(folder) {
            return;
        }
        lock(&self.known).clear();
        *lock(&self.names) = plugins::Names::default();
        if let Some(Ok(python)) = self.python.get() {
            // A plugin that cannot be found for it says so itself.
            let _ = python.ask("folder", json!(folder), &mut nothing_to_ask);
        }
    }

    /// The folders of a collection that are there.
    pub fn collection(&self, name: &str) -> Vec<PathBuf> {
        let playbooks = self.playbooks.read().unwrap_or_else(|e| e.into_inner());
        let mut folders = collections::folders(name, playbooks.iter().map(PathBuf::as_path), &self.settings);
        let inside = name.replacen('.', "/", 1);
        let more = self.roots.get().into_iter().flatten().map(|root| root.join(&inside));
        folders.extend(more.filter(|folder| folder.is_dir()));
        folders
    }

    /// A module or plugin by its short or full name; `search` names the collections that short names may mean.
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
        Ok(self.legacy(kind, name))
    }

    fn legacy(&self, kind: Kind, name: &str) -> Option<Found> {
        let path = self.folders.find(kind, name, &self.settings)?;
        Some(Found { name: name.to_owned(), path: Some(path), ..Found::default() })
    }

    fn in_collection(
        &self,
        kind: Kind,
        collection: &str,
        name: &str,
        depth: usize,
    ) -> Result<Option<Found>, Error> {
        let full = format!("{collection}.{name}");
        for folder in self.collection(collection) {
            let routing = self.runtime.routing(&folder, kind, name)?.unwrap_or_default();
            if let Some(reason) = routing.tombstone {
                return Err(Error::new(format!("{full} has been removed. {reason}").trim_end().to_owned()));
            }
            let mut warnings: Vec<String> = Vec::new();
            warnings.extend(routing.deprecation.map(|text| format!("{full} has been deprecated. {text}")));
            if let Some(target) = routing.redirect {
                if depth > 10 {
                    return Err(Error::new(format!("{full} is redirected in a circle")));
                }
                let found = self.resolve(kind, &target, &[], depth + 1)?;
                let mut found = found.unwrap_or_else(|| Found { name: target, ..Found::default() });
                warnings.append(&mut found.warnings);
                return Ok(Some(Found { warnings, ..found }));
            }
            if let Some(path) = collections::file(&folder, kind, name) {
                let path = Some(path.into());
                return Ok(Some(Found { name: full, path, warnings, action: routing.action }));
            }
        }
        Ok(None)
    }

    /// A module that only Python knows: one of ansible-core's own, or of a collection that is installed for it.
    pub fn core_module(&self, name: &str) -> Option<Found> {
        let short = match full_name(name) {
            Some((collection, inside))
                if collection == "ansible.builtin" || collection == "ansible.legacy" =>
            {
                inside
            }
            Some(_) => {
                let further = self.look_further();
                return if further { self.find(Kind::Module, name, &[]).ok().flatten() } else { None };
            }
            None => name,
        };
        let plain = !short.is_empty() && short.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || short.starts_with('_') {
            return None;
        }
        if let Some(found) = lock(&self.core).get(short) {
            return found.clone();
        }
        let ask = || {
            let answer = self.python().ok()?.ask("core module", json!(short), &mut nothing_to_ask).ok()?;
            let text = |name: &str| answer.get(name).and_then(Json::as_str);
            let path: Arc<Path> = Path::new(text("path")?).into();
            Some(Found { name: text("name")?.to_owned(), path: Some(path), ..Found::default() })
        };
        let found = ask();
        lock(&self.core).insert(short.to_owned(), found.clone());
        found
    }

    /// The full name of what a task of this name runs: its action, or else its module. `native` gives the full names
    /// of those that this program has itself.
    pub fn action(&self, name: &str, search: &[Arc<str>], native: &Native) -> Option<String> {
        self.resolved(Kind::Action, name, search, native)
            .or_else(|| self.resolved(Kind::Module, name, search, native))
            .map(|found| found.name)
    }

    /// The full name of a module.
    pub fn module(&self, name: &str, search: &[Arc<str>], native: &Native) -> Option<String> {
        self.resolved(Kind::Module, name, search, native).map(|found| found.name)
    }

    /// The full name of what a key of `module_defaults` means: a module whose collection names an action for it
    /// counts as itself, every other one as its action.
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

    /// Looks for collections where the helper's Python has packages, too. Says whether there are any.
    fn look_further(&self) -> bool {
        let roots = self.roots.get_or_init(|| {
            let answer = self.python().and_then(|p| p.ask("roots", Json::Null, &mut nothing_to_ask));
            let roots = answer.unwrap_or_default();
            lock(&self.known).clear();
            roots.as_array().into_iter().flatten().filter_map(Json::as_str).map(PathBuf::from).collect()
        });
        !roots.is_empty()
    }

    /// The names of callback plugins that count without being chosen as the report: those that ask for nothing, and
    /// those that are enabled.
    pub fn callbacks(&self, enabled: &[String]) -> Vec<String> {
        let mut names = Vec::new();
        for path in self.folders.all(Kind::Callback, &self.settings) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let says = |what: &str, value: &[&str]| {
                let lines = text.lines().filter_map(|line| line.trim().strip_prefix(what));
                lines.filter_map(|rest| rest.trim().strip_prefix('=')).any(|v| value.contains(&v.trim()))
            };
            let report = says("CALLBACK_TYPE", &["'stdout'", "\"stdout\""]);
            let asks =
                says("CALLBACK_NEEDS_ENABLED", &["True"]) || says("CALLBACK_NEEDS_WHITELIST", &["True"]);
            if !report && (!asks || enabled.contains(&name)) {
                names.push(name);
            }
        }
        let in_collections = enabled.iter().filter(|name| full_name(name).is_some());
        names.extend(
            in_collections.filter(|n| matches!(self.find(Kind::Callback, n, &[]), Ok(Some(_)))).cloned(),
        );
        names.sort();
        names
    }

    pub fn set_callbacks(&self) {
        self.callbacks.store(true, Ordering::Relaxed);
    }

    /// Whether callback plugins listen: they are told more than reports are.
    pub fn has_callbacks(&self) -> bool {
        self.callbacks.load(Ordering::Relaxed)
    }

    /// The helper, started if it is not yet.
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

    /// The helper, for something of this name that is written in Python.
    pub fn python_for(&self, what: &str, name: &str) -> Result<&Python, Error> {
        self.python().map_err(|cause| {
            let help = cause.help().unwrap_or_default().to_owned();
            let message = format!("The {what} '{name}' is written in Python and needs ansible-core");
            Error::new(message).caused_by(cause).with_help(help)
        })
    }

    /// What the helper must know before it loads ansible-core.
    fn configuration(&self) -> Json {
        let texts = |paths: &[PathBuf]| json!(paths.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>());
        let playbooks = self.playbooks.read().unwrap_or_else(|e| e.into_inner());
        json!({
            "folders": texts(&self.folders.added()),
            "playbooks": texts(&playbooks),
            "collections": texts(&self.settings.collections_path),
            "library": texts(&self.settings.library),
            "verbosity": self.verbosity,
        })
    }
}

/// For requests that the helper answers without asking back.
pub fn nothing_to_ask(what: &str, _: Json) -> Result<Json, Error> {
    Err(Error::new(format!("'{what}' cannot be asked here")))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
