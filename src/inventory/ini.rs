//! Reads INI inventories.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind, Place, Value};

use super::builder::Builder;
use super::literal::literal;
use super::words;
use crate::document::{Entry, Node, Trust};

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// A group that was mentioned before its own section, which must follow.
struct Pending {
    line: u32,
    section: Section,
    parents: Vec<Arc<str>>,
}

/// Reads an INI inventory.
pub(super) fn read(builder: &mut Builder, text: &str, path: &str) -> Result<(), Error> {
    let file: Arc<str> = path.into();
    let mut group: Arc<str> = "ungrouped".into();
    let mut section = Section::Hosts;
    let mut pending: IndexMap<Arc<str>, Pending> = IndexMap::new();
    for (index, line) in text.lines().enumerate() {
        let place = Place::new(file.clone(), index as u32 + 1, 0);
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some((name, kind)) = heading(line) {
            section = match kind {
                "" | "hosts" => Section::Hosts,
                "vars" => Section::Vars,
                "children" => Section::Children,
                other => {
                    return Err(fault(format!("Section [{name}:{other}] has unknown type: {other}"), &place)
                        .with_help("Known are [group], [group:vars] and [group:children]."));
                }
            };
            let known = builder.inventory.groups.len();
            group = builder.add_group(name).map_err(|e| e.at(&place))?;
            let new = builder.inventory.groups.len() > known;
            if new && section == Section::Vars && !pending.contains_key(&group) {
                let waiting = Pending { line: place.line, section, parents: Vec::new() };
                pending.insert(group.clone(), waiting);
            }
            if section != Section::Vars {
                resolve(builder, &mut pending, &group).map_err(|e| e.at(&place))?;
            }
            continue;
        }
        if line.starts_with('[') && (line.ends_with(']') || !line.contains(']')) {
            return Err(fault(format!("Invalid section entry: '{line}'"), &place)
                .with_help("Write [name] or [name:vars], without spaces and other brackets in the name."));
        }
        match section {
            Section::Hosts => host_line(builder, line, &group, &place)?,
            Section::Vars => {
                let Some((name, value)) = line.split_once('=') else {
                    return Err(fault(format!("Expected key=value, got: {line}"), &place));
                };
                let node = value_node(value.trim(), &place);
                builder.set_group_var(&group, name.trim(), node)?;
            }
            Section::Children => {
                let child = child_name(line)
                    .ok_or_else(|| fault(format!("Expected group name, got: {line}"), &place))?;
                if builder.inventory.groups.contains_key(child) {
                    builder.inventory.add_child(&group, child).map_err(|e| e.at(&place))?;
                } else {
                    let waiting = Pending { line: place.line, section, parents: Vec::new() };
                    pending.entry(child.into()).or_insert(waiting).parents.push(group.clone());
                }
            }
        }
    }
    match pending.iter().next() {
        None => Ok(()),
        Some((name, waiting)) => {
            let message = match (waiting.section, waiting.parents.last()) {
                (Section::Children, Some(parent)) => {
                    format!("Section [{parent}:children] includes undefined group '{name}'.")
                }
                _ => format!("Section [{name}:vars] not valid for undefined group '{name}'."),
            };
            Err(fault(message, &Place::new(file, waiting.line, 0))
                .with_help(format!("Add a section [{name}].")))
        }
    }
}

fn fault(message: impl Into<String>, place: &Place) -> Error {
    Error::new(message).with_kind(ErrorKind::Syntax).at(place)
}

/// Parses `[name]` or `[name:kind]`, with an optional comment.
fn heading(line: &str) -> Option<(&str, &str)> {
    let (inside, behind) = line.strip_prefix('[')?.split_once(']')?;
    let behind = behind.trim_start();
    if !(behind.is_empty() || behind.starts_with('#')) {
        return None;
    }
    let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
    let named = !name.is_empty() && !name.contains(char::is_whitespace);
    let word = kind.chars().all(|c| c.is_alphanumeric() || c == '_');
    (named && word && (!kind.is_empty() || !inside.contains(':'))).then_some((name, kind))
}

fn child_name(line: &str) -> Option<&str> {
    let name = line.split(|c: char| c.is_whitespace()).next()?;
    let behind = line[name.len()..].trim_start();
    let valid = !name.is_empty() && !name.contains([':', ']']);
    (valid && (behind.is_empty() || behind.starts_with('#'))).then_some(name)
}

/// Adds a group to the groups that were waiting for its section.
fn resolve(
    builder: &mut Builder,
    pending: &mut IndexMap<Arc<str>, Pending>,
    group: &Arc<str>,
) -> Result<(), Error> {
    let Some(waiting) = pending.shift_remove(group) else { return Ok(()) };
    if waiting.section == Section::Children {
        for parent in waiting.parents {
            builder.inventory.add_child(&parent, group)?;
        }
    }
    Ok(())
}

fn host_line(builder: &mut Builder, line: &str, group: &str, place: &Place) -> Result<(), Error> {
    let mut tokens = words::split(line)
        .map_err(|e| fault(format!("Error parsing host definition '{line}': {e}"), place))?
        .into_iter();
    let Some(pattern) = tokens.next() else { return Ok(()) };
    let mut vars: IndexMap<Value, Entry> = IndexMap::new();
    for token in tokens {
        let Some((name, value)) = token.split_once('=') else {
            return Err(fault(format!("Expected key=value host variable assignment, got: {token}"), place)
                .with_help("Put quotes around a value that holds spaces."));
        };
        vars.insert(name.into(), Entry { key: place.clone(), node: value_node(value, place) });
    }
    if pattern.ends_with(':') {
        return Err(fault(
            format!(
                "Invalid host pattern '{pattern}' supplied, ending in ':' is not allowed, this character is \
                 reserved to provide a port."
            ),
            place,
        ));
    }
    if pattern == "---" {
        return Err(fault(
            "Invalid host pattern '---' supplied, it is normally a sign this is a YAML file.",
            place,
        ));
    }
    builder.add_hosts(&pattern, group, vars.iter()).map_err(|e| e.at(place))
}

/// Returns a value: a Python literal if it is one, else text.
fn value_node(text: &str, place: &Place) -> Node {
    match literal(text) {
        Some(value) => Node::from_value(place, value, Trust::Templates),
        None => Node::text(place.clone(), text, Trust::Templates),
    }
}
