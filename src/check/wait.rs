//! Checks what `wait_until` waits for: the probes and their options.

use std::collections::HashMap;

use playbook_api::{Arguments, Error, Map, Place, Spec, nearest};

use super::walk::{Walk, known};
use crate::document::Node;
use crate::playbook::Task;

/// The module.
pub(super) const MODULE: &str = "wait_until";

/// Checks the probes of a task, which are all arguments that are not the module's own.
pub(super) fn check(walk: &Walk, task: &Task, own: &Spec) {
    let mut names: Vec<&str> = walk.registry.probes.iter().map(|probe| probe.name()).collect();
    names.sort_unstable();
    let waits = task.action.args.keys().any(|name| own.find(name).is_none());
    if !waits && task.action.variable_args.is_none() {
        let help = format!("It can wait for: {}.", names.join(", "));
        walk.error(
            "arguments",
            Error::new("there is nothing to wait for").at(&task.action.place).with_help(help),
        );
    }
    for (name, node) in task.action.args.iter().filter(|(name, _)| own.find(name).is_none()) {
        let Some(probe) = walk.registry.probe(name) else {
            let error = Error::new(format!("wait_until cannot wait for '{name}'")).at(&node.key_place());
            let near = nearest(name, names.iter().copied().chain(own.options.keys().map(String::as_str)));
            let help = match near {
                Some(near) => format!("Did you mean '{near}'?"),
                None => format!("It can wait for: {}.", names.join(", ")),
            };
            walk.error("arguments", error.with_help(help));
            continue;
        };
        let spec = probe.spec();
        for options in node.as_list().unwrap_or(std::slice::from_ref(node)) {
            options_of(walk, name, &spec, options);
        }
    }
}

/// Checks the options of a probe. Text is its main option.
fn options_of(walk: &Walk, name: &str, spec: &Spec, node: &Node) {
    let Some(map) = node.as_map() else { return };
    let (mut values, mut places): (Map, HashMap<String, Place>) = Default::default();
    for (key, entry) in map {
        places.insert(key.to_text().into_owned(), entry.key.clone());
        values.insert(key.clone(), known(&entry.node));
    }
    let keys = places.clone();
    let arguments = Arguments { values, places, keys, place: Some(node.place().clone()) };
    for fault in arguments.faults(name, spec, true) {
        walk.error("arguments", fault);
    }
}
