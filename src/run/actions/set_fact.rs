//! `set_fact`

use std::sync::Arc;

use playbook_api::{Doc, Failure, JsonSchema, Map, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, exception};
use crate::document::{Node, Trust};
use crate::playbook::check_variable_name;
use crate::run::call::effect::Effect;
use crate::run::call::keyword;

/// Sets variables of a host for the rest of the run. Each argument is a variable.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct SetFact {
    /// Whether to keep the variables as facts, too: in `ansible_facts` and in the fact cache, if there is one.
    #[serde(default)]
    cacheable: bool,
}

impl Action for SetFact {
    const DOC: Doc = Doc {
        name: "set_fact",
        short: "Sets variables of a host",
        free_form: true,
        returns: &[("ansible_facts", "dict", "the variables")],
        examples: "- set_fact:\n    image: \"{{ ecr_repo }}/{{ app_name }}:{{ image_tag }}\"\n",
        ..BUILTIN
    };
    const FREE: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let names = call.args.values.iter().filter(|(k, _)| k.as_str() != Some("cacheable"));
        let values: Vec<(Arc<str>, Value)> =
            names.map(|(k, v)| Ok((name(call, k)?, v.clone()))).collect::<Result<_, Failure>>()?;
        if values.is_empty() {
            return Err(Failure::new(
                "No key/value pairs provided, at least one is required for this action to succeed",
            ));
        }
        let facts: Map = values.iter().map(|(k, v)| (Value::from(k.clone()), v.clone())).collect();
        let delegate = keyword::of(call.item.task, &call.renderer()).delegate_facts()? == Some(true);
        let host = if delegate { call.target().clone() } else { call.item.host.clone() };
        call.carry.extend(values.iter().cloned());
        call.effects.push(Effect::Set { host: host.clone(), values });
        if self.cacheable {
            call.effects.push(Effect::Facts { host, facts: facts.clone() });
        }
        let mut outcome = Outcome { facts, ..Outcome::default() };
        if self.cacheable {
            outcome = outcome.with("_ansible_facts_cacheable", true);
        }
        Ok(outcome)
    }
}

/// Returns the name of a variable, which may be a template if it was written in the task.
fn name(call: &ActionCall, key: &Value) -> Result<Arc<str>, Failure> {
    let written = key.as_str().and_then(|k| call.written(k));
    let place = written.map_or(&call.item.task.place, Node::place);
    let name = match written {
        Some(_) => call.renderer().value(&Node::text(place.clone(), &*key.to_text(), Trust::Templates))?,
        None => key.clone(),
    };
    check_variable_name(&name, place).map_err(exception)?;
    Ok(name.shared_text())
}
