//! `set_stats`

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::Effect;

/// Sets statistics of the run, shown after the recap where `show_custom_stats` asks for it.
#[derive(Deserialize, JsonSchema)]
pub struct SetStats {
    /// The statistics, by name.
    #[schemars(extend("format" = "raw"))]
    data: serde_json::Value,
    /// Keep them for each host, rather than for the run.
    #[serde(default)]
    per_host: bool,
    /// Add to what was set before, rather than replace it.
    #[serde(default = "yes")]
    aggregate: bool,
}

fn yes() -> bool {
    true
}

impl Action for SetStats {
    const DOC: Doc = Doc {
        name: "set_stats",
        short: "Set statistics of the run",
        examples: "- set_stats:\n    data:\n      deployed_image: \"{{ image }}\"\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let Value::Map(data) = Value::from_json(self.data) else {
            return Err(Failure::new("The 'data' option needs to be a dictionary/hash"));
        };
        for key in data.keys() {
            if !super::set_fact::is_identifier(&key.to_text()) {
                return Err(Failure::new(format!(
                    "The variable name {} is not valid.",
                    playbook_api::python::repr(key)
                )));
            }
        }
        let host = self.per_host.then(|| call.item.host.clone());
        call.effects.push(Effect::Stats { host, data: (*data).clone(), aggregate: self.aggregate });
        let stats = playbook_api::map! { "data" => Value::Map(data), "per_host" => self.per_host, "aggregate" => self.aggregate };
        Ok(Outcome::default().with("ansible_stats", stats))
    }
}
