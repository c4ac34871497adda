//! Inventory scripts: programs that answer `--list` and `--host` with JSON.

use std::path::Path;
use std::process::Command;

use indexmap::{IndexMap, IndexSet};
use playbook_api::{Error, Place, Value};

use super::builder::Builder;
use crate::document::{Entry, Kind, Node, Trust, parse_json};

/// Runs a script, and reads its output.
pub(super) fn read(builder: &mut Builder, path: &Path) -> Result<(), Error> {
    let name = format!("<inventory script output from '{}'>", path.display());
    let (text, said) = run(path, &["--list"])?;
    check_profile(&text, &name).map_err(|cause| {
        with_stderr(Error::new("Unable to get JSON decoder for inventory script result."), &said)
            .caused_by(cause)
    })?;
    let document = parse_json(&text, &name, Trust::Templates).map_err(|cause| {
        with_stderr(Error::new("Inventory script result could not be parsed as JSON."), &said)
            .caused_by(cause)
    })?;
    if builder.settings.inventory_script_stderr && !said.trim().is_empty() {
        builder.warn(said.trim_end());
    }
    let mut hosts = IndexSet::new();
    let variables = document_groups(builder, &document, &mut hosts)?;
    if variables.is_none() {
        builder.deprecate(
            "Inventory scripts should always provide 'meta.hostvars'. Host variables will be collected by running the \
             inventory script with the '--host' option for each host.",
        );
    }
    for host in hosts {
        let got = match &variables {
            Some(variables) => variables.get(host.as_str()).map(|entry| entry.node.clone()),
            None => host_variables(path, &host)?,
        };
        let Some(got) = got else { continue };
        let known = got.as_map().ok_or_else(|| {
            let raw = got.raw();
            Error::new(format!("Invalid data from file, expected dictionary and got:\n\n{raw}"))
                .at(got.place())
        })?;
        for (name, entry) in known {
            builder.set_host_var(&host, &name.to_text(), entry.node.clone());
        }
    }
    Ok(())
}

/// Checks `_meta.profile`, which must be one of the profiles of inventories.
fn check_profile(text: &str, name: &str) -> Result<(), Error> {
    let document = parse_json(text, name, Trust::Text)
        .map_err(|cause| Error::new("Value could not be parsed as JSON.").caused_by(cause))?;
    if document.as_map().is_none() {
        let found = document.raw().type_name();
        return Err(Error::new(format!("Value is '{found}' instead of 'dict'.")).at(document.place()));
    }
    let Some(meta) = document.get("_meta") else { return Ok(()) };
    if meta.as_map().is_none() {
        return Err(wrong("_meta", "dict", meta));
    }
    let Some(profile) = meta.get("profile") else { return Ok(()) };
    match profile.source() {
        None => Err(wrong("_meta.profile", "str", profile)),
        Some("inventory_legacy") => Ok(()),
        Some(other) if other.starts_with("inventory_") => {
            Err(Error::new(format!("Unknown profile name '{other}'.")).at(profile.place()))
        }
        Some(other) => {
            Err(Error::new(format!("Non-inventory profile '{other}' is not allowed.")).at(profile.place()))
        }
    }
}

/// Returns a value without templates: its texts are plain.
fn untrusted(node: &Node) -> Node {
    let place = node.place().clone();
    match node.kind() {
        Kind::Value(Value::Str(text)) => Node::value(place, text.as_str().to_owned()),
        Kind::Template(template) => Node::value(place, template.source().to_string()),
        Kind::List(items) => Node::new(place, Kind::List(items.iter().map(untrusted).collect())),
        Kind::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, entry)| (key.clone(), Entry { node: untrusted(&entry.node), ..entry.clone() }));
            Node::new(place, Kind::Map(entries.collect()))
        }
        Kind::Value(_) | Kind::Vault(_) => node.clone(),
    }
}

/// Adds the groups of a `--list` document, collects its hosts, and returns `_meta.hostvars`.
pub(super) fn document_groups<'d>(
    builder: &mut Builder,
    document: &'d Node,
    hosts: &mut IndexSet<String>,
) -> Result<Option<&'d IndexMap<Value, Entry>>, Error> {
    let groups = document.as_map().ok_or_else(|| {
        Error::new(format!("Value is '{}' instead of 'dict'.", document.raw().type_name()))
            .at(document.place())
    })?;
    let mut variables = None;
    for (name, entry) in groups {
        if *name == Value::from("_meta") {
            let found = entry.node.get("hostvars");
            variables = found
                .map(|node| node.as_map().ok_or_else(|| wrong("_meta.hostvars", "dict", node)))
                .transpose()?;
        } else {
            group(builder, &name.to_text(), &entry.node, hosts)?;
        }
    }
    Ok(variables)
}

