//! Reads TOML inventories, and prints inventories as `ansible-inventory --toml` does.

use playbook_api::python::{JsonStyle, json, json_key};
use playbook_api::{Error, ErrorKind, Map, Place, Value};
use toml::Value as Toml;

use super::builder::Builder;
use crate::document::{Kind, Node, Trust};

/// Reads a TOML inventory: a table for each group, with `hosts`, `vars` and a list of `children`.
pub(super) fn read(builder: &mut Builder, text: &str, path: &str) -> Result<(), Error> {
    let document: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line =
            e.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() as u32 + 1);
        let fault = format!("TOML file '{path}' is invalid: {}", e.message());
        Error::new(fault).with_kind(ErrorKind::Syntax).at(&Place::new(path, line, 0))
    })?;
    let place = Place::file_only(path);
    if document.is_empty() {
        return Err(Error::new("Parsed empty TOML file").at(&place));
    }
    if document.contains_key("plugin") {
        return Err(Error::new("Plugin configuration TOML file, not TOML inventory").at(&place));
    }
    for (name, table) in document {
        let value = value_of(table);
        group(builder, &name, &Node::from_value(&place, value, Trust::Templates))?;
    }
    Ok(())
}

fn group(builder: &mut Builder, name: &str, node: &Node) -> Result<(), Error> {
    let Some(sections) = node.as_map() else {
        builder.warn(format!("Skipping '{name}' as this is not a valid group definition"));
        return Ok(());
    };
    let name = builder.add_group(name)?;
    let wrong = |key: &str, wanted: &str, node: &Node| {
        let found = node.raw().type_name();
        let fault = format!(
            "Invalid \"{key}\" entry for \"{name}\" group, requires a {wanted}, found \"{found}\" instead."
        );
        Error::new(fault).at(node.place())
    };
    for (key, entry) in sections {
        let node = &entry.node;
        let map = || node.as_map().ok_or_else(|| wrong(&key.to_text(), "dict", node));
        match &*key.to_text() {
            "vars" => {
                for (variable, entry) in map()? {
                    builder.set_group_var(&name, &variable.to_text(), entry.node.clone())?;
                }
            }
            "children" => {
                for child in node.as_list().ok_or_else(|| wrong("children", "list", node))? {
                    let child = builder.add_group(&child.raw().to_text())?;
                    builder.inventory.add_child(&name, &child).map_err(|e| e.at(node.place()))?;
                }
            }
            "hosts" => {
                for (host, entry) in map()? {
                    let vars = entry.node.as_map().ok_or_else(|| wrong("hosts", "dict", &entry.node))?;
                    builder.add_hosts(&host.to_text(), &name, vars.iter())?;
                }
            }
            other => builder.warn(format!(
                "Skipping unexpected key \"{other}\" in group \"{name}\", only \"vars\", \"children\" \
                and \"hosts\" are valid"
            )),
        }
    }
    Ok(())
}

fn value_of(toml: Toml) -> Value {
    match toml {
        Toml::String(text) => text.into(),
        Toml::Integer(n) => n.into(),
        Toml::Float(n) => n.into(),
        Toml::Boolean(b) => b.into(),
        Toml::Datetime(time) => time.to_string().into(),
        Toml::Array(items) => items.into_iter().map(value_of).collect(),
        Toml::Table(table) => {
            Value::from(table.into_iter().map(|(k, v)| (k.into(), value_of(v))).collect::<Map>())
        }
    }
}

/// Writes a map of groups: simple values first, then a table for each map in it.
pub(super) fn write(node: &Node) -> String {
    let mut out = String::new();
    table(&mut out, &mut Vec::new(), node);
    out
}

fn table(out: &mut String, path: &mut Vec<String>, node: &Node) {
    let members = || node.as_map().into_iter().flatten();
    let is_table = |node: &Node| matches!(node.kind(), Kind::Map(_));
    let simple: Vec<_> = members().filter(|(_, entry)| !is_table(&entry.node)).collect();
    if !path.is_empty() && (!simple.is_empty() || members().next().is_none()) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("[{}]\n", path.join(".")));
    }
    for (name, entry) in simple {
        // TOML has no null: what is null is not written.
        if !entry.node.is_null() {
            out.push_str(&format!("{} = {}\n", key(name), value(&entry.node.raw())));
        }
    }
    for (name, entry) in members().filter(|(_, entry)| is_table(&entry.node)) {
        path.push(key(name));
        table(out, path, &entry.node);
        path.pop();
    }
}

fn key(name: &Value) -> String {
    let name = json_key(name);
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { name } else { text(&name) }
}

fn text(text: &str) -> String {
    json(&text.into(), JsonStyle { indent: None, sort_keys: false, ensure_ascii: false })
}

fn value(of: &Value) -> String {
    match of {
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            json(of, JsonStyle { indent: None, sort_keys: false, ensure_ascii: false })
        }
        Value::List(items) | Value::Tuple(items) if items.is_empty() => "[]".into(),
        Value::List(items) | Value::Tuple(items) => {
            let lines: String = items.iter().map(|item| format!("    {},\n", value(item))).collect();
            format!("[\n{lines}]")
        }
        Value::Map(map) => {
            let members: Vec<String> =
                map.iter().map(|(k, v)| format!("{} = {}", key(k), value(v))).collect();
            if members.is_empty() { "{}".into() } else { format!("{{ {} }}", members.join(", ")) }
        }
        other => text(&other.to_text()),
    }
}
