//! Runs plays: strategies, the per-host cursor through blocks, tasks, handlers and dynamic includes.
//!
//! Read a task's life in this order: [`play`] starts it on a host, `task` runs each item of its loop from the
//! scope over `when`, arguments and attempts to the result, and [`module`] runs the module that it names.

pub mod actions;
mod adhoc;
pub(crate) mod call;
pub mod module;
mod names;
mod options;
pub mod play;
mod prompt;
mod stats;
pub(crate) mod task;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use playbook_api::context::Cancel;
use playbook_api::{Context, Error, Value, sync};

pub use call::effect::Effect;
pub use call::state::{PlayState, Shared};
pub use names::{action_names, is_action};
pub use options::Options;
pub use play::task_tags;

use crate::document;
use crate::foreign::Foreign;
use crate::inventory::{Inventory, Vars, extra_vars};
use crate::paths;
use crate::playbook::{self, Playbook, Task};
use crate::report::{Event, Reporter, TaskInfo};
use crate::settings::Settings;
use crate::template::{self, Environment, Renderer};
use crate::vars::{
    ConnectionDefaults, FactCache, HostScope, PlayFacts, RunFacts, ScopeBase, Store, VarsFiles,
};
use crate::vault::Keyring;
use stats::Stats;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All hosts succeeded.
    Ok,
    /// A host failed.
    FailedHosts,
    /// A host was unreachable.
    UnreachableHosts,
    /// The user interrupted the run.
    Interrupted,
}

impl Ending {
    /// Returns the exit status, which is that of ansible-playbook.
    pub fn exit_code(self) -> u8 {
        match self {
            Ending::Ok => 0,
            Ending::FailedHosts => 2,
            Ending::UnreachableHosts => 4,
            Ending::Interrupted => 99,
        }
    }
}

impl Shared {
    /// Makes what all tasks of a run share, with the actions of this program.
    pub fn new(
        options: Options,
        settings: Settings,
        keyring: Arc<Keyring>,
        context: Context,
        foreign: Arc<Foreign>,
        interrupt: Cancel,
    ) -> Self {
        Shared::with_actions(&actions::TABLE, options, settings, keyring, context, foreign, interrupt)
    }
}

/// A run of one or more playbooks over one inventory.
pub struct Run {
    /// What all tasks of the run share.
    pub shared: Arc<Shared>,
    /// The inventory.
    pub inventory: Arc<RwLock<Arc<Inventory>>>,
    /// What is known about hosts.
    pub store: Arc<Store>,
    /// The counts of the recap.
    pub stats: Stats,
    /// Hosts that failed and take no further part in the run.
    pub failed: HashSet<Arc<str>>,
    /// Hosts that were unreachable and take no further part in the run.
    pub unreachable: HashSet<Arc<str>>,
    environment: Arc<Environment>,
    extra: Arc<Vars>,
    facts: Arc<RunFacts>,
    reporter: Box<dyn Reporter>,
    /// The name given by The name given by `--start-at-task`, until that task is found.
    start_at: Option<String>,
    /// Whether the user chose to continue without further questions of `--step`.
    step_all: bool,
    playbook_dir: PathBuf,
    /// Changes by add_host and group_by, which are repeated when the inventory is refreshed.
    dynamic: Vec<Dynamic>,
}

enum Dynamic {
    Host(Arc<str>, Vec<Arc<str>>, Vars),
    Group(Arc<str>, Arc<str>, Vec<Arc<str>>),
}

