//! `gather_facts`

use std::time::Duration;

use playbook_api::arguments::to_bool;
use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::{arguments, module, pool};
use crate::template::{Renderer, Scope};

/// Gathers facts with the modules of `facts_modules`, `setup` as a rule.
#[derive(Deserialize, JsonSchema)]
pub struct GatherFacts {
    /// Whether several modules gather at once; otherwise they do if there are several.
    parallel: Option<bool>,
    /// Which facts, as `setup` takes it.
    #[serde(rename = "gather_subset")]
    _gather_subset: Option<Vec<String>>,
    /// Seconds a single fact may take; or a whole module that gathers beside others and has no such option.
    gather_timeout: Option<u64>,
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
        call.args.values.shift_remove("parallel");
        let mut all = Outcome::default();
        let names = modules(call, &mut all)?;
        let named =
            call.scope.get("ansible_facts_parallel").transpose()?.map(Renderer::finalize).transpose()?;
        let parallel = named.as_ref().and_then(to_bool).or(self.parallel).unwrap_or(names.len() > 1);
        let mut calls = Vec::new();
        for name in names {
            let args = arguments_of(call, &name, &mut all)?;
            let own_limit = self.gather_timeout.filter(|_| parallel && args.get("gather_timeout").is_none());
            calls.push((name, args, own_limit.map(Duration::from_secs)));
        }
        let (mut failed, mut skipped, mut cause) = (Map::default(), Map::default(), None);
        for (name, done) in run_all(call, &calls, parallel) {
            match done {
                Ok(outcome) if outcome.skipped => {
                    skipped.insert(name.into(), outcome.values.into());
                }
                Ok(outcome) => add(&mut all, outcome),
                Err(failure) if failure.unreachable => return Err(failure),
                Err(failure) => {
                    let mut values = failure.outcome.values;
                    values.insert("msg".into(), failure.error.to_string().into());
                    values.insert("failed".into(), true.into());
                    failed.insert(name.into(), values.into());
                    cause.get_or_insert(failure.error);
                }
            }
        }
        if let Some(cause) = cause {
            let message = format!("The following modules failed to execute: {}.", list(&failed));
            return Err(Failure::from(cause.context(message)).with("failed_modules", failed));
        }
        if !skipped.is_empty() {
            all.skipped = skipped.len() == calls.len();
            let message = format!("The following modules were skipped: {}.", list(&skipped));
            all = all.msg(message).with("skipped_modules", skipped);
        }
        all.facts.insert("_ansible_facts_gathered".into(), true.into());
        Ok(all)
    }
}

/// A module, its arguments, and how long it may take.
type Call = (String, Arguments, Option<Duration>);

/// Runs the modules, one after the other or all at once.
fn run_all(call: &ActionCall, calls: &[Call], parallel: bool) -> Vec<(String, Result<Outcome, Failure>)> {
    let run = |(name, args, limit): &Call| {
        let own = ActionCall {
            check: call.check,
            diff: call.diff,
            delegated: call.delegated,
            limit: *limit,
            ..ActionCall::new(call.item, call.scope)
        };
        let done = module::call(&own, name, args.clone());
        let late = limit.is_some() && matches!(&done, Err(e) if e.outcome.values.contains_key("timedout"));
        (name.clone(), if late { Err(Failure::new("Timeout exceeded")) } else { done })
    };
    if !parallel || calls.len() < 2 {
        return calls.iter().map(run).collect();
    }
    std::thread::scope(|scope| {
        let thread = || std::thread::Builder::new().stack_size(pool::STACK);
        let started: Vec<_> =
            calls.iter().map(|one| thread().spawn_scoped(scope, move || run(one))).collect();
        let ended = calls.iter().zip(started).map(|((name, ..), thread)| {
            let done = thread.map(|thread| thread.join());
            match done {
                Ok(Ok(done)) => done,
                Ok(Err(_)) => (name.clone(), Err(Failure::new("the module broke off"))),
                Err(e) => (name.clone(), Err(e.into())),
            }
        });
        ended.collect()
    })
}

