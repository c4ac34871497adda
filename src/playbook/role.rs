//! Uses of roles.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::Place;

use super::TaskId;
use crate::document::Node;
use crate::inventory::Vars;

/// One use of a role: the same role with other parameters is another use.
#[derive(Debug)]
pub struct Role {
    /// Tells uses of roles apart in one run.
    pub id: TaskId,
    /// The short name, and with its collection (`namespace.collection.role`) where it has one.
    pub name: Arc<str>,
    /// The name with the collection, if the role is in one.
    pub full_name: Arc<str>,
    /// The role's directory.
    pub path: PathBuf,
    /// The variables of `defaults`.
    pub defaults: Arc<Vars>,
    /// The variables of `vars`.
    pub vars: Arc<Vars>,
    /// The parameters next to the role's name where it is used; those under `vars` are in the role's frame.
    pub params: Arc<Vars>,
    pub(super) dependencies: Vec<Arc<Role>>,
    /// The roles that depend on this use or include it, nearest first.
    pub parents: Vec<Arc<str>>,
    /// `allow_duplicates`: whether a host may run the same use more than once.
    pub allow_duplicates: bool,
    /// include_role's `public`; roles of a play and imported roles are public.
    pub public: bool,
    /// meta/argument_specs.yml, or `argument_specs` of meta/main.yml.
    pub argument_specs: Option<Node>,
    /// Equal for two uses of which, without `allow_duplicates`, only the first runs: same role, same parameters,
    /// tags, conditions and files.
    pub identity: Arc<str>,
    /// The collections that are searched: its own, then those of its meta.
    pub collections: Vec<Arc<str>>,
}

impl Role {
    /// Returns the roles that it depends on, in the order in which they run before it.
    pub fn dependencies(&self) -> &[Arc<Role>] {
        &self.dependencies
    }
}

/// The arguments of `include_role` or `import_role`.
#[derive(Clone, Debug)]
pub struct RoleSpec {
    /// The name of the role.
    pub name: String,
    /// Where the name was written.
    pub place: Option<Place>,
    /// The file of `tasks` instead of `main`.
    pub tasks_from: Option<String>,
    /// The file of `vars` instead of `main`.
    pub vars_from: Option<String>,
    /// The file of `defaults` instead of `main`.
    pub defaults_from: Option<String>,
    /// The file of `handlers` instead of `main`.
    pub handlers_from: Option<String>,
    /// Whether a host may run the same use more than once.
    pub allow_duplicates: bool,
    /// By default imported roles are public and included ones are not.
    pub public: Option<bool>,
    /// Whether the role's arguments are validated.
    pub rolespec_validate: bool,
    /// Whether it is an include rather than an import.
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
