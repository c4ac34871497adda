//! `import-terraform`: a static inventory from a state.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::python::{JsonStyle, json};
use playbook_api::{Context, Error, Map, Place, Value};

use super::{Source, fetch, variable_name};
use crate::document::{Entry, Kind, Node, Trust, VaultText, to_yaml};
use crate::inventory::Vars;
use crate::inventory::builder::Loading;
use crate::vault::Keyring;

/// Writes a YAML inventory with a state's outputs as variables of `all`.
///
/// Sensitive outputs are encrypted if there is a vault password, and left out if there is none. A vault holds
/// text: an output of another type is encrypted as JSON in the variable `vault_NAME`, and `NAME` reads it.
pub fn import(
    location: &str,
    workspace: Option<&str>,
    keyring: &Arc<Keyring>,
    context: &Context,
) -> Result<String, Error> {
    let extra = Vars::default();
    let loading = Loading { keyring, context, extra: &extra };
    let source = Source {
        location: location.to_owned(),
        workspace: workspace.map(str::to_owned),
        workspace_key_prefix: None,
        binary: None,
        options: Map::default(),
        resources: false,
        loading: &loading,
    };
    let state = fetch::fetch(&source)?;
    let place = Place::file_only(location);
    let mut vars: IndexMap<Value, Entry> = IndexMap::new();
    let mut put = |name: String, node: Node| vars.insert(name.into(), Entry { key: place.clone(), node });
    let vault = |text: &str| -> Result<Node, Error> {
        let envelope = keyring.encrypt(text.as_bytes(), None)?.into();
        Ok(Node::new(place.clone(), Kind::Vault(VaultText { envelope })))
    };
    let mut left_out = Vec::new();
    for (output, found) in &state.outputs {
        let name = variable_name(output);
        match &found.value {
            value if !found.sensitive => {
                put(name, Node::value(place.clone(), value.clone()));
            }
            _ if keyring.is_empty() => left_out.push(name),
            Value::Str(text) => {
                put(name, vault(text)?);
            }
            value => {
                let style = JsonStyle { indent: None, sort_keys: false, ensure_ascii: false };
                let reference = format!("{{{{ vault_{name} | from_json }}}}");
                put(format!("vault_{name}"), vault(&json(value, style))?);
                put(name, Node::text(place.clone(), reference, Trust::Templates));
            }
        }
    }
    let map = |name: &str, node: Node| {
        let entry = Entry { key: place.clone(), node };
        Node::new(place.clone(), Kind::Map(IndexMap::from([(Value::from(name), entry)])))
    };
    let document = map("all", map("vars", Node::new(place.clone(), Kind::Map(vars))));
    let mut text =
        format!("# The outputs of {location}, written by `playbook inventory import-terraform`.\n");
    for name in left_out {
        text.push_str(&format!("# {name} is sensitive and left out: give a vault password to encrypt it.\n"));
    }
    text.push_str(&to_yaml(&document)?);
    Ok(text)
}
