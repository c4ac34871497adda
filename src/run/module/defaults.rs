//! `module_defaults`: default arguments of modules.

use indexmap::IndexMap;
use playbook_api::{Error, Map, Registry, Value};

use super::names::{native, search};
use crate::document::Node;
use crate::foreign::groups::group_name;
use crate::foreign::{Foreign, Native};
use crate::playbook::{Keyword, Task};
use crate::run::call::action::Actions;
use crate::run::call::{ActionCall, ItemCall};
use crate::template::Renderer;

/// Returns the default arguments of a task: those of its action's groups, then those of its action.
pub fn of_task(call: &ItemCall, renderer: &Renderer) -> Result<Map, Error> {
    let shared = &call.play.shared;
    rendered(written_for(call.task, &shared.registry, shared.actions, &shared.foreign), renderer)
}

/// Returns the default arguments of a module that a task's action calls.
pub fn of_module(call: &ActionCall, module: &str) -> Result<Map, Error> {
    let shared = &call.item.play.shared;
    let (task, native) = (call.item.task, native(&shared.registry, shared.actions));
    let written = written(task, &shared.foreign, &native);
    if written.is_empty() {
        return Ok(Map::default());
    }
    let search = search(task);
    let name = shared.foreign.module(module, &search, &native).unwrap_or_else(|| module.to_owned());
    rendered(of_action(&written, &name, &shared.foreign, &native), &call.renderer())
}

fn rendered(nodes: Vec<&Node>, renderer: &Renderer) -> Result<Map, Error> {
    let mut values = Map::default();
    for node in nodes {
        if let Value::Map(map) = renderer.value(node)? {
            values.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    Ok(values)
}

/// Returns the default arguments of a task's module as written: those of its groups, then its own.
pub fn written_for<'t>(
    task: &'t Task,
    registry: &Registry,
    actions: &Actions,
    foreign: &Foreign,
) -> Vec<&'t Node> {
    let native = native(registry, actions);
    let written = written(task, foreign, &native);
    if written.is_empty() {
        return Vec::new();
    }
    let name = &*task.action.name;
    let name = foreign.action(name, &search(task), &native).unwrap_or_else(|| name.to_owned());
    of_action(&written, &name, foreign, &native)
}

/// Returns all of a task's `module_defaults` by the full names of groups and actions, from the outermost to the task's.
fn written<'t>(task: &'t Task, foreign: &Foreign, native: &Native) -> IndexMap<String, &'t Node> {
    let mut written = IndexMap::new();
    for node in task.inherited(Keyword::ModuleDefaults) {
        let dicts: Vec<&Node> = node.as_list().map_or_else(|| vec![node], |items| items.iter().collect());
        for (key, entry) in dicts.into_iter().filter_map(Node::as_map).flatten() {
            let key = key.to_text();
            if let Some(group) = key.strip_prefix("group/") {
                written.insert(format!("group/{}", group_name(group)), &entry.node);
                continue;
            }
            let short = (key.split('.').count() < 3).then_some(&*key).or(key.strip_prefix("ansible.legacy."));
            let names = match short {
                // The defaults of a short name apply to the built-in module of that name, too.
                Some(short) => vec![
                    format!("ansible.legacy.{short}"),
                    format!("ansible.builtin.{short}"),
                    // One of another collection, which this program has itself.
                    short.to_owned(),
                ],
                None => vec![key.to_string()],
            };
            for name in names.iter().filter_map(|name| foreign.defaults_key(name, native)) {
                written.insert(name, &entry.node);
            }
        }
    }
    written
}

/// Returns the entries for an action.
fn of_action<'t>(
    written: &IndexMap<String, &'t Node>,
    name: &str,
    foreign: &Foreign,
    native: &Native,
) -> Vec<&'t Node> {
    let groups = written.iter().filter_map(|(key, node)| Some((key.strip_prefix("group/")?, *node)));
    let ours = groups.filter(|(group, _)| is_member(group, name, foreign, native)).map(|(_, node)| node);
    ours.chain(written.get(name).copied()).collect()
}

fn is_member(group: &str, name: &str, foreign: &Foreign, native: &Native) -> bool {
    let collection = name.rsplit_once('.').map_or("", |(collection, _)| collection);
    if in_group(group.rsplit('.').next().unwrap_or(group), collection) {
        return true;
    }
    let members = foreign.action_group(group).ok().flatten().unwrap_or_default();
    members.iter().any(|member| member == name)
        || members.iter().any(|member| foreign.defaults_key(member, native).as_deref() == Some(name))
}

/// Whether a collection is in one of the action groups that this program knows.
fn in_group(group: &str, collection: &str) -> bool {
    match group {
        "aws" => matches!(collection, "amazon.aws" | "community.aws"),
        "postgresql" => collection == "community.postgresql",
        _ => false,
    }
}
