//! The table of modules in README.md, which `playbook doc --readme` prints.

use std::collections::{BTreeMap, BTreeSet};

use playbook_api::Registry;

use super::{docs, plugins};

/// Returns the table, with a row for each collection and each type of plugin.
pub(super) fn table(registry: &Registry) -> String {
    let mut collections: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for doc in docs(registry) {
        collections.entry(doc.collection).or_default().insert(doc.name);
    }
    let mut rows: Vec<(String, Vec<&str>)> = collections
        .into_iter()
        .map(|(collection, names)| (format!("modules of {collection}"), names.into_iter().collect()))
        .collect();
    let mut probes: Vec<&str> = registry.probes.iter().map(|probe| probe.name()).collect();
    probes.sort_unstable();
    rows.push(("probes of `wait_until`".into(), probes));
    for (kind, title) in
        [("lookup", "lookups"), ("inventory", "inventory plugins"), ("callback", "callbacks")]
    {
        let names = plugins::of(kind).filter_map(|plugin| plugin.names.first().copied());
        rows.push((title.into(), names.collect()));
    }
    let mut out = String::from("| what | names |\n|---|---|\n");
    for (title, names) in rows {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        out += &format!("| {title} | {} |\n", names.join(" "));
    }
    out
}
