//! Prints an inventory as `ansible-inventory` does.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::python::{JsonStyle, json};
use playbook_api::redact::MASK;
use playbook_api::{Error, Map, Place, Text, Value};

use super::combine::combine;
use super::model::{Group, Host, Inventory, Vars};
use crate::document::{Entry, Kind, Node, timestamp, to_yaml};

/// The format of a printed inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, for programs.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
}

/// Prints an inventory: `--list`, `--host` and `--graph`.
pub struct Printer<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The extra variables of the command line, which win on every host.
    pub extra: &'a Vars,
    /// The format of `--list` and `--host`.
    pub format: Format,
    /// Whether each variable is printed where it was written, instead of all of them on every host.
    pub export: bool,
    /// The hosts that `--limit` selects; none means all.
    pub limit: Option<&'a [Arc<str>]>,
}

/// The variables that the engine sets itself; they are not printed.
const INTERNAL: [&str; 36] = [
    "ansible_async_path",
    "ansible_check_mode",
    "ansible_collection_name",
    "ansible_config_file",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_role_names",
    "ansible_playbook_python",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "role_uuid",
    "vars",
];

type Members = IndexMap<Value, Entry>;

fn place() -> Place {
    Place::file_only("<inventory>")
}

fn insert(members: &mut Members, name: &str, node: Node) {
    members.insert(name.into(), Entry { key: place(), node });
}

fn map_node(members: Members) -> Node {
    Node::new(place(), Kind::Map(members))
}

fn vars_node(vars: Vars) -> Node {
    map_node(vars.into_iter().map(|(name, node)| (name.into(), Entry { key: place(), node })).collect())
}

fn names_node<'n>(names: impl Iterator<Item = &'n Arc<str>>) -> Node {
    Node::new(place(), Kind::List(names.map(|name| Node::value(place(), name.clone())).collect()))
}

