//! `gather_facts`

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};

/// Gathers facts with the modules of `facts_modules`, `setup` as a rule.
#[derive(Deserialize, JsonSchema)]
pub struct GatherFacts {
    /// Gather with several modules at once.
    #[serde(rename = "parallel")]
    _parallel: Option<bool>,
    /// Which facts, as `setup` takes it.
    #[serde(rename = "gather_subset")]
    _gather_subset: Option<Vec<String>>,
    /// Seconds a single fact may take.
    #[serde(rename = "gather_timeout")]
    _gather_timeout: Option<i64>,
    /// The folder of local facts.
    #[serde(rename = "fact_path")]
    _fact_path: Option<String>,
    /// Only facts of these names.
    #[serde(rename = "filter")]
    _filter: Option<Vec<String>>,
}

impl Action for GatherFacts {
    const DOC: Doc = Doc {
        name: "gather_facts",
        short: "Gather facts about a host",
        examples: "- gather_facts:\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let mut args: Arguments = call.args.clone();
        args.values.shift_remove("parallel");
        call.call_module("ansible.builtin.setup", args)
    }
}
