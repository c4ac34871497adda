//! One use of a role.

use std::path::PathBuf;
use std::sync::Arc;

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
    /// Given where the role is used, as `vars` or as parameters beside the role's name.
    pub params: Arc<Vars>,
    /// Its dependencies, in the order they run before it.
    pub dependencies: Vec<Arc<Role>>,
    /// The roles that depend on this use, nearest first.
    pub parents: Vec<Arc<str>>,
    pub allow_duplicates: bool,
    /// include_role's `public`; roles of a play and imported roles are public.
    pub public: bool,
    /// meta/argument_specs.yml, or `argument_specs` of meta/main.yml.
    pub argument_specs: Option<Node>,
}
