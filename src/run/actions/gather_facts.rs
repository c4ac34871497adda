//! `gather_facts`

use std::time::Duration;

use playbook_api::arguments::to_bool;
use playbook_api::{Arguments, Doc, Error, Failure, JsonSchema, Map, Outcome, Value, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::call::result::GATHERED;
use crate::run::call::state::STACK;
use crate::run::module::{defaults, dispatch};
use crate::template::{Renderer, Scope};

/// Gathers facts with the modules of the setting `facts_modules`, usually `setup`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct GatherFacts {
    /// Whether to run several modules at the same time.
    parallel: Option<bool>,
    /// The subsets of facts to gather, as for `setup`.
    #[serde(rename = "gather_subset")]
    _gather_subset: Option<Vec<String>>,
    /// The timeout of a single fact, in seconds.
    gather_timeout: Option<u64>,
    /// The directory of local facts on the host.
    #[serde(rename = "fact_path")]
    _fact_path: Option<String>,
    /// The patterns of the names of facts to return.
    #[serde(rename = "filter")]
    _filter: Option<Vec<String>>,
}

impl Action for GatherFacts {
    const DOC: Doc = Doc {
        name: "gather_facts",
        short: "Gathers facts about a host",
        examples: "- gather_facts:\n",
        ..BUILTIN
    };

    const FREE: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let mut given: Map = call.args.values.clone();
        given.shift_remove("parallel");
        let mut all = Outcome::default();
        let (mut failed, mut skipped) = (Map::default(), Map::default());
        let modules = modules(call, &mut all.warnings)?;
        let variable = call.scope.get("ansible_facts_parallel").transpose()?.and_then(|v| to_bool(&v));
        let parallel = variable.or(self.parallel).unwrap_or(modules.len() > 1);
        let mut calls = Vec::new();
        for name in &modules {
            let args = arguments(call, name, &given, &mut all.warnings)?;
            // A module without a timeout of its own is ended by this one if several run in parallel.
            let own = args.values.contains_key("gather_timeout");
            let limit = self.gather_timeout.filter(|_| parallel && !own).map(Duration::from_secs);
            calls.push((name.as_str(), args, limit));
        }
        for (name, done) in gather(call, calls, parallel)? {
            let mut outcome = match done {
                Ok(outcome) if outcome.skipped => {
                    skipped.insert(name.into(), outcome.values.into());
                    continue;
                }
                Ok(outcome) => outcome,
                Err(failure) if failure.unreachable || !parallel && modules.len() == 1 => {
                    return Err(failure);
                }
                Err(failure) => {
                    let late = failure.outcome.values.contains_key("timedout");
                    let why = if late { "Timeout exceeded".into() } else { failure.error.to_string() };
                    let mut values = failure.outcome.values;
                    values.extend(map! { "failed" => true, "msg" => why });
                    failed.insert(name.into(), values.into());
                    continue;
                }
            };
            // Modules in other languages return them as one value among others.
            if let Some(Value::Map(facts)) = outcome.values.shift_remove("ansible_facts") {
                outcome.facts.extend((*facts).clone());
            }
            merge(&mut all.facts, outcome.facts);
            all.warnings.extend(outcome.warnings);
            all.values.extend(outcome.values);
        }
        if !skipped.is_empty() {
            all.skipped = skipped.len() == modules.len();
            let message = format!("The following modules were skipped: {}.", list(&skipped));
            all = all.msg(message).with("skipped_modules", skipped);
        }
        all.facts.insert(GATHERED.into(), true.into());
        if failed.is_empty() {
            return Ok(all);
        }
        let message = format!("The following modules failed to execute: {}.", list(&failed));
        let failure = Failure { outcome: all, ..Failure::new(message) };
        Err(failure.with("failed_modules", failed))
    }
}

/// A module that gathered facts, and its outcome.
type Gathered<'m> = (&'m str, Result<Outcome, Failure>);

/// Runs the modules one after the other or in parallel.
fn gather<'m>(
    call: &ActionCall,
    calls: Vec<(&'m str, Arguments, Option<Duration>)>,
    parallel: bool,
) -> Result<Vec<Gathered<'m>>, Failure> {
    let run = |name: &str, args: Arguments, limit: Option<Duration>| {
        let (check, diff) = (call.check, call.diff);
        let call = ActionCall { check, diff, limit, ..ActionCall::new(call.item, call.scope) };
        dispatch::call(&call, name, args)
    };
    if !parallel || calls.len() < 2 {
        return Ok(calls.into_iter().map(|(name, args, limit)| (name, run(name, args, limit))).collect());
    }
    std::thread::scope(|threads| {
        let start = |(name, args, limit)| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            let handle = thread.spawn_scoped(threads, move || run(name, args, limit));
            handle
                .map(|handle| (name, handle))
                .map_err(|e| Failure::new(format!("cannot start a thread: {e}")))
        };
        let running = calls.into_iter().map(start).collect::<Result<Vec<_>, Failure>>()?;
        let fault = |_| Err(Failure::new("internal error: a thread that gathered facts panicked"));
        Ok(running.into_iter().map(|(name, thread)| (name, thread.join().unwrap_or_else(fault))).collect())
    })
}

