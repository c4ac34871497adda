//! `import-terraform`: a static inventory from a state.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Context, Error, Map, Place, Value};

use super::{Source, fetch, variable_name};
use crate::document::{Entry, Kind, Node, VaultText, to_yaml};
use crate::inventory::Vars;
use crate::inventory::builder::Loading;
use crate::vault::Keyring;

/// Writes a YAML inventory with a state's outputs as variables of `all`. Sensitive ones are encrypted where there
/// is a vault password, and left out where there is none.
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
        binary: None,
        options: Map::default(),
        resources: false,
        loading: &loading,
    };
    let state = fetch::fetch(&source)?;
    let mut vars: IndexMap<Value, Entry> = IndexMap::new();
    let mut left_out = Vec::new();
    let place = Place::file_only(location);
    for (output, value) in &state.outputs {
        let name = variable_name(output);
        let kind = match value {
            value if !value.is_secret() => Kind::Value(value.clone()),
            Value::Str(text) if !keyring.is_empty() => {
                Kind::Vault(VaultText { envelope: keyring.encrypt(text.as_bytes(), None)?.into() })
            }
            _ => {
                left_out.push(name);
                continue;
            }
        };
        vars.insert(name.into(), Entry { key: place.clone(), node: Node::new(place.clone(), kind) });
    }
    let map = |name: &str, node: Node| {
        let entry = Entry { key: place.clone(), node };
        Node::new(place.clone(), Kind::Map(IndexMap::from([(Value::from(name), entry)])))
    };
    let document = map("all", map("vars", Node::new(place.clone(), Kind::Map(vars))));
    let mut text =
        format!("# The outputs of {location}, as `playbook inventory import-terraform` read them.\n");
    for name in left_out {
        text.push_str(&format!(
            "# {name} is sensitive: give a vault password to have it written, encrypted.\n"
        ));
    }
    text.push_str(&to_yaml(&document)?);
    Ok(text)
}
