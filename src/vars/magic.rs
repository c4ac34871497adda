//! Variables that the engine itself provides.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

use indexmap::IndexSet;
use playbook_api::{Error, Value, map, sync};

use super::{ConnectionDefaults, HostScope, HostVars};
use crate::inventory::Inventory;
use crate::playbook::{Keyword, Play, Role};

/// What magic variables say about the play that runs.
#[derive(Debug)]
pub struct PlayFacts {
    /// The play; none before one runs.
    pub play: Option<Arc<Play>>,
    /// The name of the play.
    pub name: String,
    /// The directory of the playbook on the command line.
    pub playbook_dir: PathBuf,
    /// All hosts of the play's pattern, regardless of `serial`.
    pub all_hosts: RwLock<PlayHosts>,
    /// The hosts of the batch.
    pub batch: RwLock<PlayHosts>,
    /// The hosts that failed or ended the play early.
    pub removed: RwLock<HashSet<Arc<str>>>,
    /// The public roles that were included, whose variables the rest of the play sees.
    pub included_roles: RwLock<Vec<Arc<Role>>>,
    /// All roles that were included, which the names of the play's roles have too.
    pub dynamic_roles: RwLock<Vec<Arc<Role>>>,
}

/// Hosts of a play in their order, and the lists of them that variables show: tasks of each host may use them.
#[derive(Debug, Default)]
pub struct PlayHosts {
    names: IndexSet<Arc<str>>,
    all: OnceLock<Value>,
    /// Those that are not removed.
    left: OnceLock<Value>,
}

impl FromIterator<Arc<str>> for PlayHosts {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(names: I) -> PlayHosts {
        PlayHosts { names: names.into_iter().collect(), ..PlayHosts::default() }
    }
}

impl PlayHosts {
    fn all(&self) -> Value {
        let list = || self.names.iter().map(|name| Value::from(name.clone())).collect();
        self.all.get_or_init(list).clone()
    }
}

impl PlayFacts {
    /// Removes a host from the play.
    pub fn remove(&self, host: &Arc<str>) {
        if sync::write(&self.removed).insert(host.clone()) {
            for hosts in [&self.all_hosts, &self.batch] {
                sync::write(hosts).left = OnceLock::new();
            }
        }
    }

    /// A host that the play has added to the inventory is among its hosts, too.
    pub fn add(&self, host: &Arc<str>) {
        let mut hosts = sync::write(&self.all_hosts);
        if hosts.names.insert(host.clone()) {
            (hosts.all, hosts.left) = Default::default();
        }
    }

    fn left(&self, hosts: &RwLock<PlayHosts>) -> Value {
        let hosts = sync::read(hosts);
        let list = || {
            let removed = sync::read(&self.removed);
            let left = hosts.names.iter().filter(|name| !removed.contains(*name));
            left.map(|name| Value::from(name.clone())).collect()
        };
        hosts.left.get_or_init(list).clone()
    }
}

/// What magic variables say about the run, the same for all plays.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// Whether it is a dry run.
    pub check: bool,
    /// Whether differences are shown.
    pub diff: bool,
    /// The verbosity.
    pub verbosity: u8,
    /// The number of tasks that run in parallel.
    pub forks: usize,
    /// The tags of `--tags`, or `all`.
    pub run_tags: Vec<String>,
    /// The tags of `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// The pattern of `--limit`.
    pub limit: Option<String>,
    /// The inventory sources.
    pub inventory_sources: Vec<String>,
    /// The configuration file.
    pub config_file: Option<PathBuf>,
    /// The Python interpreter of the controller.
    pub python: String,
    /// What tasks connect with by default.
    pub connection: ConnectionDefaults,
}

fn list(names: &[Arc<str>]) -> Value {
    names.iter().map(|n| Value::from(n.clone())).collect()
}

fn path(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

/// The names that [`get`] knows for every host.
pub(crate) const NAMES: &[&str] = &[
    "inventory_hostname",
    "inventory_hostname_short",
    "inventory_file",
    "inventory_dir",
    "group_names",
    "groups",
    "hostvars",
    "playbook_dir",
    "ansible_play_name",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_batch",
    "play_hosts",
    "ansible_version",
    "ansible_check_mode",
    "ansible_diff_mode",
    "ansible_forks",
    "ansible_verbosity",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_inventory_sources",
    "ansible_config_file",
    "ansible_playbook_python",
    "ansible_facts",
    "ansible_search_path",
    "ansible_delegated_vars",
    "environment",
    "vars",
    "role_names",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_dependent_role_names",
    "omit",
];

const ROLE_NAMES: &[&str] = &[
    "role_name",
    "role_path",
    "role_uuid",
    "ansible_role_name",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_collection_name",
];

/// Those that only the hosts of a play see.
const PLAY_NAMES: &[&str] = &[
    "ansible_search_path",
    "ansible_play_name",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_batch",
    "play_hosts",
    "role_names",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_dependent_role_names",
    "vars",
];

/// Returns the names of the magic variables in this scope.
pub(crate) fn names(scope: &HostScope) -> impl Iterator<Item = &'static str> {
    let in_role = scope.role().is_some();
    let all = NAMES.iter().chain(if in_role { ROLE_NAMES } else { &[] }).copied();
    all.filter(|name| match *name {
        name if !scope.is_in_play() && (name == "omit" || PLAY_NAMES.contains(&name)) => false,
        "inventory_file" | "inventory_dir" => scope.base.source_of(&scope.host).is_some(),
        "ansible_parent_role_names" | "ansible_parent_role_paths" => scope.parent_roles().next().is_some(),
        "ansible_delegated_vars" => scope.delegate().is_some(),
        "environment" => scope.task().is_some(),
        _ => true,
    })
}

