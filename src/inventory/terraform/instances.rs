//! Hosts of a state's resources.

use playbook_api::{Error, Value};

use super::state::State;
use super::text_of;
use crate::document::Node;
use crate::inventory::builder::Builder;

/// Adds a host for every instance of the resources an entry means.
pub fn add(builder: &mut Builder, state: &State, entry: &Node) -> Result<(), Error> {
    let text = |name: &str| entry.get(name).and_then(Node::source);
    let wanted =
        text("type").ok_or_else(|| Error::new("an entry of 'instances' needs a 'type': aws_instance"))?;
    let resource_name = text("resource");
    for resource in &state.resources {
        let says = |key: &str, value: &str| resource.get(key).and_then(Value::as_str) == Some(value);
        let managed = resource.get("mode").is_none_or(|mode| mode.as_str() == Some("managed"));
        if !managed || !says("type", wanted) || resource_name.is_some_and(|name| !says("name", name)) {
            continue;
        }
        for instance in resource.get("instances").and_then(Value::as_list).unwrap_or_default() {
            if let Some(attributes) = instance.get("attributes") {
                add_instance(builder, entry, attributes)?;
            }
        }
    }
    Ok(())
}

fn add_instance(builder: &mut Builder, entry: &Node, attributes: &Value) -> Result<(), Error> {
    let path_or = |option: &str, defaults: &[&str]| match entry.get(option).and_then(Node::source) {
        Some(path) => attribute(attributes, path).and_then(text_of),
        None => defaults.iter().find_map(|path| attribute(attributes, path).and_then(text_of)),
    };
    let name = path_or("name", &["tags.Name", "tags_all.Name", "name", "id"]).ok_or_else(|| {
        Error::new("an instance has no name").with_help("Set 'name' to an attribute it has, such as id.")
    })?;
    let host = builder.add_host(&name)?;
    let mut set = |name: &str, value: Value| {
        builder.inventory.set_host_var(&host, name, Node::value(entry.place().clone(), value));
    };
    if let Some(address) =
        path_or("address", &["public_ip", "private_ip", "ipv4_address", "network_interface.0.address"])
    {
        set("ansible_host", address.into());
    }
    for (variable, path) in entry.get("vars").and_then(Node::as_map).into_iter().flatten() {
        let path = path.node.raw();
        if let Some(value) = attribute(attributes, &path.to_text()) {
            set(&variable.to_text(), value.clone());
        }
    }
    for group in entry.get("groups").and_then(Node::as_list).unwrap_or_default() {
        let group = builder.add_group(&group.raw().to_text())?;
        builder.inventory.add_member(&group, &host);
    }
    Ok(())
}

/// An attribute by its path: `tags.Name`, `network_interface.0.address`.
fn attribute<'v>(attributes: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(attributes, |value, step| match value.as_list() {
        Some(items) => items.get(step.parse::<usize>().ok()?),
        None => value.get(step),
    })
}
