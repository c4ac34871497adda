//! Hosts of a state's resources.

use std::collections::HashMap;
use std::sync::Arc;

use playbook_api::{Context, Error, Value};

use super::state::{State, secret};
use super::text_of;
use crate::document::Node;
use crate::inventory::builder::Builder;

/// The hosts that instances have become: two entries may name the same instance, but two instances never
/// share a host.
#[derive(Default)]
pub(super) struct Hosts {
    /// The hosts by the addresses of their instances.
    hosts: HashMap<String, Arc<str>>,
    /// The addresses of the instances by their hosts.
    addresses: HashMap<Arc<str>, String>,
}

/// One instance of a resource.
struct Instance {
    /// Its address, as Terraform prints it: `module.app.aws_instance.web["a"]`.
    address: String,
    /// What tells it from its siblings: the key of `count` or `for_each`.
    key: Option<String>,
    attributes: Value,
    /// The paths of sensitive attributes.
    sensitive: Vec<Vec<String>>,
}

impl Instance {
    /// Whether an attribute is sensitive, or holds or is part of one that is.
    fn is_sensitive(&self, path: &str) -> bool {
        let overlaps = |sensitive: &Vec<String>| sensitive.iter().zip(path.split('.')).all(|(a, b)| a == b);
        self.sensitive.iter().any(overlaps)
    }
}

impl Hosts {
    /// Adds a host for every instance of the resources that an entry of `instances` names.
    pub(super) fn add(
        &mut self,
        builder: &mut Builder,
        state: &State,
        entry: &Node,
        context: &Context,
    ) -> Result<(), Error> {
        let text = |name: &str| entry.get(name).and_then(Node::source);
        let wanted =
            text("type").ok_or_else(|| Error::new("an entry of 'instances' needs a 'type': aws_instance"))?;
        let named = text("resource");
        for resource in state.resources(wanted)? {
            let name = resource.text("name")?.unwrap_or_default();
            if named.is_some_and(|named| named != name) {
                continue;
            }
            let module = resource.text("module")?.map(|module| module + ".").unwrap_or_default();
            let address = format!("{module}{wanted}.{name}");
            for instance in resource.instances()? {
                // A deposed object was replaced and is waiting to be destroyed.
                let is_deposed = instance.get("deposed").is_some_and(|deposed| !deposed.is_null());
                let attributes = instance.get("attributes").filter(|attributes| !attributes.is_null());
                let Some(attributes) = attributes.filter(|_| !is_deposed) else { continue };
                let mut attributes = attributes.clone();
                let paths = instance.get("sensitive_attributes").and_then(Value::as_list).unwrap_or_default();
                let sensitive: Vec<Vec<String>> = paths.iter().map(steps).collect();
                for path in &sensitive {
                    attributes = marked(attributes, path, context);
                }
                let index = instance.get("index_key").filter(|key| !key.is_null());
                let address = match index {
                    Some(Value::Str(key)) => format!("{address}[\"{}\"]", key.as_str()),
                    Some(key) => format!("{address}[{key}]"),
                    None => address.clone(),
                };
                if instance.get("status").and_then(Value::as_str) == Some("tainted") {
                    builder.warn_once(format!(
                        "{address} is tainted: the next `terraform apply` will replace it"
                    ));
                }
                let key = index.map(|key| key.to_text().into_owned());
                self.add_instance(builder, entry, &Instance { address, key, attributes, sensitive })?;
            }
        }
        Ok(())
    }