/// Returns a magic variable, if the name is one.
pub(crate) fn get(scope: &HostScope, name: &str) -> Option<Result<Value, Error>> {
    let base = &scope.base;
    let (play, run) = (&base.play, &base.run);
    if !scope.is_in_play() && PLAY_NAMES.contains(&name) {
        return None;
    }
    let value = match name {
        // These are variables of the host or of nobody, below all that anyone else says.
        "inventory_hostname"
        | "inventory_hostname_short"
        | "inventory_file"
        | "inventory_dir"
        | "group_names"
        | "omit"
            if scope.knows(name) =>
        {
            return None;
        }
        // A module that returns a fact of this name does not replace all others.
        "ansible_facts" if scope.knows(name) && !scope.is_fact(name) => return None,
        "inventory_hostname" => scope.host.name.clone().into(),
        "inventory_hostname_short" => scope.host.name.split('.').next().unwrap_or_default().into(),
        "inventory_file" => base.source_of(&scope.host).map(|p| path(&p))?,
        "inventory_dir" => base.source_of(&scope.host).and_then(|p| p.parent().map(path))?,
        "group_names" => group_names(&base.inventory(), &scope.host.name),
        "groups" => base.inventory().groups_value(),
        "hostvars" => Value::Object(Arc::new(HostVars::new(scope))),
        "vars" => scope.as_vars(),
        "playbook_dir" => path(&play.playbook_dir),
        "ansible_play_name" => play.name.clone().into(),
        "ansible_play_hosts" => play.left(&play.all_hosts),
        "ansible_play_hosts_all" => sync::read(&play.all_hosts).all(),
        "ansible_play_batch" | "play_hosts" => play.left(&play.batch),
        "ansible_version" => {
            let (full, major, minor, revision) = scope.release().version();
            map! { "full" => full, "major" => major, "minor" => minor, "revision" => revision, "string" => full }.into()
        }
        "ansible_check_mode" => run.check.into(),
        "ansible_diff_mode" => run.diff.into(),
        "ansible_forks" => run.forks.into(),
        "ansible_verbosity" => i64::from(run.verbosity).into(),
        "ansible_run_tags" => run.run_tags.clone().into(),
        "ansible_skip_tags" => run.skip_tags.clone().into(),
        "ansible_limit" => run.limit.clone().map(Value::from)?,
        "ansible_inventory_sources" => run.inventory_sources.clone().into(),
        "ansible_config_file" => run.config_file.as_deref().map_or(Value::Null, path),
        "ansible_playbook_python" => run.python.clone().into(),
        "ansible_facts" => Value::Map(scope.state.ansible_facts.clone()),
        "ansible_search_path" => scope.search_path().iter().map(|p| path(p)).collect(),
        "ansible_delegated_vars" => {
            let delegate = scope.delegate()?;
            map! { &*delegate.name => delegate.scope.as_object() }.into()
        }
        "environment" => {
            let task = scope.task()?;
            let renderer = scope.renderer();
            return Some(
                task.inherited(Keyword::Environment).into_iter().map(|node| renderer.resolve(node)).collect(),
            );
        }
        "omit" => Value::Omit,
        "ansible_play_role_names" | "role_names" => list(&play_roles(play, false)),
        "ansible_dependent_role_names" => list(&play_roles(play, true)),
        "ansible_role_names" => {
            let mut all = play_roles(play, false);
            all.extend(play_roles(play, true));
            let all: IndexSet<_> = all.into_iter().collect();
            list(&all.into_iter().collect::<Vec<_>>())
        }
        _ => return role(scope.role()?, scope, name).map(Ok),
    };
    Some(Ok(value))
}

fn role(role: &Arc<Role>, scope: &HostScope, name: &str) -> Option<Value> {
    Some(match name {
        "role_name" => role.name.clone().into(),
        "ansible_role_name" => role.full_name.clone().into(),
        "role_path" => path(&role.path),
        "role_uuid" => format!("{:?}", role.id).into(),
        "ansible_collection_name" => {
            let parts: Vec<&str> = role.full_name.split('.').collect();
            if parts.len() < 3 { Value::Null } else { parts[..2].join(".").into() }
        }
        "ansible_parent_role_names" | "ansible_parent_role_paths"
            if scope.parent_roles().next().is_none() =>
        {
            return None;
        }
        "ansible_parent_role_names" => {
            list(&scope.parent_roles().map(|r| r.name.clone()).collect::<Vec<_>>())
        }
        "ansible_parent_role_paths" => scope.parent_roles().map(|r| path(&r.path)).collect(),
        _ => return None,
    })
}

fn play_roles(facts: &PlayFacts, dependent: bool) -> Vec<Arc<str>> {
    let Some(play) = &facts.play else { return Vec::new() };
    let mut names = IndexSet::new();
    let dynamic = sync::read(&facts.dynamic_roles);
    for role in play.roles.iter().map(|(role, _)| role).chain(dynamic.iter()) {
        if dependent {
            dependencies(role, &mut names);
        } else {
            names.insert(role.full_name.clone());
        }
    }
    names.into_iter().collect()
}

fn dependencies(role: &Role, names: &mut IndexSet<Arc<str>>) {
    for dependency in role.dependencies() {
        dependencies(dependency, names);
        names.insert(dependency.full_name.clone());
    }
}

fn group_names(inventory: &Inventory, host: &str) -> Value {
    let mut names: Vec<Arc<str>> = inventory.groups_of(host).into_iter().filter(|g| &**g != "all").collect();
    names.sort();
    list(&names)
}
