//! `set_stats`

use playbook_api::arguments::to_bool;
use playbook_api::spec::CheckedBy;
use playbook_api::{Doc, Error, Failure, JsonSchema, Map, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, exception};
use crate::document::{Node, Trust};
use crate::playbook::check_variable_name;
use crate::run::call::effect::Effect;

/// Sets statistics of the run, which are shown after the recap with the setting `show_custom_stats`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct SetStats {
    /// The statistics by name.
    #[schemars(extend("format" = "raw"))]
    data: Option<serde_json::Value>,
    /// Whether to keep the statistics per host instead of for the run.
    #[schemars(extend("format" = "raw"))]
    per_host: Option<serde_json::Value>,
    /// Whether to add to previous values instead of replacing them. On by default.
    #[schemars(extend("format" = "raw"))]
    aggregate: Option<serde_json::Value>,
}

/// Converts to a boolean; as in Ansible, anything that is not a boolean is false.
fn flag(given: Option<serde_json::Value>, default: bool) -> bool {
    given.map_or(default, |value| to_bool(&Value::from_json(value)).unwrap_or(false))
}

impl Action for SetStats {
    const DOC: Doc = Doc {
        name: "set_stats",
        short: "Sets statistics of the run",
        examples: "- set_stats:\n    data:\n      deployed_image: \"{{ image }}\"\n",
        ..BUILTIN
    };
    const CHECKED_BY: CheckedBy = CheckedBy::Action;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let Value::Map(data) = self.data.map_or_else(|| Map::default().into(), Value::from_json) else {
            return Err(Failure::new("The 'data' option needs to be a dictionary/hash"));
        };
        let data = data
            .iter()
            .map(|(key, value)| Ok((name(call, key)?, value.clone())))
            .collect::<Result<Map, Error>>()
            .map_err(exception)?;
        let (per_host, aggregate) = (flag(self.per_host, false), flag(self.aggregate, true));
        let host = per_host.then(|| call.item.host.clone());
        call.effects.push(Effect::Stats { host, data: data.clone(), aggregate });
        let stats = playbook_api::map! { "data" => Value::from(data), "per_host" => per_host, "aggregate" => aggregate };
        Ok(Outcome::default().with("ansible_stats", stats))
    }
}

/// Returns a name, which may be a template if it was written in the task.
fn name(call: &ActionCall, key: &Value) -> Result<Value, Error> {
    let written = call.written("data").and_then(Node::as_map).and_then(|data| data.get(key));
    let place = written.map_or(&call.item.task.place, |entry| &entry.key);
    let name = match written {
        Some(_) => call.renderer().value(&Node::text(place.clone(), &*key.to_text(), Trust::Templates))?,
        None => key.clone(),
    };
    check_variable_name(&name, place)?;
    Ok(name)
}