    fn add_instance(
        &mut self,
        builder: &mut Builder,
        entry: &Node,
        instance: &Instance,
    ) -> Result<(), Error> {
        let attributes = &instance.attributes;
        let path_or = |option: &str, defaults: &[&str]| match entry.get(option).and_then(Node::source) {
            Some(path) => attribute(attributes, path).and_then(text_of),
            None => defaults.iter().find_map(|path| attribute(attributes, path).and_then(text_of)),
        };
        let name = path_or("name", &["tags.Name", "tags_all.Name", "name", "id"]).ok_or_else(|| {
            Error::new(format!("{} has no name", instance.address))
                .with_help("Set `name` to an attribute that it has, such as `id`.")
        })?;
        let host = self.host(builder, &name, instance)?;
        let mut hidden = Vec::new();
        let mut set = |name: &str, value: Value| {
            builder.inventory.set_host_var(&host, name, Node::value(entry.place().clone(), value));
        };
        if let Some(address) =
            path_or("address", &["public_ip", "private_ip", "ipv4_address", "network_interface.0.address"])
        {
            set("ansible_host", address.into());
        }
        for (variable, path) in entry.get("vars").and_then(Node::as_map).into_iter().flatten() {
            let (variable, path) = (variable.to_text(), path.node.raw());
            if let Some(value) = attribute(attributes, &path.to_text()) {
                set(&variable, value.clone());
                if instance.is_sensitive(&path.to_text()) {
                    hidden.push(variable.into_owned());
                }
            }
        }
        hidden.iter().for_each(|name| builder.inventory.hide(name));
        for group in entry.get("groups").and_then(Node::as_list).unwrap_or_default() {
            let group = builder.add_group(&group.raw().to_text())?;
            builder.inventory.add_member(&group, &host);
        }
        Ok(())
    }

    /// Returns the host of an instance. An instance whose name another one has gets a name of its own.
    fn host(&mut self, builder: &mut Builder, name: &str, instance: &Instance) -> Result<Arc<str>, Error> {
        if let Some(known) = self.hosts.get(&instance.address) {
            return Ok(known.clone());
        }
        let mut unique = name.to_owned();
        if let Some(other) = self.addresses.get(name) {
            let id = attribute(&instance.attributes, "id").and_then(text_of);
            let suffixes = instance.key.iter().chain(&id).chain([&instance.address]);
            let names = suffixes.map(|suffix| format!("{name}-{}", host_name(suffix)));
            let numbered = (2..).map(|number| format!("{name}-{number}"));
            let is_free = |name: &String| !self.addresses.contains_key(name.as_str());
            unique = names.chain(numbered).find(is_free).unwrap_or(unique);
            builder.warn(format!(
                "{} has the name '{name}' of {other}, and becomes the host '{unique}'",
                instance.address
            ));
        }
        let host = builder.add_host(&unique)?;
        self.hosts.insert(instance.address.clone(), host.clone());
        self.addresses.insert(host.clone(), instance.address.clone());
        Ok(host)
    }
}

/// Replaces the characters that a host's name cannot have in a pattern.
fn host_name(text: &str) -> String {
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().map(|c| if valid(c) { c } else { '_' }).collect()
}

/// Returns an attribute by its path: `tags.Name`, `network_interface.0.address`.
fn attribute<'v>(attributes: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(attributes, |value, step| match value.as_list() {
        Some(items) => items.get(step.parse::<usize>().ok()?),
        None => value.get(step),
    })
}

/// Returns the steps of a path in `sensitive_attributes`. Each is `{"type": "get_attr", "value":
/// "password"}`, or `{"type": "index", "value": {"value": 0, "type": "number"}}`.
fn steps(path: &Value) -> Vec<String> {
    let name = |step: &Value| {
        let value = step.get("value")?;
        Some(value.get("value").unwrap_or(value).to_text().into_owned())
    };
    path.as_list().unwrap_or_default().iter().map_while(name).collect()
}

/// Marks what a path leads to as a secret. A step into a set names no item, so all of them are marked; a path
/// that leads nowhere hides the value where it ends.
fn marked(value: Value, path: &[String], context: &Context) -> Value {
    let Some((step, rest)) = path.split_first() else { return secret(value, context) };
    match value {
        Value::Map(mut map) => {
            if let Some(member) = Arc::make_mut(&mut map).get_mut(&Value::from(step.as_str())) {
                *member = marked(std::mem::take(member), rest, context);
            }
            Value::Map(map)
        }
        Value::List(items) => {
            let index = step.parse::<usize>().ok();
            let mark = |(at, item): (usize, &Value)| match index {
                Some(index) if index != at => item.clone(),
                _ => marked(item.clone(), rest, context),
            };
            Value::from(items.iter().enumerate().map(mark).collect::<Vec<_>>())
        }
        value => secret(value, context),
    }
}