impl Printer<'_> {
    /// Prints everything: groups with their hosts and children, and the hosts' variables.
    pub fn list(&self) -> Result<String, Error> {
        let hosts: Vec<Arc<str>> = match self.limit {
            Some(limit) => limit.to_vec(),
            None => self.inventory.hosts_of("all"),
        };
        let available: HashSet<&str> = hosts.iter().map(|host| &**host).collect();
        let Some(all) = self.inventory.groups.get("all") else { return Ok(String::new()) };
        let mut seen = HashSet::new();
        let mut result = Members::default();
        match self.format {
            Format::Json => {
                self.json_group(all, &available, &mut seen, &mut result)?;
                let mut variables = Members::default();
                for name in &hosts {
                    if let Some(host) = self.inventory.host(name) {
                        let vars = self.host_vars(&host)?;
                        if !vars.is_empty() {
                            insert(&mut variables, name, vars_node(vars));
                        }
                    }
                }
                let mut meta = Members::default();
                insert(&mut meta, "hostvars", map_node(variables));
                insert(&mut meta, "profile", Node::value(place(), "inventory_legacy"));
                insert(&mut result, "_meta", map_node(meta));
            }
            Format::Yaml => {
                let node = self.yaml_group(all, &available, &mut seen, &mut HashSet::new())?;
                node.into_iter().for_each(|node| insert(&mut result, "all", node));
            }
            Format::Toml => self.toml_group(all, &available, &mut seen, &mut result)?,
        }
        self.dump(&map_node(result))
    }

    /// Prints the variables of one host.
    pub fn host(&self, name: &str) -> Result<String, Error> {
        let host = self.inventory.host(name).ok_or_else(|| {
            Error::new("You must pass a single valid host to --host parameter")
                .with_help("Run with `--graph` to see all hosts.")
        })?;
        self.dump(&vars_node(self.host_vars(&host)?))
    }

    /// Prints the tree below a group, with variables if `vars` is set.
    pub fn graph(&self, group: &str, vars: bool) -> Result<String, Error> {
        let group = self.inventory.groups.get(group).ok_or_else(|| {
            Error::new("Pattern must be valid group name when using --graph").with_help(format!(
                "The inventory has no group '{group}'. Run with `--graph` alone to see all groups."
            ))
        })?;
        let mut lines = Vec::new();
        self.graph_group(group, 0, vars, &mut lines)?;
        lines.push(String::new());
        Ok(lines.join("\n"))
    }

    fn graph_group(
        &self,
        group: &Group,
        depth: usize,
        vars: bool,
        lines: &mut Vec<String>,
    ) -> Result<(), Error> {
        let branch = |name: String, depth: usize| match depth {
            0 => name,
            depth => format!("{}--{name}", "  |".repeat(depth)),
        };
        let show = |vars: Vars, depth: usize, lines: &mut Vec<String>| {
            let mut vars: Vec<(Arc<str>, Node)> = vars.into_iter().collect();
            vars.sort_by(|a, b| a.0.cmp(&b.0));
            lines.extend(
                vars.iter().map(|(name, node)| branch(format!("{{{name} = {}}}", node.raw()), depth)),
            );
        };
        lines.push(branch(format!("@{}:", group.name), depth));
        let depth = depth + 1;
        for child in group.children.iter().filter_map(|name| self.inventory.groups.get(name)) {
            self.graph_group(child, depth, vars, lines)?;
        }
        if &*group.name != "all" {
            for host in group.hosts.iter().filter_map(|name| self.inventory.hosts.get(name)) {
                lines.push(branch(host.name.to_string(), depth));
                if vars {
                    show(self.host_vars(host)?, depth + 1, lines);
                }
            }
        }
        if vars {
            show(self.group_vars(group)?, depth, lines);
        }
        Ok(())
    }

    fn host_vars(&self, host: &Host) -> Result<Vars, Error> {
        let vars = if self.export {
            self.inventory.variables_of_host(host)?
        } else {
            let mut vars = self.inventory.variables(host)?.merged();
            combine(&mut vars, self.extra, false);
            vars
        };
        Ok(self.printable(vars))
    }

    /// Leaves out what the engine sets itself, and masks secrets.
    fn printable(&self, mut vars: Vars) -> Vars {
        vars.retain(|name, _| !INTERNAL.contains(&&**name));
        for (name, node) in &mut vars {
            if self.inventory.hidden.contains(name) {
                *node = Node::value(node.place().clone(), Text::trusted(MASK));
            }
        }
        vars
    }

    fn group_vars(&self, group: &Group) -> Result<Vars, Error> {
        let mut vars = self.inventory.variables_of_group(group)?;
        if group.priority != 1 {
            vars.insert("ansible_group_priority".into(), Node::value(place(), group.priority));
        }
        Ok(self.printable(vars))
    }

    fn children<'g>(&'g self, group: &'g Group) -> impl Iterator<Item = &'g Group> {
        group.children.iter().filter_map(|name| self.inventory.groups.get(name))
    }

    fn available_hosts<'g>(&self, group: &'g Group, available: &HashSet<&str>) -> Vec<&'g Arc<str>> {
        let own = &*group.name != "all";
        group.hosts.iter().filter(|host| own && available.contains(&***host)).collect()
    }

    fn json_group(
        &self,
        group: &Group,
        available: &HashSet<&str>,
        seen: &mut HashSet<Arc<str>>,
        result: &mut Members,
    ) -> Result<(), Error> {
        let mut members = Members::default();
        let hosts = self.available_hosts(group, available);
        if !hosts.is_empty() {
            insert(&mut members, "hosts", names_node(hosts.into_iter()));
        }
        for child in self.children(group) {
            if !seen.contains(&child.name) {
                self.json_group(child, available, seen, result)?;
                seen.insert(child.name.clone());
            }
        }
        if !group.children.is_empty() {
            insert(&mut members, "children", names_node(group.children.iter()));
        }
        self.finish(group, members, result)
    }

    /// Adds the variables where they are exported, and the group if there is anything to say about it.
    fn finish(&self, group: &Group, mut members: Members, result: &mut Members) -> Result<(), Error> {
        if self.export {
            let vars = self.group_vars(group)?;
            if !vars.is_empty() {
                insert(&mut members, "vars", vars_node(vars));
            }
        }
        if !members.is_empty() {
            insert(result, &group.name, map_node(members));
        }
        Ok(())
    }

    fn yaml_group(
        &self,
        group: &Group,
        available: &HashSet<&str>,
        seen: &mut HashSet<Arc<str>>,
        seen_hosts: &mut HashSet<Arc<str>>,
    ) -> Result<Option<Node>, Error> {
        let mut members = Members::default();
        let mut children = Members::default();
        for child in self.children(group) {
            if seen.contains(&child.name) {
                insert(&mut children, &child.name, map_node(Members::default()));
            } else {
                let node = self.yaml_group(child, available, seen, seen_hosts)?;
                node.into_iter().for_each(|node| insert(&mut children, &child.name, node));
                seen.insert(child.name.clone());
            }
        }
        if !children.is_empty() {
            insert(&mut members, "children", map_node(children));
        }
        let hosts = self.hosts_with_vars(group, available, seen_hosts)?;
        if !hosts.is_empty() {
            insert(&mut members, "hosts", map_node(hosts));
        }
        let mut result = Members::default();
        self.finish(group, members, &mut result)?;
        Ok(result.shift_remove(&*group.name).map(|entry| entry.node))
    }

    /// The hosts of a group; each has its variables where it comes first.
    fn hosts_with_vars(
        &self,
        group: &Group,
        available: &HashSet<&str>,
        seen: &mut HashSet<Arc<str>>,
    ) -> Result<Members, Error> {
        let mut hosts = Members::default();
        for name in self.available_hosts(group, available) {
            let first = seen.insert(name.clone());
            let host = self.inventory.hosts.get(name).filter(|_| first);
            let vars = host.map(|host| self.host_vars(host)).transpose()?.unwrap_or_default();
            insert(&mut hosts, name, vars_node(vars));
        }
        Ok(hosts)
    }

    fn toml_group(
        &self,
        group: &Group,
        available: &HashSet<&str>,
        seen: &mut HashSet<Arc<str>>,
        result: &mut Members,
    ) -> Result<(), Error> {
        let mut members = Members::default();
        let lonely = |child: &Group| &*child.name == "ungrouped" && child.hosts.is_empty();
        // A group comes before those in it, though it may turn out to be empty.
        insert(result, &group.name, map_node(Members::default()));
        for child in self.children(group).filter(|child| !lonely(child)) {
            self.toml_group(child, available, seen, result)?;
        }
        if &*group.name != "all" && !group.children.is_empty() {
            insert(&mut members, "children", names_node(group.children.iter()));
        }
        let hosts = self.hosts_with_vars(group, available, seen)?;
        if !hosts.is_empty() {
            insert(&mut members, "hosts", map_node(hosts));
        }
        self.finish(group, members, result)?;
        if result.get(&*group.name).and_then(|entry| entry.node.as_map()).is_some_and(|map| map.is_empty()) {
            result.shift_remove(&*group.name);
        }
        Ok(())
    }

    fn dump(&self, node: &Node) -> Result<String, Error> {
        match self.format {
            Format::Yaml => to_yaml(node),
            Format::Json => {
                let style = JsonStyle { indent: Some(4), sort_keys: true, ensure_ascii: false };
                Ok(json(&json_value(node, &mut Vec::new()), style) + "\n")
            }
            Format::Toml => Ok(super::toml::write(node)),
        }
    }
}