/// Returns the arguments of one of the modules: the task's own, then the module's defaults. Some arguments are passed
/// only to `setup`.
fn arguments(
    call: &ActionCall,
    module: &str,
    given: &Map,
    warnings: &mut Vec<String>,
) -> Result<Arguments, Failure> {
    let mut values = defaults::of_module(call, module)?;
    for (option, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        if is_setup(module) || !is_of_setup(option) {
            values.insert(option.clone(), value.clone());
        } else if !(option.as_str() == Some("gather_subset") && is_all(value)) {
            let what = option.to_text().replace("gather_", "");
            warnings.push(format!("Not passing {what}({}) to {module}", playbook_api::python::repr(value)));
        }
    }
    Ok(Arguments { values, ..call.args.clone() })
}

fn list(modules: &Map) -> String {
    modules.keys().map(|name| name.to_text().into_owned()).collect::<Vec<_>>().join(", ")
}

fn is_setup(module: &str) -> bool {
    matches!(module, "setup" | "ansible.builtin.setup" | "ansible.legacy.setup")
}

fn is_all(subset: &Value) -> bool {
    match subset {
        Value::List(items) => items.len() == 1 && is_all(&items[0]),
        other => other.as_str() == Some("all"),
    }
}

fn is_of_setup(option: &Value) -> bool {
    matches!(option.as_str(), Some("gather_subset" | "gather_timeout" | "filter"))
}

/// Merges the facts of another module: dicts get missing keys, and lists get missing items at their end.
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

/// Returns the modules that gather facts: the variable `ansible_facts_modules`, or the setting.
fn modules(call: &ActionCall, warnings: &mut Vec<String>) -> Result<Vec<String>, Failure> {
    let variable = |name: &str| call.scope.get(name).transpose()?.map(Renderer::finalize).transpose();
    let named = match variable("ansible_facts_modules")? {
        Some(value) => value,
        None => call.item.play.shared.settings.facts_modules.clone().into(),
    };
    let mut names: Vec<String> = match &named {
        Value::List(items) => items.iter().map(|name| name.to_text().into_owned()).collect(),
        one => one.to_text().split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let Some(smart) = names.iter().position(|name| name == "smart") else { return Ok(names) };
    names.remove(smart);
    let has_setup = names.iter().any(|name| is_setup(name));
    let system = match call.args.get("network_os") {
        Some(system) => Some(system.clone()),
        None => match variable("ansible_network_os")? {
            Some(system) => Some(system),
            None => variable("ansible_facts")?.and_then(|facts| facts.get("network_os").cloned()),
        },
    };
    match system.filter(Value::is_true).map(|system| system.to_text().into_owned()) {
        None if has_setup => {}
        None => names.push("ansible.legacy.setup".into()),
        Some(system) => {
            match facts_module(&system) {
                Some(module) => names.push(module),
                None if names.is_empty() => {
                    let message =
                        "No fact modules available and we could not find a fact module for your network OS";
                    let help = "name one in the setting FACTS_MODULES";
                    return Err(Failure::from(Error::new(format!("{message} ({system})")).with_help(help)));
                }
                None => {}
            }
            if has_setup {
                warnings.push(
                    "Detected 'setup' module and a network OS is set: its facts will be those of the controller and \
                     not of the device where a network connection is used."
                        .into(),
                );
            }
        }
    }
    Ok(names)
}

/// The operating systems of network devices, and the collections with their modules.
const SYSTEMS: [(&str, &str); 12] = [
    ("asa", "cisco.asa"),
    ("eos", "arista.eos"),
    ("frr", "frr.frr"),
    ("ios", "cisco.ios"),
    ("iosxr", "cisco.iosxr"),
    ("junos", "junipernetworks.junos"),
    ("nxos", "cisco.nxos"),
    ("vyos", "vyos.vyos"),
    ("exos", "extreme.exos"),
    ("slxos", "extreme.slxos"),
    ("voss", "extreme.voss"),
    ("ironware", "community.network"),
];

/// Returns the module for the facts of a network device's system, given by its short or full name.
fn facts_module(system: &str) -> Option<String> {
    SYSTEMS.iter().find_map(|(short, collection)| match system {
        _ if system == *short => Some(format!("ansible.legacy.{short}_facts")),
        _ if system == format!("{collection}.{short}") => Some(format!("{system}_facts")),
        _ => None,
    })
}
