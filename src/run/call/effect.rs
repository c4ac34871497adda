//! What a task asks of the run beside its result.

use std::sync::Arc;

use playbook_api::{Map, Value};

use crate::inventory::Vars;

/// What a task asks of the run beside its result. Tasks run side by side; their effects are applied in one place,
/// by the strategy.
#[derive(Debug)]
pub enum Effect {
    /// Variables of a host (`set_fact`, `register`).
    Set {
        host: Arc<str>,
        values: Vec<(Arc<str>, Value)>,
    },
    /// Facts of a host (`setup`, cacheable `set_fact`).
    Facts {
        host: Arc<str>,
        facts: Map,
    },
    /// `include_vars`.
    Include {
        host: Arc<str>,
        vars: Vars,
    },
    AddHost {
        name: Arc<str>,
        groups: Vec<Arc<str>>,
        vars: Vars,
    },
    GroupBy {
        host: Arc<str>,
        group: Arc<str>,
        parents: Vec<Arc<str>>,
    },
    Stats {
        host: Option<Arc<str>>,
        data: Map,
        aggregate: bool,
    },
    /// Tasks or a role come next on this host.
    Tasks(Box<Inclusion>),
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

/// What an include task brings, found but not loaded: hosts that ask for the same share one load.
#[derive(Clone, Debug)]
pub struct Inclusion {
    pub what: Included,
    /// Variables of the include: `vars`, its loop item.
    pub vars: Vars,
    /// The loop item's label.
    pub item: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Included {
    Tasks {
        /// The file, as it was named.
        file: String,
        path: std::path::PathBuf,
    },
    Role(Map),
}
