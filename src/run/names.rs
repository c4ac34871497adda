//! The names that a task may use: modules, actions and lookups.

use playbook_api::{PluginKind, Plugins, Registry};

use super::actions;
use super::call::state::Shared;
use crate::playbook::{Names, Task};
use crate::template::lookups;

impl Names for Shared {
    fn is_action(&self, name: &str) -> bool {
        is_action(&self.registry, name)
    }

    fn actions(&self) -> Vec<String> {
        action_names(&self.registry)
    }

    fn is_lookup(&self, name: &str) -> bool {
        lookups::find(name).is_some()
            || self.registry.lookup(name).is_some()
            || Plugins::has(&*self.foreign, PluginKind::Lookup, name).unwrap_or(true)
    }
}

/// Whether there is a module or action of this name.
pub fn is_action(registry: &Registry, name: &str) -> bool {
    registry.module(name).is_some()
        || actions::TABLE.find(name).is_some()
        || matches!(
            name.rsplit_once("builtin.").or(name.rsplit_once("legacy.")).map_or(name, |(_, n)| n),
            "meta" | "import_tasks" | "import_role"
        )
}

/// The full name of a task's action: `ansible.builtin.debug` for `debug`.
pub(crate) fn full_name(task: &Task) -> String {
    if task.action.name.contains('.') {
        task.action.name.to_string()
    } else {
        format!("ansible.builtin.{}", task.action.name)
    }
}

/// Returns the names of all modules and actions.
pub fn action_names(registry: &Registry) -> Vec<String> {
    let mut names: Vec<String> = registry.module_names().map(str::to_owned).collect();
    names.extend(actions::TABLE.iter().map(|(name, _)| name.to_owned()));
    names.sort();
    names
}
