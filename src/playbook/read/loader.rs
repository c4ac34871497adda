//! What loading needs from its caller, and what it returns.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use playbook_api::{Error, Value};

use crate::document::{self, Node, Trust};
use crate::foreign::Foreign;
use crate::inventory::Vars;
use crate::playbook::{Frame, Item, Role, Task};
use crate::settings::Settings;
use crate::vault::Keyring;

/// Renders a written value with the variables of a frame and those around it.
pub type Render<'a> = dyn Fn(&Node, &Arc<Frame>) -> Result<Value, Error> + 'a;

/// The names that tasks may use. The caller of the loader knows them.
pub trait Names {
    /// Whether there is a module or action of this name.
    fn is_action(&self, name: &str) -> bool;
    /// Returns the names of all modules and actions, for suggestions.
    fn actions(&self) -> Vec<String>;
    /// Whether there is a lookup of this name, for `with_NAME`.
    fn is_lookup(&self, name: &str) -> bool;
}

/// What loading needs from its caller. Cheap to clone.
#[derive(Clone)]
pub struct Loader<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The passwords that open vaults.
    pub keyring: &'a Keyring,
    /// The directory of the playbook that the play is in; `load` sets it.
    pub directory: PathBuf,
    /// Renders a name that must be known when documents are loaded (of imports, of roles), with the extra
    /// variables and those of the frames around it.
    pub render: &'a Render<'a>,
    /// Modules and plugins that are not part of this program.
    pub foreign: &'a Foreign,
    /// The names that tasks may use.
    pub names: &'a dyn Names,
    /// Receives warnings, such as about a duplicate key.
    pub warn: &'a dyn Fn(Error),
    /// Receives the error in a part of a document. Returns it if it ends the loading, or keeps it if the other parts are
    /// still read.
    pub fault: &'a dyn Fn(Error) -> Result<(), Error>,
    /// The documents that were read before.
    pub documents: Documents,
}

/// Documents that were read before, since a site uses the same roles in many plays. By default nothing is kept and each
/// use reads its file again: a run may write the files that it includes.
#[derive(Clone, Debug, Default)]
pub struct Documents(Option<Rc<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    nodes: RefCell<HashMap<PathBuf, Node>>,
    /// The variables of files that a role takes together.
    vars: RefCell<HashMap<Vec<PathBuf>, Arc<Vars>>>,
}

impl<'a> Loader<'a> {
    /// Returns the same loader, which reads each file once.
    pub(super) fn keeping(&self) -> Loader<'a> {
        match self.documents.0 {
            Some(_) => self.clone(),
            None => Loader { documents: Documents(Some(Rc::default())), ..self.clone() },
        }
    }

    /// Returns the same loader for a playbook in another directory.
    pub fn in_directory(&self, directory: impl Into<PathBuf>) -> Loader<'a> {
        Loader { directory: directory.into(), ..self.clone() }
    }

    /// Returns what was read, or nothing if it has an error and the rest is still read.
    pub(super) fn spare<T>(&self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) => (self.fault)(error).map(|()| None),
        }
    }

    /// Loads a document of the project.
    pub(super) fn document(&self, path: &Path) -> Result<Node, Error> {
        let known = self.documents.0.as_ref();
        if let Some(node) = known.and_then(|known| known.nodes.borrow().get(path).cloned()) {
            return Ok(node);
        }
        let loaded = document::load(path, Trust::Templates, self.keyring)?;
        let node = loaded.accept(&self.settings.duplicate_dict_key, self.warn)?;
        if let Some(known) = known {
            known.nodes.borrow_mut().insert(path.to_owned(), node.clone());
        }
        Ok(node)
    }

    /// Returns the variables of files: those that were read before, or what `read` returns.
    pub(super) fn vars(
        &self,
        paths: Vec<PathBuf>,
        read: impl FnOnce(&[PathBuf]) -> Result<Vars, Error>,
    ) -> Result<Arc<Vars>, Error> {
        let known = self.documents.0.as_ref();
        if let Some(vars) = known.and_then(|known| known.vars.borrow().get(&paths).cloned()) {
            return Ok(vars);
        }
        let vars = Arc::new(read(&paths)?);
        if let Some(known) = known {
            known.vars.borrow_mut().insert(paths, vars.clone());
        }
        Ok(vars)
    }

    /// Renders a name.
    pub(super) fn text(&self, node: &Node, frame: &Arc<Frame>) -> Result<String, Error> {
        match node.as_str() {
            Some(text) => Ok(text.to_owned()),
            None if node.is_plain() => Ok(node.raw().to_text().into_owned()),
            None => Ok((self.render)(node, frame).map_err(|e| e.at(node.place()))?.to_text().into_owned()),
        }
    }
}

/// The tasks of an import or include, with the roles and handlers that they import.
#[derive(Debug, Default)]
pub struct LoadedTasks {
    /// The tasks and blocks.
    pub items: Vec<Item>,
    /// The roles that the tasks import: the rest of the play sees the variables of public ones.
    pub roles: Vec<Arc<Role>>,
    /// The handlers of those roles.
    pub handlers: Vec<Arc<Task>>,
}

/// A use of a role: its tasks, which are one block in a frame of its own after those of its dependencies, and all
/// handlers.
#[derive(Debug)]
pub struct LoadedRole {
    /// The role.
    pub role: Arc<Role>,
    /// Its tasks and handlers.
    pub tasks: LoadedTasks,
}
