//! Hosts, groups and the variables written for them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use indexmap::{IndexMap, IndexSet};
use playbook_api::sync::lock;
use playbook_api::{Map, Place, Value};

use super::VarsFiles;
use crate::document::Node;

/// Variables as they were written, by name.
pub type Vars = IndexMap<Arc<str>, Node>;

/// The names that mean the controller even if no source names them.
pub(super) const LOCALHOST: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// A host.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Its name.
    pub name: Arc<str>,
    /// The variables that sources wrote for this host.
    pub vars: Vars,
    /// The source that first named it.
    pub source: Option<Arc<str>>,
    /// The groups it is a direct member of, in order.
    pub groups: IndexSet<Arc<str>>,
    /// `localhost` that no source named.
    pub implicit: bool,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// The variables that sources wrote for it.
    pub vars: Vars,
    /// Its direct members.
    pub hosts: IndexSet<Arc<str>>,
    /// The groups in it.
    pub children: IndexSet<Arc<str>>,
    /// The groups that it is in.
    pub parents: IndexSet<Arc<str>>,
    /// The length of the longest path from `all`.
    pub depth: usize,
    /// `ansible_group_priority`.
    pub priority: i64,
}

/// All hosts and groups. `all` and `ungrouped` always exist.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The hosts by name.
    pub hosts: IndexMap<Arc<str>, Arc<Host>>,
    /// The groups by name.
    pub groups: IndexMap<Arc<str>, Group>,
    /// The path or text of each source.
    pub sources: Vec<String>,
    /// The directories whose group_vars/ and host_vars/ are read: the project's, then those of the sources.
    pub directories: Vec<PathBuf>,
    /// The playbook's directories: their group_vars/ and host_vars/ win over those beside the inventory.
    pub play_directories: Vec<PathBuf>,
    /// Messages for `-vvv` about how the sources were read.
    pub notes: Vec<String>,
    pub(super) files: Arc<VarsFiles>,
    /// `hash_behaviour: merge`.
    pub(super) merge: bool,
    /// The first host that is the controller.
    pub(super) localhost: Option<Arc<str>>,
    /// The Python with ansible-core, for modules on the implicit localhost.
    pub python: String,
    /// The name of the implicit localhost, once something has asked for it.
    pub(super) implicit_name: Arc<OnceLock<Arc<str>>>,
    /// The implicit localhost, once a task has added it to groups.
    pub(super) implicit: Option<Arc<Host>>,
    pub(super) memory: Memory,
    /// The variables whose values are not printed.
    pub(super) hidden: HashSet<Arc<str>>,
}

/// Names that are shared.
pub(super) type Names = Arc<[Arc<str>]>;

/// Values computed from the hosts and groups, until those change.
#[derive(Debug, Default)]
pub(super) struct Memory {
    groups: OnceLock<Value>,
    ancestors: Mutex<HashMap<Arc<str>, Names>>,
    /// The variables of a set of groups, for all hosts that are in exactly these.
    pub(super) group_vars: Mutex<HashMap<Vec<Arc<str>>, Arc<Vars>>>,
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Memory::default()
    }
}

impl Group {
    pub(super) fn new(name: Arc<str>) -> Group {
        Group {
            name,
            vars: Vars::default(),
            hosts: IndexSet::default(),
            children: IndexSet::default(),
            parents: IndexSet::default(),
            depth: 0,
            priority: 1,
        }
    }
}

impl Host {
    /// Returns the name up to its first dot; an address stays whole.
    pub fn short_name(&self) -> &str {
        short_name(&self.name)
    }
}

/// Whether a name is one of the implicit localhost.
pub fn is_localhost(name: &str) -> bool {
    LOCALHOST.contains(&name)
}

/// Returns `inventory_hostname_short` for a host's name.
pub fn short_name(name: &str) -> &str {
    if name.parse::<std::net::IpAddr>().is_ok() { name } else { name.split('.').next().unwrap_or(name) }
}

impl Inventory {
    /// Keeps the values of a variable out of what [`super::Printer`] prints.
    pub(super) fn hide(&mut self, name: &str) {
        self.hidden.insert(name.into());
    }

    /// Returns a host by name, including the implicit localhost.
    pub fn host(&self, name: &str) -> Option<Arc<Host>> {
        match self.hosts.get(name) {
            Some(host) => Some(host.clone()),
            None if LOCALHOST.contains(&name) => match &self.localhost {
                Some(known) => self.hosts.get(known).cloned(),
                // It keeps the name by which it was first asked for.
                None => Some(self.implicit(self.implicit_name.get_or_init(|| name.into()))),
            },
            None => None,
        }
    }

