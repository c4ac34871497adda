//! `setup`: the facts of a host.

use std::time::{Duration, Instant};

use playbook_api::time::deadline;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::facts::{COLLECTORS, Collector};
use crate::host::glob;
use crate::host::path::HostPath;

/// Gathers the facts of the host: its hardware, network, distribution, user and time, and its local facts in
/// `fact_path`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Setup {
    /// The groups of facts to gather: `all`, `min`, `hardware`, `network`, `virtual` and others. `!` excludes a
    /// group.
    #[serde(default = "all")]
    gather_subset: Vec<String>,
    /// The patterns of facts to return.
    #[serde(default)]
    filter: Vec<String>,
    /// The number of seconds after which slow facts are left out.
    #[serde(default = "playbook_api::defaults::number::<u64, 10>")]
    gather_timeout: u64,
    /// The directory with local facts: `*.fact` files in JSON or INI, or programs that print them.
    #[serde(default = "facts_d")]
    fact_path: HostPath,
}

fn all() -> Vec<String> {
    vec!["all".into()]
}

fn facts_d() -> HostPath {
    HostPath("/etc/ansible/facts.d".into())
}

impl HostModule for Setup {
    const DOC: Doc = Doc {
        name: "setup",
        short: "Gathers facts",
        check_mode: "Full: it only reads.",
        returns: &[("ansible_facts", "dict", "The facts, as `ansible_NAME`.")],
        examples: "- setup:\n    gather_subset: ['!all', network]\n    filter: ansible_default_ipv4\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let chosen = choose(&self.gather_subset)?;
        let (mut facts, mut warnings) = (Map::default(), Vec::new());
        let deadline = deadline(Duration::from_secs(self.gather_timeout.max(1)));
        for collector in chosen {
            if Instant::now() > deadline {
                warnings
                    .push(format!("gather_timeout is over: the facts of '{}' were left out", collector.name));
                continue;
            }
            (collector.collect)(context, &mut facts);
        }
        let wants_local =
            chosen_names(&self.gather_subset).is_none_or(|names| names.contains(&"local".to_owned()));
        if wants_local {
            let local =
                crate::facts::local::collect(&self.fact_path.resolve(context), context, &mut warnings);
            facts.insert("local".into(), local.into());
        }
        let mut facts: Map =
            facts.into_iter().map(|(name, v)| (format!("ansible_{}", name.to_text()).into(), v)).collect();
        facts.sort_unstable_by(|a, _, b, _| a.to_text().cmp(&b.to_text()));
        facts.insert("gather_subset".into(), Value::from(self.gather_subset.clone()));
        facts.insert("module_setup".into(), true.into());
        if !self.filter.is_empty() && !self.filter.iter().all(String::is_empty) {
            facts.retain(|name, _| self.filter.iter().any(|f| fits(f, &name.to_text())));
        }
        let nothing = facts.is_empty();
        let outcome = Outcome { facts, warnings, ..Outcome::default() };
        Ok(if nothing { outcome.with("ansible_facts", Map::default()) } else { outcome })
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    glob::matches(pattern, name) || glob::matches(&format!("ansible_{pattern}"), name)
}

/// Returns the subsets without the exclusions, or `None` if that is everything.
fn chosen_names(subsets: &[String]) -> Option<Vec<String>> {
    let excluded: Vec<&str> = subsets.iter().filter_map(|s| s.strip_prefix('!')).collect();
    let included: Vec<&str> = subsets.iter().map(String::as_str).filter(|s| !s.starts_with('!')).collect();
    let min = COLLECTORS.iter().filter(|c| c.minimal).map(|c| c.name).chain(["local"]);
    let everything = COLLECTORS.iter().map(|c| c.name).chain(["local"]);
    // If there are only exclusions, they apply to the minimum.
    let wants_all = included.contains(&"all") || subsets.is_empty();
    let mut names: Vec<&str> = if wants_all && !excluded.contains(&"all") {
        everything.collect()
    } else if excluded.contains(&"min") {
        Vec::new()
    } else {
        min.clone().collect()
    };
    if excluded.contains(&"min") {
        names.retain(|n| !min.clone().any(|m| m == *n));
    }
    names.retain(|n| !excluded.iter().any(|e| stands_for(n, e)));
    let more: Vec<&str> = COLLECTORS
        .iter()
        .map(|c| c.name)
        .chain(["local"])
        .filter(|n| included.iter().any(|i| stands_for(n, i)))
        .collect();
    names.extend(more);
    let all = names.len() > COLLECTORS.len();
    (!all).then(|| names.into_iter().map(str::to_owned).collect())
}

/// Whether a subset's name, or the name of one of its facts, means a collector.
fn stands_for(collector: &str, name: &str) -> bool {
    collector == name
        || COLLECTORS
            .iter()
            .any(|c| c.name == collector && c.facts.iter().any(|f| f == &name.trim_start_matches("ansible_")))
}

fn choose(subsets: &[String]) -> Result<Vec<&'static Collector>, Failure> {
    let known = |name: &str| {
        matches!(name, "all" | "min" | "local" | "facter" | "ohai")
            || COLLECTORS.iter().any(|c| stands_for(c.name, name))
    };
    if let Some(bad) = subsets.iter().map(|s| s.trim_start_matches('!')).find(|s| !known(s)) {
        let mut names: Vec<&str> = COLLECTORS.iter().map(|c| c.name).chain(["all", "local", "min"]).collect();
        names.sort_unstable();
        return Err(Failure::new(format!(
            "Bad subset '{bad}' given to Ansible. gather_subset options allowed: {}",
            names.join(", ")
        )));
    }
    Ok(match chosen_names(subsets) {
        None => COLLECTORS.iter().collect(),
        Some(names) => COLLECTORS.iter().filter(|c| names.iter().any(|n| n == c.name)).collect(),
    })
}
