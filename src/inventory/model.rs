//! Hosts, groups and the variables written for them.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::document::Node;

/// Variables as they were written, by name.
pub type Vars = IndexMap<Arc<str>, Node>;

#[derive(Clone, Debug, Default)]
pub struct Host {
    pub name: Arc<str>,
    pub vars: Vars,
    /// The groups it is a direct member of, in order.
    pub groups: IndexSet<Arc<str>>,
    /// `localhost` that no source named.
    pub implicit: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Group {
    pub name: Arc<str>,
    pub vars: Vars,
    pub hosts: IndexSet<Arc<str>>,
    pub children: IndexSet<Arc<str>>,
    pub parents: IndexSet<Arc<str>>,
    /// The longest way from `all`.
    pub depth: usize,
    /// `ansible_group_priority`.
    pub priority: i64,
}

/// All hosts and groups. `all` and `ungrouped` are always there.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub hosts: IndexMap<Arc<str>, Host>,
    pub groups: IndexMap<Arc<str>, Group>,
    /// What each `-i` resolved to: `inventory_file`, `inventory_dir` and the group_vars folders beside them.
    pub sources: Vec<String>,
}