    /// Returns the implicit localhost under one of its names.
    pub(super) fn implicit(&self, name: &str) -> Arc<Host> {
        let known = self.implicit.as_ref().filter(|host| *host.name == *name);
        known.cloned().unwrap_or_else(|| Arc::new(self.implicit_localhost(name)))
    }

    /// Creates the implicit localhost.
    fn implicit_localhost(&self, name: &str) -> Host {
        let place = Place::file_only("<implicit localhost>");
        let text = |value: &str| Node::value(place.clone(), value);
        let mut vars = Vars::default();
        vars.insert("ansible_python_interpreter".into(), text(&self.python));
        vars.insert("ansible_connection".into(), text("local"));
        Host { name: name.into(), vars, source: None, groups: IndexSet::default(), implicit: true }
    }

    /// Returns the hosts of a group and of the groups below it, each once: its own first, then level by
    /// level.
    pub fn hosts_of(&self, group: &str) -> Vec<Arc<str>> {
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        for name in self.descendants(group) {
            if let Some(group) = self.groups.get(&name) {
                hosts.extend(group.hosts.iter().cloned());
            }
        }
        if group == "all" && self.implicit.is_some() {
            // The implicit localhost does not match `all`.
            hosts.retain(|host| self.hosts.contains_key(host));
        }
        hosts.into_iter().collect()
    }

    /// Returns a group and the groups below it, level by level.
    fn descendants(&self, group: &str) -> Vec<Arc<str>> {
        let Some((name, _)) = self.groups.get_key_value(group) else { return Vec::new() };
        let mut all = vec![name.clone()];
        let mut seen: HashSet<Arc<str>> = all.iter().cloned().collect();
        let mut next = 0;
        while let Some(group) = all.get(next).and_then(|name| self.groups.get(name)) {
            let new: Vec<_> = group.children.iter().filter(|child| seen.insert((*child).clone())).collect();
            all.extend(new.into_iter().cloned());
            next += 1;
        }
        all
    }

    /// Returns the groups above a group.
    pub(super) fn ancestors(&self, group: &str) -> Names {
        if let Some(known) = lock(&self.memory.ancestors).get(group) {
            return known.clone();
        }
        let mut all: IndexSet<Arc<str>> = IndexSet::new();
        let mut next = 0;
        let mut current = self.groups.get(group);
        while let Some(group) = current {
            all.extend(group.parents.iter().cloned());
            current = all.get_index(next).and_then(|name| self.groups.get(name));
            next += 1;
        }
        let all: Names = all.into_iter().collect();
        let mut memory = lock(&self.memory.ancestors);
        memory.insert(group.into(), all.clone());
        all
    }

    /// Returns all groups that a host is in, directly or not, in the order in which their variables override
    /// each other: by depth, priority and name.
    pub(super) fn member_of(&self, host: &Host) -> Vec<&Group> {
        let mut names: IndexSet<Arc<str>> = IndexSet::new();
        for group in &host.groups {
            names.extend(self.ancestors(group).iter().cloned());
            names.insert(group.clone());
        }
        let mut groups: Vec<&Group> = names.iter().filter_map(|name| self.groups.get(name)).collect();
        groups.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        groups
    }

    /// Returns the names of all groups that a host is in, including `all`, in the order in which they
    /// override each other.
    pub fn groups_of(&self, host: &str) -> Vec<Arc<str>> {
        let grouped = || self.implicit.as_ref().filter(|implicit| *implicit.name == *host);
        let host = self.hosts.get(host).or_else(grouped).into_iter();
        host.flat_map(|host| self.member_of(host)).map(|group| group.name.clone()).collect()
    }

    /// Returns the file (or list of hosts) that first named a host.
    pub fn source_of(&self, host: &str) -> Option<PathBuf> {
        self.hosts.get(host)?.source.as_deref().map(PathBuf::from)
    }

    /// Returns the magic variable `groups`: the hosts of every group by its name.
    pub fn groups_value(&self) -> Value {
        self.memory
            .groups
            .get_or_init(|| {
                let names: HashMap<&str, Value> =
                    self.hosts.keys().map(|name| (&**name, Value::from(name.clone()))).collect();
                let value =
                    |name: &Arc<str>| names.get(&**name).cloned().unwrap_or_else(|| name.clone().into());
                let group = |name: &Arc<str>| self.hosts_of(name).iter().map(value).collect::<Value>();
                self.groups.keys().map(|name| (name.clone().into(), group(name))).collect::<Map>().into()
            })
            .clone()
    }
}