impl Run {
    /// Starts a run over an inventory.
    pub fn new(shared: Arc<Shared>, inventory: Inventory, reporter: Box<dyn Reporter>) -> Result<Run, Error> {
        let extra = extra_vars(&shared.options.extra_vars, &shared.keyring, &shared.settings, |_| {})?;
        let environment = Environment {
            context: shared.context.clone(),
            keyring: shared.keyring.clone(),
            options: template::environment::Options {
                base_dir: PathBuf::new(),
                allow_broken_conditionals: shared.settings.allow_broken_conditionals,
                duplicate_dict_key: shared.settings.duplicate_dict_key.clone(),
                release: shared.settings.core,
                ..Default::default()
            },
        };
        let options = &shared.options;
        let facts = RunFacts {
            check: options.check,
            diff: options.diff,
            verbosity: options.verbosity,
            forks: options.forks,
            run_tags: if options.tags.is_empty() { vec!["all".into()] } else { options.tags.clone() },
            skip_tags: options.skip_tags.clone(),
            limit: options.limit.clone(),
            inventory_sources: inventory.sources.clone(),
            config_file: shared.settings.config_file.clone(),
            python: inventory.python.clone(),
            connection: ConnectionDefaults {
                plugin: options
                    .connection
                    .clone()
                    .unwrap_or_else(|| shared.settings.transport.clone())
                    .into(),
                user: options.user.clone().or_else(|| shared.settings.remote_user.clone()).map(Value::from),
                port: shared.settings.remote_port.map(|port| (port as i64).into()),
                password: options.connection_password.clone().map(Value::from),
                become_password: options.become_password.clone().map(Value::from),
            },
        };
        let store = Store::with_cache(FactCache::open(&shared.settings)?);
        if options.flush_cache {
            store.clear_facts(&"localhost".into())?;
            for host in inventory.hosts.keys() {
                store.clear_facts(host)?;
            }
        }
        Ok(Run {
            start_at: options.start_at_task.clone(),
            shared,
            inventory: Arc::new(RwLock::new(Arc::new(inventory))),
            store: Arc::new(store),
            stats: Stats::default(),
            failed: HashSet::new(),
            unreachable: HashSet::new(),
            environment: Arc::new(environment),
            extra: Arc::new(extra),
            facts: Arc::new(facts),
            reporter,
            step_all: false,
            playbook_dir: PathBuf::new(),
            dynamic: Vec::new(),
        })
    }

    /// Shows what reports have buffered.
    pub fn flush(&mut self) {
        self.reporter.flush();
    }

    /// Sends an event to the reports.
    pub fn emit(&mut self, event: Event) {
        self.reporter.event(&event);
    }

    /// Loads a playbook, with the names of its imports rendered from extra variables and the frames around them.
    pub fn load(&mut self, path: &std::path::Path) -> Result<Playbook, Error> {
        self.with_loader(path, |loader| playbook::load(path, loader))
    }

    /// Calls `load` with the loader of a playbook and reports the warnings.
    pub fn with_loader<T>(&mut self, path: &std::path::Path, load: impl FnOnce(&playbook::Loader) -> T) -> T {
        self.playbook_dir = paths::absolute(path).parent().map(|p| p.to_owned()).unwrap_or_default();
        let base =
            self.scope_base(self.play_facts(None, "", Vec::new()), Default::default(), VarsFiles::default());
        let render = |node: &document::Node, frame: &Arc<playbook::Frame>| {
            let scope = HostScope::of_frame(&base, frame);
            scope.renderer().value(node)
        };
        let warnings = std::cell::RefCell::new(Vec::new());
        let warn = |e: Error| warnings.borrow_mut().push(e);
        let shared = self.shared.clone();
        let loaded = load(&shared.loader(&render, &warn));
        for warning in warnings.into_inner() {
            self.reporter.event(&Event::warning(&warning));
        }
        loaded
    }

    /// Runs loaded playbooks one after the other, until one fails.
    pub fn playbooks(&mut self, all: &[Playbook]) -> Result<Ending, Error> {
        let mut ending = Ending::Ok;
        for playbook in all {
            self.enter(playbook.path.parent().unwrap_or(Path::new("/")));
            let check = self.shared.options.check;
            let name =
                playbook.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let text = format!("{} plays in {name}", playbook.plays.len());
            self.emit(Event::RunStart { playbook: playbook.path.to_string_lossy().into_owned(), check });
            self.emit(Event::Verbose { level: 2, text, host: None });
            self.plays(playbook)?;
            self.write_retry_file(&playbook.path);
            let stats = self.stats.event();
            self.emit(stats);
            ending = match () {
                () if self.shared.interrupt.is_set() => Ending::Interrupted,
                () if !self.unreachable.is_empty() => Ending::UnreachableHosts,
                () if !self.failed.is_empty() => Ending::FailedHosts,
                () => Ending::Ok,
            };
            if ending != Ending::Ok {
                break;
            }
        }
        if let Some(name) = &self.start_at {
            let message = format!(
                "No matching task \"{name}\" found. Note: --start-at-task can only follow static includes."
            );
            self.emit(Event::Error(Error::new(message)));
        }
        Ok(ending)
    }

    /// What comes belongs to a playbook in this directory: its group_vars and host_vars count, and no other playbook's.
    fn enter(&mut self, directory: &Path) {
        self.playbook_dir = directory.to_owned();
        Arc::make_mut(&mut sync::write(&self.inventory)).beside_playbook(vec![directory.to_owned()]);
    }

