//! The arguments of a task: those of `module_defaults`, then those that the task gives, rendered.

use std::collections::HashMap;

use playbook_api::{Arguments, Error, Place, Value};

use crate::playbook::Task;
use crate::run::call::ItemCall;
use crate::run::module::defaults;
use crate::template::Scope;
use crate::vars::HostScope;

/// With facts as variables, a host's fact may have the name of the variable that the arguments come from.
const UNSAFE: &str = "Using a template for task args is unsafe in some situations \
    (see https://docs.ansible.com/ansible/devel/reference_appendices/faq.html#argsplat-unsafe).";

/// Renders the arguments. Those named in `raw` are left out: the action reads them as they were written.
pub(crate) fn finalize(call: &ItemCall, scope: &HostScope, raw: &[&str]) -> Result<Arguments, Error> {
    let task = call.task;
    let renderer = scope.renderer();
    let whole = |e: Error| {
        e.context(format!("Finalization of task args for '{}' failed.", full_name(task))).at(&task.place)
    };
    let mut values = defaults::of_task(call, &renderer).map_err(whole)?;
    let mut places: HashMap<String, Place> = HashMap::new();
    let mut keys: HashMap<String, Place> = HashMap::new();
    if let Some(node) = &task.action.variable_args {
        if scope.base.inject_facts {
            scope.warn(Error::new(UNSAFE).at(node.place()));
        }
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
                let message = format!("Task args must resolve to a 'dict' not '{}'.", other.type_name());
                return Err(whole(Error::new(message).at(node.place())));
            }
        }
    }
    for (name, node) in &task.action.args {
        places.insert(name.to_string(), node.place().clone());
        keys.insert(name.to_string(), node.key_place());
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
    Ok(Arguments { values, places, keys, place: Some(task.action.place.clone()) })
}

/// Returns the full name of a task's action: `ansible.builtin.debug` for `debug`.
fn full_name(task: &Task) -> String {
    if task.action.name.contains('.') {
        task.action.name.to_string()
    } else {
        format!("ansible.builtin.{}", task.action.name)
    }
}
