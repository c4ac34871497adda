//! Adds hosts, groups, members and variables to an inventory, and enforces its rules afterwards.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::Error;

use super::combine::merge_nodes;
use super::model::{Group, Host, Inventory, LOCALHOST, Memory, Vars};
use crate::document::Node;

impl Default for Inventory {
    fn default() -> Self {
        let mut inventory = Inventory {
            notes: Vec::new(),
            hosts: IndexMap::default(),
            groups: IndexMap::default(),
            sources: Vec::new(),
            directories: Vec::new(),
            play_directories: Vec::new(),
            files: Arc::default(),
            merge: false,
            localhost: None,
            python: String::new(),
            implicit_name: Arc::default(),
            implicit: None,
            memory: Memory::default(),
            hidden: HashSet::default(),
        };
        for name in ["all", "ungrouped"] {
            inventory.groups.insert(name.into(), Group::new(name.into()));
        }
        inventory.link("all", "ungrouped");
        inventory.reconcile();
        inventory
    }
}

impl Inventory {
    /// Returns the group of a name, and creates it if it does not exist.
    pub(super) fn put_group(&mut self, name: &str) -> Result<Arc<str>, Error> {
        if let Some((name, _)) = self.groups.get_key_value(name) {
            return Ok(name.clone());
        }
        if name.is_empty() {
            return Err(Error::new("Invalid empty/false group name provided"));
        }
        self.memory = Memory::default();
        let name: Arc<str> = name.into();
        self.groups.insert(name.clone(), Group::new(name.clone()));
        Ok(name)
    }

    /// Returns the host of a name and whether it is new, and creates it if it does not exist.
    pub(super) fn put_host(
        &mut self,
        name: &str,
        source: Option<&Arc<str>>,
    ) -> Result<(Arc<str>, bool), Error> {
        if let Some((name, _)) = self.hosts.get_key_value(name) {
            return Ok((name.clone(), false));
        }
        if name.is_empty() {
            return Err(Error::new("Invalid empty host name provided"));
        }
        self.memory = Memory::default();
        let name: Arc<str> = name.into();
        if self.implicit.as_ref().is_some_and(|host| *host.name == *name) {
            self.implicit = None;
        }
        if self.localhost.is_none() && LOCALHOST.contains(&&*name) {
            self.localhost = Some(name.clone());
        }
        let host = Host { name: name.clone(), source: source.cloned(), ..Host::default() };
        self.hosts.insert(name.clone(), Arc::new(host));
        Ok((name, true))
    }

    /// Adds a host to an existing group. Returns whether it was not a member before.
    pub(super) fn add_member(&mut self, group: &str, host: &str) -> bool {
        if !self.hosts.contains_key(host) && LOCALHOST.contains(&host) {
            self.implicit = Some(self.implicit(host));
        }
        let known = self.hosts.get_mut(host).or(self.implicit.as_mut().filter(|known| *known.name == *host));
        let (Some(group), Some(host)) = (self.groups.get_mut(group), known) else {
            return false;
        };
        if !host.groups.contains(&group.name) {
            Arc::make_mut(host).groups.insert(group.name.clone());
        }
        let new = group.hosts.insert(host.name.clone());
        if new {
            self.memory = Memory::default();
        }
        new
    }

    /// Adds an existing group to another one. Returns whether it was not in it before.
    pub(super) fn add_child(&mut self, group: &str, child: &str) -> Result<bool, Error> {
        if group == child {
            return Err(Error::new(format!("can't add group '{group}' to itself")));
        }
        if self.groups.get(group).is_some_and(|group| group.children.contains(child)) {
            return Ok(false);
        }
        if self.ancestors(group).iter().any(|name| &**name == child) {
            return Err(Error::new(format!(
                "Adding group '{child}' as child to '{group}' creates a recursive dependency loop."
            )));
        }
        self.link(group, child);
        Ok(true)
    }

    fn link(&mut self, group: &str, child: &str) {
        let Some(parent) = self.groups.get_key_value(group).map(|(name, _)| name.clone()) else { return };
        let Some(below) = self.groups.get_mut(child) else { return };
        below.parents.insert(parent.clone());
        let child = below.name.clone();
        if let Some(group) = self.groups.get_mut(&parent) {
            group.children.insert(child);
        }
        self.memory = Memory::default();
    }

    /// Sets a variable of a group; with `hash_behaviour: merge`, a map is merged into the existing one.
    pub(super) fn set_group_var(&mut self, group: &str, name: &str, node: Node) -> Result<(), Error> {
        let Some(group) = self.groups.get_mut(group) else { return Ok(()) };
        if name == "ansible_group_priority" {
            group.priority = priority(&node)?;
        } else {
            set(&mut group.vars, name, node, self.merge);
        }
        Ok(())
    }

