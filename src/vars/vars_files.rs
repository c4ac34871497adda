//! A play's `vars_files`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use playbook_api::{Error, ErrorKind, sync};

use crate::document::{self, Node, Trust};
use crate::inventory::Vars;
use crate::template::Renderer;
use crate::vault::Keyring;

/// The `vars_files` of a play: loaded once if their names are fixed, and for each host if they are templates.
#[derive(Clone, Default)]
pub struct VarsFiles {
    entries: Vec<Node>,
    directory: PathBuf,
    keyring: Arc<Keyring>,
    of_play: Vec<Arc<Vars>>,
    templated: bool,
    loaded: Arc<Mutex<HashMap<PathBuf, Arc<Vars>>>>,
}

impl VarsFiles {
    /// Loads what can be loaded before a host is known. A missing file is an error, unless it is one of a list, of which
    /// the first existing file is loaded.
    pub fn load(
        entries: &[Node],
        directory: &Path,
        renderer: &Renderer,
        keyring: Arc<Keyring>,
    ) -> Result<Self, Error> {
        let templated = entries.iter().any(|entry| !entry.is_plain());
        let mut files = VarsFiles {
            entries: entries.to_vec(),
            directory: directory.to_owned(),
            keyring,
            templated,
            ..Self::default()
        };
        if !templated {
            files.of_play = files.find(renderer, true)?;
        }
        Ok(files)
    }

    /// Whether the name of a file is a template.
    pub fn is_templated(&self) -> bool {
        self.templated
    }

    /// Returns the variables of the files that do not depend on a host.
    pub fn of_play(&self) -> &[Arc<Vars>] {
        &self.of_play
    }

    /// Returns the files whose names can be rendered in this scope; those that need a fact that is not gathered are left out.
    pub fn of_host(&self, renderer: &Renderer) -> Vec<Arc<Vars>> {
        self.find(renderer, false).unwrap_or_default()
    }

    /// Returns all files for a host. A missing file is an error.
    pub fn check(&self, renderer: &Renderer) -> Result<(), Error> {
        if self.templated { self.find(renderer, true).map(|_| ()) } else { Ok(()) }
    }

    fn find(&self, renderer: &Renderer, strict: bool) -> Result<Vec<Arc<Vars>>, Error> {
        let mut found = Vec::new();
        for entry in &self.entries {
            let choices: Vec<Node> = entry.as_list().map_or_else(|| vec![entry.clone()], <[Node]>::to_vec);
            let mut tried = Vec::new();
            let mut undefined = false;
            let mut first = None;
            for choice in &choices {
                let name = match renderer.value(choice) {
                    Ok(name) => name.to_text().into_owned(),
                    Err(e) if e.is_undefined() => {
                        undefined = true;
                        break;
                    }
                    Err(e) => return Err(e),
                };
                match self.file(&name, renderer) {
                    Ok(vars) => {
                        first = Some(vars);
                        break;
                    }
                    Err(e) if e.kind() == ErrorKind::NotFound => tried.push(name),
                    Err(e) => return Err(e),
                }
            }
            match first {
                Some(vars) => found.push(vars),
                None if strict && !undefined => {
                    let message = match tried.as_slice() {
                        [one] => format!("Could not find or access '{one}'"),
                        _ => format!("None of the vars_files could be found: {}", tried.join(", ")),
                    };
                    return Err(Error::new(message).at(entry.place()).with_kind(ErrorKind::NotFound));
                }
                None => {}
            }
        }
        Ok(found)
    }

    fn file(&self, name: &str, renderer: &Renderer) -> Result<Arc<Vars>, Error> {
        let path = vars_file(&self.directory, name);
        let mut loaded = sync::lock(&self.loaded);
        if let Some(vars) = loaded.get(&path) {
            return Ok(vars.clone());
        }
        let vars = load_vars(&path, &self.keyring, renderer).map_err(|e| match e.kind() {
            ErrorKind::NotFound => e,
            _ => e
                .context(format!("Error processing vars_files file '{}'", path.display()))
                .with_kind(ErrorKind::Input),
        })?;
        let vars = Arc::new(vars);
        loaded.insert(path, vars.clone());
        Ok(vars)
    }
}

/// Returns the file that an entry of `vars_files` names: the directory `vars` next to the playbook comes first.
pub fn vars_file(directory: &Path, name: &str) -> PathBuf {
    let in_vars = directory.join("vars").join(name);
    if !name.starts_with("vars/") && in_vars.exists() { in_vars } else { directory.join(name) }
}

fn load_vars(path: &Path, keyring: &Keyring, renderer: &Renderer) -> Result<Vars, Error> {
    let policy = &renderer.environment.options.duplicate_dict_key;
    let node = document::load(path, Trust::Templates, keyring)?.accept(policy, |w| renderer.warn(w))?;
    if node.is_null() {
        return Ok(Vars::default());
    }
    // A list of dictionaries is merged; later ones win.
    let parts = node.as_list().unwrap_or(std::slice::from_ref(&node));
    let mut vars = Vars::default();
    for part in parts {
        let map = part.as_map().ok_or_else(|| {
            Error::new(format!("{} must be a dictionary of variables", path.display())).at(part.place())
        })?;
        vars.extend(map.iter().map(|(name, entry)| (Arc::from(&*name.to_text()), entry.node.clone())));
    }
    Ok(vars)
}
