//! `gather_facts`

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::arguments;
use crate::template::{Renderer, Scope};

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
        let mut setup: Arguments = call.args.clone();
        setup.values.shift_remove("parallel");
        let mut all = Outcome::default();
        for name in modules(call)? {
            // The options are those of `setup`; what the module's own defaults say comes behind them.
            let given = match name.rsplit('.').next() {
                Some("setup") => setup.values.clone(),
                _ => setup.values.iter().filter(|(k, _)| !is_of_setup(k)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            };
            let mut values = arguments::defaults_of(call, &name)?;
            values.extend(given.into_iter().filter(|(_, value)| !value.is_null()));
            let args = Arguments { values, ..setup.clone() };
            let mut outcome = call.call_module(&name, args)?;
            // Modules in other languages return them as one value among others.
            if let Some(Value::Map(facts)) = outcome.values.shift_remove("ansible_facts") {
                outcome.facts.extend((*facts).clone());
            }
            merge(&mut all.facts, outcome.facts);
            all.warnings.extend(outcome.warnings);
            all.values.extend(outcome.values);
        }
        all.facts.insert("_ansible_facts_gathered".into(), true.into());
        Ok(all)
    }
}

fn is_of_setup(option: &Value) -> bool {
    matches!(option.as_str(), Some("gather_subset" | "gather_timeout" | "filter" | "fact_path"))
}

/// Adds what another module found: to dicts what they lack, to lists what is not in them yet, at their end.
fn merge(facts: &mut Map, more: Map) {
    for (name, new) in more {
        let merged = match (facts.get(&name), new) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let mut both = (**old).clone();
                merge(&mut both, (*new).clone());
                both.into()
            }
            (Some(Value::List(old)), Value::List(new)) => {
                let kept = old.iter().filter(|item| !new.contains(item));
                kept.chain(new.iter()).cloned().collect()
            }
            (_, new) => new,
        };
        facts.insert(name, merged);
    }
}

/// The modules that gather: the variable `ansible_facts_modules`, or the setting.
fn modules(call: &ActionCall) -> Result<Vec<String>, Failure> {
    let named = match call.scope.get("ansible_facts_modules").transpose()? {
        Some(value) => Renderer::finalize(value)?,
        None => call.item.play.shared.settings.facts_modules.clone().into(),
    };
    let names: Vec<String> = match &named {
        Value::List(items) => items.iter().map(|name| name.to_text().into_owned()).collect(),
        one => one.to_text().split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let smart = |name: String| if name == "smart" { "ansible.builtin.setup".into() } else { name };
    Ok(names.into_iter().map(smart).collect())
}
