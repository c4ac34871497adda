//! `service_facts`: the services of a host, as facts.

use std::collections::HashMap;
use std::path::Path;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value, map};

use crate::host::Host;
use crate::host::process::{Program, which};

/// Lists the services of a host and their states, as the fact `services`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ServiceFacts {}

impl HostModule for ServiceFacts {
    const DOC: Doc = Doc {
        name: "service_facts",
        short: "Lists services as facts",
        check_mode: "Full: it only reads.",
        returns: &[("ansible_facts", "dict", "`services`: name, state, status and source of each.")],
        examples: "- service_facts:\n- debug:\n    var: ansible_facts.services\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let mut services = Map::default();
        scripts(&host, &mut services)?;
        if which("systemctl", context).is_some() && Path::new("/run/systemd/system").exists() {
            units(&host, &mut services)?;
        }
        let facts = map! { "services" => services };
        Ok(Outcome { facts, ..Outcome::default() })
    }
}

/// What says that a unit is not in order, whatever its file says.
const BAD: [&str; 3] = ["not-found", "masked", "failed"];

fn list(host: &Host, what: &str) -> Result<String, Failure> {
    let words = ["systemctl", what, "--no-pager", "--type", "service", "--all", "--plain", "--no-legend"];
    Ok(host.query(&Program::new(words))?.out())
}

fn units(host: &Host, services: &mut Map) -> Result<(), Failure> {
    for line in list(host, "list-units")?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, _, active, sub, ..] = words.as_slice() else { continue };
        let (_, all_but_last) = words.split_last().unwrap_or((&"", &[]));
        let status = BAD.iter().find(|bad| all_but_last.contains(*bad)).unwrap_or(active);
        let state = if *sub == "running" { "running" } else { "stopped" };
        services.insert((*name).into(), entry(name, state, status));
    }
    let files = list(host, "list-unit-files")?;
    let files: Vec<(&str, &str)> = files
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .collect();
    let unloaded = files.iter().map(|(name, _)| *name).filter(|name| services.get(*name).is_none());
    let states = states(host, unloaded.collect())?;
    for (name, status) in files {
        let before = |key: &str| services.get(name)?.get(key)?.as_str().map(str::to_owned);
        let state = before("state").or_else(|| states.get(name).cloned());
        let status =
            before("status").filter(|s| BAD.contains(&s.as_str())).unwrap_or_else(|| status.to_owned());
        services.insert(name.into(), entry(name, state.as_deref().unwrap_or("unknown"), &status));
    }
    Ok(())
}

fn entry(name: &str, state: &str, status: &str) -> Value {
    map! { "name" => name, "state" => state, "status" => status, "source" => "systemd" }.into()
}

/// The states of units that systemd has not loaded, asked for at once. A template is not a unit and has none.
fn states(host: &Host, names: Vec<&str>) -> Result<HashMap<String, String>, Failure> {
    let names: Vec<&str> = names.into_iter().filter(|name| !name.contains("@.")).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let words = ["systemctl", "show", "--property=ActiveState", "--"];
    let shown = host.query(&Program::new(words).args(names.iter().copied()))?;
    if !shown.success() {
        return Ok(HashMap::new());
    }
    let shown = shown.out();
    let states = shown.lines().filter_map(|line| line.strip_prefix("ActiveState="));
    Ok(names.into_iter().zip(states).map(|(name, state)| (name.to_owned(), state.to_owned())).collect())
}

fn scripts(host: &Host, services: &mut Map) -> Result<(), Failure> {
    let Some(program) = which("service", host.context) else { return Ok(()) };
    let listed = host.query(&Program::new([program.display().to_string()]).arg("--status-all"))?;
    for line in (listed.out() + &listed.err()).lines() {
        let Some((mark, name)) = line.trim().strip_prefix('[').and_then(|l| l.split_once(']')) else {
            continue;
        };
        let state = if mark.trim() == "+" { "running" } else { "stopped" };
        let name = name.trim();
        services.insert(name.into(), map! { "name" => name, "state" => state, "source" => "sysv" }.into());
    }
    Ok(())
}
