//! One use of a role.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::Place;

use super::TaskId;
use crate::document::Node;
use crate::inventory::Vars;

/// One use of a role: the same role with other parameters is another use.
#[derive(Debug)]
pub struct Role {
    pub id: TaskId,
    /// The short name, and with its collection (`namespace.collection.role`) where it has one.
    pub name: Arc<str>,
    pub full_name: Arc<str>,
    pub path: PathBuf,
    pub defaults: Arc<Vars>,
    pub vars: Arc<Vars>,
    /// Given beside the role's name where it is used; what is under `vars` there is in the role's frame.
    pub params: Arc<Vars>,
    pub(super) dependencies: Vec<Arc<Role>>,
    /// The roles that depend on this use, or include it, nearest first.
    pub parents: Vec<Arc<str>>,
    pub allow_duplicates: bool,
    /// include_role's `public`; roles of a play and imported roles are public.
    pub public: bool,
    /// meta/argument_specs.yml, or `argument_specs` of meta/main.yml.
    pub argument_specs: Option<Node>,
    /// Equal for two uses of which, without `allow_duplicates`, only the first runs: same role, same parameters,
    /// tags, conditions and files.
    pub identity: Arc<str>,
    /// `collections` of its meta, and its own collection first.
    pub collections: Vec<Arc<str>>,
}

impl Role {
    /// The roles it depends on, in the order they run before it.
    pub fn dependencies(&self) -> &[Arc<Role>] {
        &self.dependencies
    }
}

/// What an `include_role` or `import_role` asks for.
#[derive(Clone, Debug)]
pub struct RoleSpec {
    pub name: String,
    pub place: Option<Place>,
    pub tasks_from: Option<String>,
    pub vars_from: Option<String>,
    pub defaults_from: Option<String>,
    pub handlers_from: Option<String>,
    pub allow_duplicates: bool,
    /// Nothing given means: imported roles are public, included ones are not.
    pub public: Option<bool>,
    pub rolespec_validate: bool,
    pub dynamic: bool,
}

impl Default for RoleSpec {
    fn default() -> Self {
        RoleSpec {
            name: String::new(),
            place: None,
            tasks_from: None,
            vars_from: None,
            defaults_from: None,
            handlers_from: None,
            allow_duplicates: true,
            public: None,
            rolespec_validate: true,
            dynamic: true,
        }
    }
}
