//! Changes to the run that a task asks for, in addition to its result.

use std::sync::Arc;

use playbook_api::{Map, Value};

use crate::inventory::Vars;

/// A change to the run that a task asks for, in addition to its result. Tasks run in parallel; the thread that drives
/// the batch applies their effects.
#[derive(Debug)]
pub enum Effect {
    /// Sets variables of a host (`set_fact`, `register`).
    Set {
        /// The host.
        host: Arc<str>,
        /// The variables.
        values: Vec<(Arc<str>, Value)>,
    },
    /// Adds facts of a host (`setup`, cacheable `set_fact`).
    Facts {
        /// The host.
        host: Arc<str>,
        /// The facts.
        facts: Map,
    },
    /// Adds variables of `include_vars`.
    Include {
        /// The host.
        host: Arc<str>,
        /// The variables, as they were written.
        vars: Vars,
    },
    /// Adds a host to the inventory.
    AddHost {
        /// The name of the host.
        name: Arc<str>,
        /// The groups that it becomes a member of.
        groups: Vec<Arc<str>>,
        /// The host's variables.
        vars: Vars,
    },
    /// Adds a host to a group.
    GroupBy {
        /// The host.
        host: Arc<str>,
        /// The name of the group.
        group: Arc<str>,
        /// The parent groups of the group.
        parents: Vec<Arc<str>>,
    },
    /// Sets statistics of the run.
    Stats {
        /// The host that the statistics are for, or none for the run.
        host: Option<Arc<str>>,
        /// The statistics by name.
        data: Map,
        /// Whether values are added to existing ones.
        aggregate: bool,
    },
    /// Runs tasks or a role next on this host.
    Tasks(Box<Inclusion>),
    /// Notifies handlers.
    Notify(Vec<String>),
}

impl Effect {
    /// Whether this adds a host that an earlier effect adds already, with its groups and variables.
    pub fn adds_again(&self, before: &Effect) -> bool {
        match (self, before) {
            (
                Effect::AddHost { name, groups, vars },
                Effect::AddHost { name: known, groups: its_groups, vars: its_vars },
            ) => {
                known == name
                    && groups.iter().all(|g| its_groups.contains(g))
                    && vars.iter().all(|(k, v)| its_vars.get(k).is_some_and(|old| old.raw() == v.raw()))
            }
            _ => false,
        }
    }
}

/// An include whose file or role is known but not loaded yet: hosts with the same include share one load.
#[derive(Clone, Debug)]
pub struct Inclusion {
    pub what: Included,
    /// Variables of the include: `vars`, its loop item.
    pub vars: Vars,
    /// The loop item's label.
    pub item: Option<String>,
}

impl Inclusion {
    /// Whether one that cannot be loaded fails its task, instead of ending the run.
    pub fn is_rescuable(&self) -> bool {
        match &self.what {
            Included::Role(arguments) => {
                arguments.get("rescuable").and_then(playbook_api::arguments::to_bool).unwrap_or(true)
            }
            Included::Tasks { .. } => true,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Included {
    Tasks {
        /// The file as it was written.
        file: String,
        path: std::path::PathBuf,
    },
    Role(Map),
}
