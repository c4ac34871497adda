//! Action groups: the modules that one entry of `module_defaults` applies to.

use std::path::Path;

use playbook_api::{Error, Value, python};

use super::Foreign;
use super::collections::{Runtime, full_name};
use crate::document::Node;

/// The groups of ansible-core itself: their members, and the groups of collections whose members are theirs
/// too. The first two exist for ansible-core's own tests.
const CORE: [(&str, &[&str], &[&str]); 12] = [
    (
        "testgroup",
        &["ansible.builtin.ping", "ansible.builtin.legacy_ping", "ansible.builtin.formerly_core_ping"],
        &["testns.testcoll.testgroup", "testns.testcoll.anothergroup", "testns.boguscoll.testgroup"],
    ),
    ("testlegacy", &["ansible.legacy.legacy_ping"], &[]),
    ("aws", &[], &["amazon.aws.aws", "community.aws.aws"]),
    ("acme", &[], &["community.crypto.acme"]),
    ("azure", &[], &["azure.azcollection.azure"]),
    ("cpm", &[], &["wti.remote.cpm"]),
    ("docker", &[], &["community.general.docker", "community.docker.docker"]),
    ("gcp", &[], &["google.cloud.gcp"]),
    (
        "k8s",
        &[],
        &[
            "community.kubernetes.k8s",
            "community.general.k8s",
            "community.kubevirt.k8s",
            "community.okd.k8s",
            "kubernetes.core.k8s",
        ],
    ),
    ("os", &[], &["openstack.cloud.os"]),
    ("ovirt", &[], &["ovirt.ovirt.ovirt", "community.general.ovirt"]),
    ("vmware", &[], &["community.vmware.vmware"]),
];

/// A group as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Modules and actions, by full name.
    pub members: Vec<String>,
    /// Groups whose members are its members too.
    pub extends: Vec<String>,
    /// The faults in its metadata.
    pub problems: Vec<String>,
}

impl Foreign {
    /// Returns the full names of an action group's members as they are written there, or `None` if there is no such
    /// group.
    pub fn action_group(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(first) = self.group(name)? else { return Ok(None) };
        let mut seen = vec![group_name(name)];
        let (mut members, mut wanted) = (first.members, first.extends);
        while let Some(name) = wanted.pop() {
            if !seen.contains(&name) {
                let group = self.group(&name)?.unwrap_or_default();
                members.extend(group.members);
                wanted.extend(group.extends);
                seen.push(name);
            }
        }
        Ok(Some(members))
    }

    /// Returns the warnings about an action group.
    pub fn group_problems(&self, name: &str) -> Result<Vec<String>, Error> {
        Ok(self.group(name)?.unwrap_or_default().problems)
    }

