//! The `generator` plugin: hosts from the product of layers.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::builder::{Builder, Loading};
use super::constructed::{environment, render};
use crate::document::Node;
use crate::template::Environment;

/// Reads `layers` and `hosts`, and adds a host for every combination of the layers' values.
pub(super) fn read(builder: &mut Builder, config: &Node, loading: &Loading) -> Result<(), Error> {
    let missing = |what: &str| Error::new(format!("the generator needs '{what}'")).at(config.place());
    let layers = config.get("layers").and_then(Node::as_map).ok_or_else(|| missing("layers"))?;
    let hosts = config.get("hosts").ok_or_else(|| missing("hosts"))?;
    let name = hosts.get("name").ok_or_else(|| missing("hosts.name"))?;
    let environment = environment(loading);
    let mut combinations: Vec<Map> = vec![Map::default()];
    for (layer, entry) in layers {
        let values = entry.node.as_list().ok_or_else(|| missing("a list in every layer"))?;
        if combinations.len().saturating_mul(values.len()) > 1_000_000 {
            return Err(Error::new("the layers make more than a million hosts").at(entry.node.place()));
        }
        let with = |combination: &Map, value: &Node| {
            let mut combination = combination.clone();
            combination.insert(layer.clone(), value.raw());
            combination
        };
        combinations =
            combinations.iter().flat_map(|c| values.iter().map(move |value| with(c, value))).collect();
    }
    for values in combinations {
        let host = builder.add_host(&render(name, &values, &environment)?.to_text())?;
        parents(builder, &Child::Host(host), hosts, &values, &environment)?;
    }
    Ok(())
}

enum Child {
    Host(Arc<str>),
    Group(Arc<str>),
}

fn parents(
    builder: &mut Builder,
    child: &Child,
    node: &Node,
    values: &Map,
    environment: &Arc<Environment>,
) -> Result<(), Error> {
    for parent in node.get("parents").and_then(Node::as_list).unwrap_or_default() {
        let name = parent.get("name").map(|name| render(name, values, environment)).transpose()?;
        let name = name.filter(Value::is_true).ok_or_else(|| {
            let (Child::Host(child) | Child::Group(child)) = child;
            Error::new(format!("Element {child} has a parent with no name.")).at(parent.place())
        })?;
        let group = builder.add_group(&name.to_text())?;
        for (variable, entry) in parent.get("vars").and_then(Node::as_map).into_iter().flatten() {
            // Only text is rendered now; what is inside of a list or map, when it is used.
            let node = match entry.node.source() {
                Some(_) => Node::value(entry.node.place().clone(), render(&entry.node, values, environment)?),
                None => entry.node.clone(),
            };
            builder.inventory.set_group_var(&group, &variable.to_text(), node)?;
        }
        match child {
            Child::Host(host) => {
                builder.inventory.add_member(&group, host);
            }
            Child::Group(below) => {
                builder.inventory.add_child(&group, below).map_err(|e| e.at(parent.place()))?;
            }
        }
        parents(builder, &Child::Group(group), parent, values, environment)?;
    }
    Ok(())
}
