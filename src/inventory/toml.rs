//! Inventories as TOML, the way `ansible-inventory --toml` prints them.

use playbook_api::Value;
use playbook_api::python::{JsonStyle, json, json_key};

use crate::document::{Kind, Node};

/// Writes a map of groups: simple values first, then a table for every map inside.
pub fn write(node: &Node) -> String {
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
