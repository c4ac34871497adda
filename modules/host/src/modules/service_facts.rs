//! `service_facts`: the services of a host, as facts.

use std::path::Path;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, map};

use crate::host::Host;
use crate::host::process::{Program, which};

/// Lists the services that a host has and what they do, as the fact `services`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ServiceFacts {}

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

fn units(host: &Host, services: &mut Map) -> Result<(), Failure> {
    let ask = |what: &str| {
        host.query(&Program::new([
            "systemctl",
            what,
            "--no-pager",
            "--type",
            "service",
            "--all",
            "--plain",
            "--no-legend",
        ]))
    };
    for line in ask("list-units")?.out().lines() {
        let words: Vec<&str> = line.trim_start_matches('●').split_whitespace().collect();
        let [name, load, active, sub, ..] = words.as_slice() else { continue };
        let state = match (*active, *sub) {
            ("active", "running") => "running",
            ("active", _) => "active",
            ("failed", _) => "failed",
            _ => "stopped",
        };
        let status = if matches!(*load, "not-found" | "masked") { *load } else { "unknown" };
        services.insert(
            (*name).into(),
            map! { "name" => *name, "state" => state, "status" => status, "source" => "systemd" }.into(),
        );
    }
    for line in ask("list-unit-files")?.out().lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(status)) = (words.next(), words.next()) else { continue };
        let state =
            services.get(name).and_then(|s| s.get("state").cloned()).unwrap_or_else(|| "inactive".into());
        let entry = map! { "name" => name, "state" => state, "status" => status, "source" => "systemd" };
        services.insert(name.into(), entry.into());
    }
    Ok(())
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
