//! `add_host`

use std::sync::Arc;

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::document::Node;
use crate::run::call::effect::Effect;

/// Adds a host to the inventory of this run. Any further argument is a variable of the host.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct AddHost {
    /// The name of the host, optionally with a port after a colon.
    #[schemars(extend("format" = "raw", "aliases" = ["host", "hostname"]))]
    name: serde_json::Value,
    /// The groups that the host becomes a member of.
    #[schemars(extend("format" = "raw", "aliases" = ["group", "groupname"]))]
    groups: Option<serde_json::Value>,
}

impl Action for AddHost {
    const DOC: Doc = Doc {
        name: "add_host",
        short: "Adds a host to the inventory of this run",
        examples: "- add_host:\n    name: \"{{ instance.private_ip }}\"\n    groups: [web]\n    ansible_user: ec2-user\n",
        ..BUILTIN
    };
    const FREE: bool = true;
    const ONCE: bool = true;
    const MISSING: Option<&'static str> = Some("name, host or hostname needs to be provided");

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let name = match Value::from_json(self.name) {
            Value::Null => return Err(Failure::new("name, host or hostname needs to be provided")),
            Value::List(_) | Value::Map(_) => {
                return Err(Failure::new("name, host or hostname must be a string"));
            }
            name => name.to_text().trim().to_owned(),
        };
        if name.is_empty() {
            return Err(Failure::new("name, host or hostname needs to be provided"));
        }
        let (name, port) = match name.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => {
                (host.to_owned(), port.parse::<i64>().ok())
            }
            _ => (name, None),
        };
        let groups: Vec<Arc<str>> = match self.groups.map(Value::from_json) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.iter().map(|v| Arc::from(v.to_text().trim())).collect(),
            Some(Value::Str(text)) => {
                text.split(',').map(|t| Arc::from(t.trim())).filter(|t: &Arc<str>| !t.is_empty()).collect()
            }
            Some(_) => return Err(Failure::new("Groups must be specified as a list.")),
        };
        let reserved = ["name", "host", "hostname", "groups", "group", "groupname"];
        let mut vars: crate::inventory::Vars = call
            .args
            .values
            .iter()
            .filter(|(k, _)| !k.as_str().is_some_and(|k| reserved.contains(&k)))
            .map(|(k, v)| (Arc::from(&*k.to_text()), Node::value(call.item.task.place.clone(), v.clone())))
            .collect();
        if let Some(port) = port {
            vars.insert("ansible_ssh_port".into(), Node::value(call.item.task.place.clone(), port));
        }
        let shown: playbook_api::Map = vars.iter().map(|(k, n)| (Value::from(k.clone()), n.raw())).collect();
        let name: Arc<str> = name.into();
        let result = map! { "host_name" => name.clone(), "groups" => groups.clone(), "host_vars" => shown };
        let known = {
            let inventory = call.scope.base.inventory();
            inventory.hosts.get(&name).is_some_and(|host| {
                groups.iter().all(|g| host.groups.contains(g))
                    && vars.iter().all(|(k, v)| host.vars.get(k).is_some_and(|old| old.raw() == v.raw()))
            })
        };
        call.effects.push(Effect::AddHost { name, groups, vars });
        Ok(Outcome::changed(!known).with("add_host", result))
    }
}
