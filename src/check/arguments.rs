//! Checks the arguments of modules: names, types, choices and the rules between them.

use std::collections::HashMap;

use playbook_api::{Arguments, Error, Map, Place, Registry, Spec, Value};

use super::walk::{Walk, known};
use super::{permissions, wait};
use crate::document::Node;
use crate::playbook::Task;
use crate::run::actions;
use crate::run::module::{defaults, names};

/// The arguments that a module or action takes.
struct Taken<'a> {
    name: &'static str,
    spec: &'a Spec,
    /// The arguments that are not rendered before the action runs.
    raw: &'static [&'static str],
    /// Whether any other argument is taken too.
    free: bool,
}

fn taken<'a>(registry: &'a Registry, name: &str) -> Option<Taken<'a>> {
    if let Some(entry) = actions::TABLE.find(name) {
        return Some(Taken { name: entry.doc.name, spec: entry.spec(), raw: entry.raw, free: entry.free });
    }
    let entry = registry.module(name)?;
    Some(Taken { name: entry.doc.name, spec: entry.spec(), raw: &[], free: false })
}

/// Checks the arguments of a task.
pub(super) fn check(walk: &Walk, task: &Task) {
    let name = task.action_name();
    if matches!(name, "meta" | "include_tasks" | "include_role" | "import_tasks" | "import_role") {
        return;
    }
    if names::is_external(walk.loader.foreign, task) {
        return;
    }
    let Some(taken) = taken(walk.registry, &task.action.name) else { return };
    let (mut values, mut places): (Map, HashMap<String, Place>) = Default::default();
    let mut keys: HashMap<String, Place> = HashMap::new();
    let mut complete = task.action.variable_args.is_none();
    for node in defaults::written_for(task, walk.registry, &actions::TABLE, walk.loader.foreign) {
        let Some(map) = node.as_map() else {
            complete = false;
            continue;
        };
        for (key, entry) in map {
            places.insert(key.to_text().into_owned(), entry.key.clone());
            values.insert(key.clone(), known(&entry.node));
        }
    }
    for (name, node) in &task.action.args {
        places.insert(name.to_string(), node.place().clone());
        keys.insert(name.to_string(), node.key_place());
        values.insert(name.clone().into(), value(&taken, name, node));
    }
    if taken.free {
        values.retain(|key, _| key.as_str().is_some_and(|key| taken.spec.find(key).is_some()));
    }
    let arguments = Arguments { values, places, keys, place: Some(task.action.place.clone()) };
    let faults = arguments.faults(taken.name, taken.spec, complete);
    // A missing source may be the consequence of another fault.
    let sourceless = ["src", "content"].iter().all(|name| !arguments.values.contains_key(*name));
    if taken.name == "copy" && complete && faults.is_empty() && sourceless {
        walk.error("arguments", Error::new("src (or content) is required").at(&task.action.place));
    }
    for fault in faults {
        walk.error("arguments", fault);
    }
    if taken.name == wait::MODULE {
        wait::check(walk, task, taken.spec);
    }
    if ["owner", "group", "mode"].iter().all(|name| taken.spec.find(name).is_some()) {
        permissions::check(walk, task);
    }
}

fn value(taken: &Taken, name: &str, node: &Node) -> Value {
    if taken.raw.contains(&name) { Value::Unknown("it is rendered later".into()) } else { known(node) }
}