    /// Sets a variable of a host; with `hash_behaviour: merge`, a map is merged into the existing one.
    pub(super) fn set_host_var(&mut self, host: &str, name: &str, node: Node) {
        if let Some(host) = self.hosts.get_mut(host) {
            set(&mut Arc::make_mut(host).vars, name, node, self.merge);
        }
    }

    /// Enforces the rules: every group is below `all`, and exactly the hosts without a group are in
    /// `ungrouped`. Returns the names that a host and a group share.
    pub(super) fn reconcile(&mut self) -> Vec<Arc<str>> {
        self.reconcile_groups();
        let ungrouped: Arc<str> = "ungrouped".into();
        if let Some(group) = self.groups.get_mut(&ungrouped) {
            for host in self.hosts.values_mut() {
                reconcile_host(host, group);
            }
            let hosts = &self.hosts;
            group.hosts.retain(|name| hosts.get(name).is_some_and(|host| host.groups.contains(&ungrouped)));
        }
        self.memory = Memory::default();
        self.groups.keys().filter(|name| self.hosts.contains_key(*name)).cloned().collect()
    }

    /// Enforces the rules after one host has been added or has been added to groups. All hosts do not have to be visited,
    /// since that may be done for each of them.
    fn reconcile_with(&mut self, host: &str, groups_changed: bool) {
        if groups_changed {
            self.reconcile_groups();
        }
        if let Some(group) = self.groups.get_mut("ungrouped") {
            let belongs = self.hosts.get_mut(host).is_some_and(|host| reconcile_host(host, group));
            if !belongs {
                group.hosts.shift_remove(host);
            }
        }
        self.memory = Memory::default();
    }

    /// Puts every group below `all`, and computes how deep they are.
    fn reconcile_groups(&mut self) {
        let orphans: Vec<Arc<str>> = self
            .groups
            .values()
            .filter(|group| &*group.name != "all" && group.parents.is_empty())
            .map(|group| group.name.clone())
            .collect();
        for name in orphans {
            self.link("all", &name);
        }
        self.measure();
    }

    /// Computes the depth of every group: the length of the longest path from `all`.
    fn measure(&mut self) {
        let mut waiting: IndexMap<Arc<str>, usize> =
            self.groups.values().map(|group| (group.name.clone(), group.parents.len())).collect();
        let mut ready: Vec<(Arc<str>, usize)> =
            waiting.iter().filter(|(_, parents)| **parents == 0).map(|(name, _)| (name.clone(), 0)).collect();
        let mut depths: IndexMap<Arc<str>, usize> = IndexMap::new();
        while let Some((name, depth)) = ready.pop() {
            let Some(group) = self.groups.get_mut(&name) else { continue };
            group.depth = depth;
            for child in &group.children {
                let deepest = depths.entry(child.clone()).or_default();
                *deepest = (*deepest).max(depth + 1);
                if let Some(parents) = waiting.get_mut(child) {
                    *parents -= 1;
                    if *parents == 0 {
                        ready.push((child.clone(), *deepest));
                    }
                }
            }
        }
    }

    /// Adds a host for the rest of the run, with its groups and variables, as `add_host` does. Returns
    /// whether that changed anything.
    pub fn add_host(&mut self, name: &Arc<str>, groups: &[Arc<str>], vars: Vars) -> Result<bool, Error> {
        let (name, mut changed) = self.put_host(name, None)?;
        if changed {
            self.add_member("all", &name);
        }
        for (key, node) in vars {
            let known = self.hosts.get(&name).and_then(|host| host.vars.get(&key));
            if known.is_none_or(|known| known.raw() != node.raw()) {
                self.set_host_var(&name, &key, node);
                changed = true;
            }
        }
        let known = self.groups.len();
        for group in groups {
            let group = self.put_group(group)?;
            changed |= self.add_member(&group, &name);
        }
        if changed {
            self.reconcile_with(&name, self.groups.len() > known);
        }
        Ok(changed)
    }

    /// Adds a host to a group, and the group to others, as `group_by` does. Returns whether that changed
    /// anything.
    pub fn group_host(
        &mut self,
        host: &Arc<str>,
        group: &Arc<str>,
        parents: &[Arc<str>],
    ) -> Result<bool, Error> {
        let known = self.groups.len();
        let group = self.put_group(group)?;
        let mut linked = false;
        for parent in parents {
            let parent = self.put_group(parent)?;
            linked |= self.add_child(&parent, &group)?;
        }
        let groups_changed = linked || self.groups.len() > known;
        if !self.hosts.contains_key(host) && !LOCALHOST.contains(&&**host) {
            return Err(Error::new(format!("{host} cannot be matched in inventory")));
        }
        let changed = self.add_member(&group, host) || groups_changed;
        if changed {
            self.reconcile_with(host, groups_changed);
        }
        Ok(changed)
    }
}

