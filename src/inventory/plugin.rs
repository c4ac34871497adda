//! Sources that an inventory plugin in Python reads: it receives the inventory so far, and returns the new
//! one.

use playbook_api::{Error, Map, Place, Plugins, Value, map};

use super::builder::Builder;
use crate::document::{Entry, Kind, Node, Trust};

/// Reads a source with a plugin. Returns whether there is one of the name.
pub(super) fn read(
    builder: &mut Builder,
    name: &str,
    source: &str,
    plugins: &dyn Plugins,
) -> Result<bool, Error> {
    let Some(made) = plugins.inventory(name, source, &known(builder))? else { return Ok(false) };
    let place = Place::file_only(source);
    let names = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_list).unwrap_or_default();
        items.iter().map(|name| name.to_text().into_owned()).collect()
    };
    let entries = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    for (host, vars) in &entries(made.get("hosts")) {
        let host = builder.add_host(&host.to_text())?;
        for (name, value) in vars.as_map().into_iter().flatten() {
            let name = name.to_text();
            let node = node(&place, value);
            let old = builder.inventory.hosts.get(&host).and_then(|host| host.vars.get(&*name));
            if old.is_none_or(|old| old.marked() != node.marked()) {
                builder.set_host_var(&host, &name, node);
            }
        }
    }
    let groups = entries(made.get("groups"));
    for group in groups.keys() {
        builder.inventory.put_group(&group.to_text())?;
    }
    for (group, content) in &groups {
        let group = group.to_text();
        for host in names(content.get("hosts")) {
            builder.inventory.add_member(&group, &host);
        }
        for child in names(content.get("children")) {
            builder.inventory.add_child(&group, &child)?;
        }
        for (name, value) in &entries(content.get("vars")) {
            let name = name.to_text();
            let node = node(&place, value);
            let old = builder.inventory.groups.get(&*group).and_then(|group| group.vars.get(&*name));
            if old.is_none_or(|old| old.marked() != node.marked()) {
                builder.set_group_var(&group, &name, node)?;
            }
        }
    }
    Ok(true)
}

/// Returns the inventory so far.
fn known(builder: &Builder) -> Map {
    let vars = |vars: &super::model::Vars| -> Value {
        vars.iter().map(|(name, node)| (Value::from(name.clone()), node.marked())).collect::<Map>().into()
    };
    let names = |names: &indexmap::IndexSet<std::sync::Arc<str>>| -> Value {
        names.iter().map(|name| Value::from(name.clone())).collect()
    };
    let inventory = &builder.inventory;
    let hosts: Map =
        inventory.hosts.iter().map(|(name, host)| (Value::from(name.clone()), vars(&host.vars))).collect();
    let groups = inventory.groups.iter().map(|(name, group)| {
        let content = map! {
            "hosts" => names(&group.hosts), "children" => names(&group.children), "vars" => vars(&group.vars),
        };
        (Value::from(name.clone()), content.into())
    });
    map! { "hosts" => hosts, "groups" => groups.collect::<Map>() }
}

/// Converts a plugin's value to a written one: text is a template if the plugin marked it as trusted.
fn node(place: &Place, value: &Value) -> Node {
    match value {
        Value::Str(text) if text.is_trusted() => Node::text(place.clone(), text.as_str(), Trust::Templates),
        Value::List(items) | Value::Tuple(items) => {
            Node::new(place.clone(), Kind::List(items.iter().map(|item| node(place, item)).collect()))
        }
        Value::Map(map) => {
            let entry = |value: &Value| Entry { key: place.clone(), node: node(place, value) };
            let entries = map.iter().map(|(key, value)| (key.clone(), entry(value)));
            Node::new(place.clone(), Kind::Map(entries.collect()))
        }
        other => Node::value(place.clone(), other.clone()),
    }
}
