//! What loading needs to know of the world, and what it brings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Error, Value};

use crate::document::{self, Node, Trust};
use crate::foreign::Foreign;
use crate::playbook::{Frame, Item, Role, Task};
use crate::settings::Settings;
use crate::vault::Keyring;

/// Renders a written value with the variables of a frame and those around it.
pub type Render<'a> = dyn Fn(&Node, &Arc<Frame>) -> Result<Value, Error> + 'a;

/// What tasks may name. Documents ask; whoever runs them knows.
pub trait Names {
    /// Whether there is a module or action of this name.
    fn is_action(&self, name: &str) -> bool;
    /// All of them, for "did you mean".
    fn actions(&self) -> Vec<String>;
    /// Whether there is a lookup of this name, for `with_NAME`.
    fn is_lookup(&self, name: &str) -> bool;
}

/// What loading needs to know of the world. Cheap to clone.
#[derive(Clone)]
pub struct Loader<'a> {
    pub settings: &'a Settings,
    pub keyring: &'a Keyring,
    /// The folder of the playbook that the play is in; [`load`] sets it.
    pub folder: PathBuf,
    /// Renders a name that must be known when documents are loaded (of imports, of roles), with the extra
    /// variables and those of the frames around it.
    pub render: &'a Render<'a>,
    /// Modules and plugins that this program does not have itself.
    pub foreign: &'a Foreign,
    /// What tasks may name.
    pub names: &'a dyn Names,
    /// Takes what is odd in a document but no error, such as a key that is there twice.
    pub warn: &'a dyn Fn(Error),
    /// Takes what is wrong with a part of a document; hands it back where that ends the loading, and keeps it
    /// where the other parts are read all the same.
    pub fault: &'a dyn Fn(Error) -> Result<(), Error>,
}

impl<'a> Loader<'a> {
    /// The same, for a playbook in another folder.
    pub fn in_folder(&self, folder: impl Into<PathBuf>) -> Loader<'a> {
        Loader { folder: folder.into(), ..self.clone() }
    }

    /// What was read, or nothing where it was wrong and the rest is read all the same.
    pub(super) fn spare<T>(&self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) => (self.fault)(error).map(|()| None),
        }
    }

    /// A document of the project.
    pub(super) fn document(&self, path: &Path) -> Result<Node, Error> {
        let loaded = document::load(path, Trust::Templates, self.keyring)?;
        loaded.accept(&self.settings.duplicate_dict_key, self.warn)
    }

    /// A name, rendered.
    pub(super) fn text(&self, node: &Node, frame: &Arc<Frame>) -> Result<String, Error> {
        match node.as_str() {
            Some(text) => Ok(text.to_owned()),
            None if node.is_plain() => Ok(node.raw().to_text().into_owned()),
            None => Ok((self.render)(node, frame).map_err(|e| e.at(node.place()))?.to_text().into_owned()),
        }
    }
}

/// Tasks that an import or include brought, and what came with them.
#[derive(Debug, Default)]
pub struct LoadedTasks {
    pub items: Vec<Item>,
    /// Roles imported by the tasks: their variables are the play's from now on where they are public.
    pub roles: Vec<Arc<Role>>,
    /// The handlers of those roles.
    pub handlers: Vec<Arc<Task>>,
}

/// A role's use: its tasks, one block in a frame of its own, behind those of its dependencies; its handlers and
/// theirs.
#[derive(Debug)]
pub struct LoadedRole {
    pub role: Arc<Role>,
    pub tasks: LoadedTasks,
}