    fn play_facts(
        &self,
        play: Option<Arc<playbook::Play>>,
        name: &str,
        hosts: Vec<Arc<str>>,
    ) -> Arc<PlayFacts> {
        Arc::new(PlayFacts {
            play,
            name: name.to_owned(),
            playbook_dir: self.playbook_dir.clone(),
            batch: RwLock::new(hosts.iter().cloned().collect()),
            removed: RwLock::default(),
            all_hosts: RwLock::new(hosts.into_iter().collect()),
            included_roles: RwLock::default(),
            dynamic_roles: RwLock::default(),
        })
    }

    fn scope_base(
        &self,
        play: Arc<PlayFacts>,
        prompted: Arc<crate::vars::Values>,
        vars_files: VarsFiles,
    ) -> Arc<ScopeBase> {
        Arc::new(ScopeBase {
            environment: self.environment.clone(),
            inventory: self.inventory.clone(),
            store: self.store.clone(),
            extra: self.extra.clone(),
            run: self.facts.clone(),
            play,
            prompted,
            vars_files,
            merge: self.shared.settings.hash_behaviour == "merge",
            inject_facts: self.shared.settings.inject_facts_as_vars,
            host_layers: RwLock::default(),
        })
    }

    /// Whether a task may run: `--start-at-task` skips all tasks before that one.
    fn starts_here(&mut self, task: &Task) -> bool {
        let Some(wanted) = &self.start_at else { return true };
        if task.implicit {
            return true;
        }
        let name = task.keywords.name.as_ref().and_then(document::Node::source).unwrap_or_default();
        let with_role = task.frame.role().map(|role| format!("{} : {name}", role.name));
        let matches =
            |name: &str| glob::Pattern::new(wanted).is_ok_and(|p| p.matches(name)) || wanted == name;
        if matches(name) || with_role.is_some_and(|n| matches(&n)) {
            self.start_at = None;
            return true;
        }
        task.keywords.name.as_ref().and_then(document::Node::as_str) == Some("Gathering Facts")
    }

    fn add_host(&mut self, name: &Arc<str>, groups: &[Arc<str>], vars: Vars) -> Result<bool, Error> {
        let mut inventory = sync::write(&self.inventory);
        self.dynamic.push(Dynamic::Host(name.clone(), groups.to_vec(), vars.clone()));
        Arc::make_mut(&mut inventory).add_host(name, groups, vars)
    }

    fn group_by(&mut self, host: &Arc<str>, group: &Arc<str>, parents: &[Arc<str>]) -> Result<bool, Error> {
        let mut inventory = sync::write(&self.inventory);
        self.dynamic.push(Dynamic::Group(host.clone(), group.clone(), parents.to_vec()));
        Arc::make_mut(&mut inventory).group_host(host, group, parents)
    }

    fn refresh_inventory(&mut self) -> Result<(), Error> {
        let (mut inventory, warnings) = Inventory::load(
            &self.shared.options.inventory,
            &self.shared.settings,
            &self.shared.keyring,
            &self.shared.context,
            &self.extra,
        )?;
        inventory.beside_playbook(vec![self.playbook_dir.clone()]);
        for change in &self.dynamic {
            match change {
                Dynamic::Host(name, groups, vars) => inventory.add_host(name, groups, vars.clone())?,
                Dynamic::Group(host, group, parents) if inventory.hosts.contains_key(host) => {
                    inventory.group_host(host, group, parents)?
                }
                Dynamic::Group(..) => false,
            };
        }
        *sync::write(&self.inventory) = Arc::new(inventory);
        for warning in warnings {
            self.emit(Event::warning(&warning));
        }
        Ok(())
    }

    fn ask_step(&mut self, info: &TaskInfo) -> bool {
        if self.step_all {
            return true;
        }
        match prompt::step(&info.name) {
            prompt::Step::Yes => true,
            prompt::Step::No => false,
            prompt::Step::Continue => {
                self.step_all = true;
                true
            }
        }
    }
}

/// Returns the value of a play's keyword in a scope without a host.
fn play_value(base: &Arc<ScopeBase>, node: &document::Node) -> Result<Value, Error> {
    HostScope::new(base, &Arc::from(""), None, Default::default()).renderer().value(node)
}

/// Returns the renderer of a scope without a host.
fn play_renderer(base: &Arc<ScopeBase>) -> Renderer {
    HostScope::new(base, &Arc::from(""), None, Default::default()).renderer()
}