/// What the task says, as far as it concerns this module, and its defaults.
fn arguments_of(call: &ActionCall, name: &str, all: &mut Outcome) -> Result<Arguments, Failure> {
    let mut args = call.args.clone();
    if !is_setup(name) {
        for option in ["gather_subset", "gather_timeout", "filter"] {
            let value = args.values.shift_remove(option).filter(|value| !matches!(value, Value::Null));
            let is_all = |value: &Value| match value {
                Value::List(items) => {
                    items.len() == 1 && items.first().is_some_and(|one| one.to_text() == "all")
                }
                one => one.to_text() == "all",
            };
            if value.is_some_and(|value| option != "gather_subset" || !is_all(&value)) {
                all.warnings.push(format!("{option} is an option of setup: {name} does not get it"));
            }
        }
    }
    args.values.retain(|_, value| !matches!(value, Value::Null));
    let mut values = arguments::defaults(call.item, name, &call.renderer())?;
    values.extend(std::mem::take(&mut args.values));
    Ok(Arguments { values, ..args })
}

fn is_setup(name: &str) -> bool {
    matches!(name, "setup" | "ansible.builtin.setup" | "ansible.legacy.setup")
}

fn list(modules: &Map) -> String {
    modules.keys().map(|name| name.to_text().into_owned()).collect::<Vec<_>>().join(", ")
}

/// Adds what a module found.
fn add(all: &mut Outcome, mut outcome: Outcome) {
    // Modules in other languages return facts as one value among others.
    if let Some(Value::Map(facts)) = outcome.values.shift_remove("ansible_facts") {
        outcome.facts.extend((*facts).clone());
    }
    merge(&mut all.facts, outcome.facts);
    all.warnings.extend(outcome.warnings);
    all.values.extend(outcome.values);
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
fn modules(call: &ActionCall, all: &mut Outcome) -> Result<Vec<String>, Failure> {
    let named = match call.scope.get("ansible_facts_modules").transpose()? {
        Some(value) => Renderer::finalize(value)?,
        None => call.item.play.shared.settings.facts_modules.clone().into(),
    };
    let mut names: Vec<String> = match &named {
        Value::List(items) => items.iter().map(|name| name.to_text().into_owned()).collect(),
        one => one.to_text().split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let Some(smart) = names.iter().position(|name| name == "smart") else { return Ok(names) };
    names.remove(smart);
    let Some(system) = network_system(call)? else {
        if !names.iter().any(|name| is_setup(name)) {
            names.push("ansible.legacy.setup".into());
        }
        return Ok(names);
    };
    match of_network_system(call, &system) {
        Some(module) => names.push(module),
        None if names.is_empty() => {
            let message = format!("No fact modules available for the network OS '{system}'");
            return Err(Failure::new(message).help("name one in the setting facts_modules"));
        }
        None => {}
    }
    if names.iter().any(|name| is_setup(name)) {
        all.warnings.push(
            "Detected 'setup' module and a network OS is set: its facts are the controller's where the connection \
             is one of network devices"
                .into(),
        );
    }
    Ok(names)
}

/// The device's system, as the variable or an earlier fact has it.
fn network_system(call: &ActionCall) -> Result<Option<String>, Failure> {
    let named = match call.scope.get("ansible_network_os").transpose()? {
        Some(value) => Some(Renderer::finalize(value)?),
        None => match call.scope.get("ansible_facts").transpose()? {
            Some(facts) => Renderer::finalize(facts)?.get("network_os").cloned(),
            None => None,
        },
    };
    let named = named.filter(Value::is_true).map(|system| system.to_text().into_owned());
    Ok(named)
}

/// The module that gathers from devices with a system, by its long name or by the short one from before collections.
fn of_network_system(call: &ActionCall, system: &str) -> Option<String> {
    let collection = match system {
        "asa" | "ios" | "iosxr" | "nxos" => "cisco",
        "eos" => "arista",
        "exos" | "slxos" | "voss" => "extreme",
        "frr" => "frr",
        "junos" => "junipernetworks",
        "vyos" => "vyos",
        "ironware" => "community.network",
        _ => "",
    };
    let long = match collection {
        "" => format!("{system}_facts"),
        "community.network" => format!("{collection}.{system}_facts"),
        _ => format!("{collection}.{system}.{system}_facts"),
    };
    let names = [format!("ansible.legacy.{system}_facts"), long];
    names.into_iter().find(|name| module::resolve(call, name).is_ok())
}
