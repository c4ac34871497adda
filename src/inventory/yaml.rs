//! Reads YAML inventories.

use playbook_api::{Error, Value};

use super::builder::Builder;
use crate::document::{Kind, Node};

/// Reads a YAML inventory: groups by name, with `hosts`, `vars` and `children`.
pub(super) fn read(builder: &mut Builder, document: &Node) -> Result<(), Error> {
    let Some(groups) = document.as_map() else {
        return Err(if document.is_null() {
            Error::new("Parsed empty YAML file").at(document.place())
        } else {
            let found = document.raw().type_name();
            Error::new(format!(
                "YAML inventory has invalid structure, it should be a dictionary, got: {found}"
            ))
            .at(document.place())
        });
    };
    for (name, entry) in groups {
        group(builder, &group_name(name, &entry.key)?, &entry.node)?;
    }
    Ok(())
}

fn group_name(name: &Value, place: &playbook_api::Place) -> Result<String, Error> {
    name.as_str().map(str::to_owned).ok_or_else(|| {
        Error::new(format!(
            "Invalid group name supplied, expected a string but got {} for {name}",
            name.type_name()
        ))
        .at(place)
        .with_help("Put quotes around the name.")
    })
}

/// Reads a group, and returns its name as it was added.
fn group(builder: &mut Builder, name: &str, node: &Node) -> Result<std::sync::Arc<str>, Error> {
    let sections = match node.kind() {
        Kind::Map(map) => map,
        _ if node.is_null() => return builder.add_group(name).map_err(|e| e.at(node.place())),
        _ => {
            builder.warnings.push(
                Error::new(format!("Skipping '{name}' as this is not a valid group definition"))
                    .at(node.place()),
            );
            return Ok(name.into());
        }
    };
    let name = builder.add_group(name).map_err(|e| e.at(node.place()))?;
    for section in ["vars", "children", "hosts"] {
        if let Some(node) = node.get(section)
            && !matches!(node.kind(), Kind::Map(_))
            && !node.is_null()
            && node.source().is_none()
        {
            return Err(Error::new(format!(
                "Invalid \"{section}\" entry for \"{name}\" group, requires a dictionary, found \"{}\" instead.",
                node.raw().type_name()
            ))
            .at(node.place()));
        }
    }
    for (key, entry) in sections {
        let node = &entry.node;
        let key = key.to_text();
        let known = matches!(&*key, "vars" | "children" | "hosts");
        let single = if known { node.source() } else { None };
        match (node.kind(), single) {
            (Kind::Map(_), _) if known => {}
            (_, Some(_)) => {}
            (Kind::Value(Value::Null), _) => continue,
            (Kind::Map(_), _) => {
                builder.warnings.push(
                    Error::new(format!(
                        "Skipping unexpected key ({key}) in group ({name}), only \"vars\", \"children\" and \
                         \"hosts\" are valid"
                    ))
                    .at(&entry.key),
                );
                continue;
            }
            _ => {
                let found = node.raw().type_name();
                builder.warnings.push(
                    Error::new(format!(
                        "Skipping key ({key}) in group ({name}) as it is not a mapping, it is a {found}"
                    ))
                    .at(&entry.key),
                );
                continue;
            }
        }
        let null = Node::value(node.place().clone(), Value::Null);
        // `hosts: web1` is short for a map of that one member.
        let members: Vec<(Value, &playbook_api::Place, &Node)> = match (node.as_map(), single) {
            (Some(map), _) => map.iter().map(|(k, e)| (k.clone(), &e.key, &e.node)).collect(),
            (None, Some(text)) => vec![(Value::from(text), node.place(), &null)],
            (None, None) => Vec::new(),
        };
        for (member, place, node) in members {
            match &*key {
                "vars" => {
                    builder.set_group_var(&name, &member.to_text(), node.clone()).map_err(|e| e.at(place))?
                }
                "children" => {
                    let child = group(builder, &group_name(&member, place)?, node)?;
                    builder.inventory.add_child(&name, &child).map_err(|e| e.at(place))?;
                }
                _ => host(builder, &name, &member, place, node)?,
            }
        }
    }
    Ok(name)
}

fn host(
    builder: &mut Builder,
    group: &str,
    pattern: &Value,
    place: &playbook_api::Place,
    vars: &Node,
) -> Result<(), Error> {
    let pattern = pattern.as_str().ok_or_else(|| {
        Error::new(format!(
            "Host pattern {pattern} must be a string. Enclose integers/floats in quotation marks."
        ))
        .at(place)
    })?;
    let nothing = indexmap::IndexMap::new();
    let vars = match vars.kind() {
        Kind::Map(map) => map,
        Kind::Value(value) if !value.is_true() => &nothing,
        _ => {
            return Err(
                Error::new(format!("The variables of host '{pattern}' must be a map")).at(vars.place())
            );
        }
    };
    builder.add_hosts(pattern, group, vars.iter()).map_err(|e| e.at(place))
}