/// A written value for JSON, with the marks by which Ansible reads vaults and plain text back. Only what
/// stands where variables stand is a template when it is read back, so only there does text say that it is
/// none.
fn json_value(node: &Node, path: &mut Vec<Value>) -> Value {
    let marked = |mark: &str, text: Value| {
        let mut map = Map::default();
        map.insert(mark.into(), text);
        Value::from(map)
    };
    match node.kind() {
        Kind::Vault(vault) => marked("__ansible_vault", vault.envelope.clone().into()),
        Kind::Value(Value::Str(text)) if !text.is_trusted() && is_variable(path) => match iso(text) {
            Some(time) => time.into(),
            None => marked("__ansible_unsafe", Value::Str(text.clone())),
        },
        Kind::List(items) => {
            path.push(Value::Null);
            let items = items.iter().map(|item| json_value(item, path)).collect();
            path.pop();
            items
        }
        Kind::Map(map) => {
            let mut values = Map::with_capacity(map.len());
            for (key, entry) in map {
                path.push(key.clone());
                values.insert(key.clone(), json_value(&entry.node, path));
                path.pop();
            }
            values.into()
        }
        _ => node.raw(),
    }
}

/// Text that YAML made of a date or a time, as JSON has it.
fn iso(text: &str) -> Option<String> {
    timestamp(text).filter(|time| time.as_str() == Some(text)).map(|_| text.replacen(' ', "T", 1))
}

/// Whether a document of `--list` holds a variable there: in `_meta.hostvars.HOST` or `GROUP.vars`.
fn is_variable(path: &[Value]) -> bool {
    match path {
        [meta, hostvars, _, _, ..] if meta.as_str() == Some("_meta") => hostvars.as_str() == Some("hostvars"),
        [_, vars, _, ..] => vars.as_str() == Some("vars"),
        _ => false,
    }
}
