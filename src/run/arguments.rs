//! A task's arguments: `module_defaults`, then what the task wrote, rendered.

use std::collections::HashMap;

use playbook_api::{Arguments, Error, Map, Place, Registry, Value};

use super::item::ItemCall;
use super::keyword;
use crate::document::Node;
use crate::foreign::Foreign;
use crate::playbook::Task;
use crate::template::Renderer;
use crate::vars::HostScope;

/// Renders the arguments; those named in `raw` are left to the action, which reads them as written.
pub fn finalize(call: &ItemCall, scope: &HostScope, raw: &[&str]) -> Result<Arguments, Error> {
    let task = call.task;
    let renderer = scope.renderer();
    let whole = |e: Error| {
        e.context(format!("Finalization of task args for '{}' failed.", full_name(task))).at(&task.place)
    };
    let mut values = defaults(call, &task.action.name, &renderer).map_err(whole)?;
    let mut places: HashMap<String, Place> = HashMap::new();
    if let Some(node) = &task.action.variable_args {
        match renderer.value(node).map_err(whole)? {
            Value::Map(map) => {
                places.extend(map.keys().map(|k| (k.to_text().into_owned(), node.place().clone())));
                values.extend(
                    map.iter()
                        .filter(|(_, v)| !matches!(v, Value::Omit))
                        .map(|(k, v)| (k.clone(), v.clone())),
                );
            }
            Value::Null | Value::Omit => {}
            other => {
                let message = format!("task arguments must be a dictionary, got {}", other.type_name());
                return Err(whole(Error::new(message).at(node.place())));
            }
        }
    }
    for (name, node) in &task.action.args {
        places.insert(name.to_string(), node.place().clone());
        if raw.contains(&&**name) {
            continue;
        }
        let value = renderer.value(node).map_err(|e| {
            whole(e.context(format!("Error while resolving value for '{name}'")).at(node.place()))
        })?;
        if matches!(value, Value::Omit) {
            values.shift_remove(&**name);
        } else {
            values.insert(Value::from(name.clone()), value);
        }
    }
    Ok(Arguments { values, places, place: Some(task.action.place.clone()) })
}

/// `ansible.builtin.debug` for `debug`.
fn full_name(task: &Task) -> String {
    if task.action.name.contains('.') {
        task.action.name.to_string()
    } else {
        format!("ansible.builtin.{}", task.action.name)
    }
}

/// What `module_defaults` gives a module that this task runs: its groups' values, then its own.
pub fn defaults(call: &ItemCall, module: &str, renderer: &Renderer) -> Result<Map, Error> {
    let mut values = Map::default();
    let shared = &call.play.shared;
    for node in module_defaults(call.task, module, &shared.registry, &shared.foreign) {
        if let Value::Map(map) = renderer.value(node)? {
            values.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    Ok(values)
}

/// What `module_defaults` says of a module in a task, as written: its groups', then its own.
pub fn module_defaults<'t>(
    task: &'t Task,
    module: &str,
    registry: &Registry,
    foreign: &Foreign,
) -> Vec<&'t Node> {
    let mut written: Vec<(String, &Node)> = Vec::new();
    for node in keyword::inherited(task, "module_defaults") {
        let dicts: Vec<&Node> = node.as_list().map_or_else(|| vec![node], |items| items.iter().collect());
        for map in dicts.into_iter().filter_map(Node::as_map) {
            for (key, entry) in map {
                let key = key.to_text().into_owned();
                written.retain(|(name, _)| *name != key);
                written.push((key, &entry.node));
            }
        }
    }
    let mut found = Vec::new();
    if written.is_empty() {
        return found;
    }
    let entry = registry.module(module);
    let collection = entry.map(|e| e.doc.collection).unwrap_or_default();
    let full = super::foreign::full_name(registry, foreign, module, &super::foreign::search(task));
    for (key, node) in &written {
        let Some(group) = key.strip_prefix("group/") else { continue };
        let members = foreign.action_group(group).unwrap_or_default();
        if members.contains(&full) || in_group(group.rsplit('.').next().unwrap_or(group), collection) {
            found.push(*node);
        }
    }
    let short = module.rsplit('.').next().unwrap_or(module);
    for (key, node) in &written {
        let key_entry = registry.module(key);
        let same = match (entry, key_entry) {
            (Some(a), Some(b)) => a.doc.name == b.doc.name,
            _ if key.starts_with("group/") => false,
            _ if key.split('.').count() > 2
                && full.split('.').count() > 2
                && !key.starts_with("ansible.legacy.") =>
            {
                *key == full
            }
            _ => key.rsplit('.').next() == Some(short),
        };
        if same {
            found.push(*node);
        }
    }
    found
}

/// The action groups that collections define and this program has modules of.
fn in_group(group: &str, collection: &str) -> bool {
    match group {
        "aws" => matches!(collection, "amazon.aws" | "community.aws"),
        "postgresql" => collection == "community.postgresql",
        _ => false,
    }
}