/// Puts a host into `ungrouped` if it is in no other group, and takes it out of there otherwise; that group still lists
/// it then. Returns whether it belongs there.
fn reconcile_host(host: &mut Arc<Host>, ungrouped: &mut Group) -> bool {
    let alone = host.groups.iter().all(|name| matches!(&**name, "all" | "ungrouped"));
    if alone != host.groups.contains(&ungrouped.name) {
        let host = Arc::make_mut(host);
        if alone {
            host.groups.insert(ungrouped.name.clone());
            ungrouped.hosts.insert(host.name.clone());
        } else {
            host.groups.shift_remove(&ungrouped.name);
        }
    }
    alone
}

/// Whether a group's name is a valid name of a variable.
pub(super) fn valid_group_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_numeric()) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Returns a group's name with `_` for every character that a variable's name cannot have.
pub(super) fn safe_group_name(name: &str) -> String {
    let valid =
        |(index, c): (usize, char)| (c.is_alphanumeric() && !(index == 0 && c.is_numeric())) || c == '_';
    name.chars().enumerate().map(|(index, c)| if valid((index, c)) { c } else { '_' }).collect()
}

fn set(vars: &mut Vars, name: &str, node: Node, merge: bool) {
    match vars.get_mut(name) {
        Some(old) if merge => *old = merge_nodes(old, &node),
        Some(old) => *old = node,
        None => {
            vars.insert(name.into(), node);
        }
    }
}

fn priority(node: &Node) -> Result<i64, Error> {
    let value = node.raw();
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => value.as_f64().map(|n| n as i64),
    };
    number.ok_or_else(|| {
        Error::new(format!("ansible_group_priority must be an integer, not '{value}'")).at(node.place())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(groups: &[(&str, &str)], hosts: &[(&str, &str)]) -> Inventory {
        let mut inventory = Inventory::default();
        for (group, child) in groups {
            inventory.put_group(group).unwrap();
            inventory.put_group(child).unwrap();
            inventory.add_child(group, child).unwrap();
        }
        for (host, group) in hosts {
            inventory.put_host(host, None).unwrap();
            if !group.is_empty() {
                inventory.put_group(group).unwrap();
                inventory.add_member(group, host);
            }
        }
        inventory.reconcile();
        inventory
    }

    #[test]
    fn every_host_and_group_has_its_place() {
        let inventory =
            inventory(&[("prod", "web"), ("web", "front")], &[("a", "front"), ("b", ""), ("c", "web")]);
        let depth = |name: &str| inventory.groups[name].depth;
        assert_eq!((depth("all"), depth("prod"), depth("web"), depth("front")), (0, 1, 2, 3));
        let names = |names: Vec<Arc<str>>| names.join(" ");
        assert_eq!(names(inventory.hosts_of("all")), "b c a");
        assert_eq!(names(inventory.hosts_of("ungrouped")), "b");
        assert_eq!(names(inventory.groups_of("a")), "all prod web front");
        assert_eq!(inventory.groups_value().get("web").unwrap().to_string(), "['c', 'a']");
    }

    #[test]
    fn loops_are_refused() {
        let mut inventory = inventory(&[("a", "b"), ("b", "c")], &[]);
        let error = inventory.add_child("c", "a").unwrap_err().to_string();
        assert_eq!(error, "Adding group 'a' as child to 'c' creates a recursive dependency loop.");
        assert!(inventory.add_child("a", "a").is_err());
    }

    #[test]
    fn a_host_that_finds_a_group_leaves_ungrouped() {
        let mut inventory = inventory(&[], &[("a", "")]);
        inventory.put_group("web").unwrap();
        inventory.add_member("web", "a");
        inventory.reconcile();
        assert!(inventory.groups["ungrouped"].hosts.is_empty());
        assert_eq!(inventory.groups["web"].depth, 1);
    }

    #[test]
    fn localhost_is_always_there() {
        let mut inventory = Inventory::default();
        assert!(inventory.host("localhost").unwrap().implicit);
        assert!(inventory.host("web").is_none());
        inventory.put_host("127.0.0.1", None).unwrap();
        assert_eq!(&*inventory.host("localhost").unwrap().name, "127.0.0.1");
    }
}