fn wrong(what: &str, wanted: &str, node: &Node) -> Error {
    let found = node.raw().type_name();
    Error::new(format!("Value contains '{what}' which is '{found}' instead of '{wanted}'.")).at(node.place())
}

fn group(builder: &mut Builder, name: &str, node: &Node, hosts: &mut IndexSet<String>) -> Result<(), Error> {
    let name = builder.add_group(name)?;
    let place = node.place().clone();
    let list = |items| Node::new(place.clone(), Kind::List(items));
    let known = |key| node.get(key).cloned();
    let (mut members, mut vars) = (known("hosts"), known("vars"));
    let children = known("children");
    if node.as_map().is_none() {
        // An old script: the group is the list of its hosts.
        let kind = node.raw().type_name();
        builder.deprecate(format!("Group '{name}' was converted to 'dict' from '{kind}'."));
        members = Some(node.clone());
    } else if members.is_none() && vars.is_none() && children.is_none() {
        members = Some(list(vec![Node::value(place.clone(), name.clone())]));
        vars = Some(untrusted(node));
        builder.deprecate(format!(
            "Treating malformed group '{name}' as the sole host of that group. Variables provided in this \
            manner cannot \
             be templated."
        ));
    }
    if let Some(members) = members {
        let items = members.as_list().ok_or_else(|| wrong(&format!("{name}.hosts"), "list", &members))?;
        for item in items {
            let host = item.source().ok_or_else(|| wrong(&format!("{name}.hosts"), "list of names", item))?;
            let host = builder.add_host(host).map_err(|e| e.at(item.place()))?;
            builder.inventory.add_member(&name, &host);
            hosts.insert(host.to_string());
        }
    }
    if let Some(vars) = vars {
        let vars = vars.as_map().ok_or_else(|| wrong(&format!("{name}.vars"), "dict", &vars))?;
        for (key, entry) in vars {
            builder.set_group_var(&name, &key.to_text(), entry.node.clone())?;
        }
    }
    for child in children.iter().filter_map(Node::as_list).flatten() {
        let child_name =
            child.source().ok_or_else(|| wrong(&format!("{name}.children"), "list of names", child))?;
        let child_name = builder.add_group(child_name)?;
        builder.inventory.add_child(&name, &child_name).map_err(|e| e.at(child.place()))?;
    }
    Ok(())
}

/// Returns the variables of a host from an old script, one without `_meta`.
fn host_variables(path: &Path, host: &str) -> Result<Option<Node>, Error> {
    let (text, said) = run(path, &["--host", host])?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let name = format!("<inventory script output from '{}' for host '{host}'>", path.display());
    parse_json(&text, &name, Trust::Templates).map(Some).map_err(|cause| {
        let fault = format!("Inventory script result for host '{host}' could not be parsed as JSON.");
        with_stderr(Error::new(fault), &said).caused_by(cause)
    })
}

fn run(path: &Path, arguments: &[&str]) -> Result<(String, String), Error> {
    let place = Place::file_only(path.to_string_lossy());
    let output = Command::new(path).args(arguments).output().map_err(|e| {
        Error::new(format!(
            "Failed to execute inventory script command '{} {}': {e}",
            path.display(),
            arguments.join(" ")
        ))
        .at(&place)
        .with_help(
            "A script needs a first line such as '#!/usr/bin/env python3'; remove the \
                executable bit of a file that is not a script.",
        )
    })?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        let code = output.status.code().unwrap_or(-1);
        let fault = Error::new(format!("Inventory script returned non-zero exit code {code}.")).at(&place);
        return Err(with_stderr(fault, &said));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| {
        let fault = "Inventory script result contained characters that cannot be interpreted as UTF-8.";
        with_stderr(Error::new(fault).at(&place), &said)
    })?;
    Ok((text, said))
}

fn with_stderr(error: Error, said: &str) -> Error {
    if said.trim().is_empty() {
        error
    } else {
        error.with_help(format!("Standard error from inventory script:\n{}", said.trim_end()))
    }
}