    fn group(&self, name: &str) -> Result<Option<Group>, Error> {
        let name = group_name(name);
        if let Some(short) = name.strip_prefix("ansible.builtin.") {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let found = CORE.iter().find(|(name, ..)| *name == short);
            return Ok(found.map(|(_, members, extends)| Group {
                members: names(members),
                extends: names(extends),
                problems: Vec::new(),
            }));
        }
        let Some((collection, short)) = full_name(&name) else { return Ok(None) };
        for directory in self.collection(&collection) {
            if let Some(group) = self.runtime.group(&directory, &collection, short)? {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }
}

/// Returns a group's full name.
pub fn group_name(name: &str) -> String {
    qualified(name, "ansible.builtin")
}

fn qualified(name: &str, collection: &str) -> String {
    if full_name(name).is_some() { name.to_owned() } else { format!("{collection}.{name}") }
}

impl Runtime {
    /// Returns an action group of the collection in a directory.
    fn group(&self, directory: &Path, collection: &str, name: &str) -> Result<Option<Group>, Error> {
        let node = self.of(directory)?;
        let groups = node.as_ref().and_then(|node| node.get("action_groups"));
        let full = format!("{collection}.{name}");
        let Some(written) = groups.and_then(|groups| groups.get(&full).or_else(|| groups.get(name))) else {
            return Ok(None);
        };
        let mut group = Group::default();
        let mut told = false;
        for member in written.as_list().unwrap_or_default() {
            if let Some(name) = member.as_str() {
                group.members.push(qualified(name, collection));
                continue;
            }
            group.problems.extend(problem(member, told).map(|what| {
                format!(
                    "Invalid metadata was found for action_group {full} while loading module_defaults. {what}"
                )
            }));
            let Some(metadata) = member.get("metadata").filter(|node| node.as_map().is_some()) else {
                continue;
            };
            told = true;
            let more = match metadata.get("extend_group").map(Node::raw) {
                Some(Value::List(names)) => names.to_vec(),
                Some(name @ Value::Str(_)) => vec![name],
                _ => Vec::new(),
            };
            group.extends = more.iter().map(|name| qualified(&name.to_text(), collection)).collect();
        }
        Ok(Some(group))
    }
}

/// Returns the faults of a member that is not a name, as sentences.
fn problem(member: &Node, told: bool) -> Option<String> {
    let keys = |node: &Node| -> Vec<String> {
        let mut keys: Vec<String> =
            node.as_map().into_iter().flatten().map(|(key, _)| key.to_text().into_owned()).collect();
        keys.sort();
        keys
    };
    let found = keys(member);
    if found != ["metadata"] {
        let found = found.join(", ");
        return Some(format!("The only expected key is metadata, but got keys: {found}"));
    }
    let mut sentences = Vec::new();
    if told {
        sentences.push("The group contains multiple metadata entries.".to_owned());
    }
    let metadata = member.get("metadata")?;
    if metadata.as_map().is_none() {
        let value = python::repr(&metadata.raw());
        sentences.push(format!("The metadata is not a dictionary. Got {value}"));
        return Some(sentences.join(" "));
    }
    let unexpected: Vec<String> = keys(metadata).into_iter().filter(|key| key != "extend_group").collect();
    if !unexpected.is_empty() {
        sentences.push(format!("The metadata contains unexpected keys: {}", unexpected.join(", ")));
    }
    let extends = metadata.get("extend_group").map(Node::raw);
    if let Some(value) = extends.filter(|value| !matches!(value, Value::Str(_) | Value::List(_))) {
        let value = python::repr(&value);
        sentences.push(format!(
            "The metadata contains unexpected key types: extend_group is {value} (expected type list)"
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_extend_each_other_and_say_what_is_wrong() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("ansible_collections/a/b");
        std::fs::create_dir_all(directory.join("meta")).unwrap();
        let text = "action_groups:\n  g:\n    - one\n    - c.d.two\n    - metadata: {extend_group: other}\n  \
                    other:\n    - three\n    - metadata: {extend_group: [a.b.g]}\n  \
                    bad:\n    - metadata: [x]\n    - metadata: {y: 1, extend_group: {name: z}}\n";
        std::fs::write(directory.join("meta/runtime.yml"), text).unwrap();
        let mut settings = crate::settings::Settings::default();
        settings.collections_path = vec![root.path().to_owned()];
        let foreign = Foreign::new(&settings, 0);
        let members = |name: &str| foreign.action_group(name).unwrap();
        assert_eq!(members("a.b.g").unwrap(), ["a.b.one", "c.d.two", "a.b.three"]);
        assert_eq!(members("testlegacy").unwrap(), ["ansible.legacy.legacy_ping"]);
        assert_eq!(members("a.b.none"), None);
        let problems = foreign.group_problems("a.b.bad").unwrap();
        assert!(problems[0].ends_with("The metadata is not a dictionary. Got ['x']"), "{problems:?}");
        assert!(
            problems[1]
                .contains("unexpected keys: y The metadata contains unexpected key types: extend_group")
        );
    }
}
