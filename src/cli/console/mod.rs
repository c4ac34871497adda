//! `playbook console`, which is also `ansible-console`: runs tasks that are typed at a prompt.

mod commands;
mod line;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use playbook_api::context::Cancel;
use playbook_api::{Context, Error, Map, Value, map};

use super::adhoc;
use super::common::{self, HostArgs};
use super::session::Session;
use super::{Fault, Register, complain, interrupt};
use crate::foreign::{Foreign, Kind};
use crate::inventory::Inventory;
use crate::report::{self, Output};
use crate::run::{self, Options, Shared};
use line::Lines;

/// Reads tasks at a prompt, and runs each on the hosts that a pattern selects.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook console web -i hosts.ini
  playbook console -i hosts.ini -b --check")]
pub(super) struct Console {
    /// The hosts at the start: a group, a host or a pattern
    #[arg(default_value = "all")]
    pattern: String,
    /// The time limit of a task, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    task_timeout: u64,
    /// The directory that stands for the playbook's, with roles, group_vars and host_vars
    #[arg(long, value_name = "DIRECTORY")]
    playbook_dir: Option<PathBuf>,
    /// Ask before each task
    #[arg(long)]
    step: bool,
    /// List the hosts, and run nothing
    #[arg(long)]
    list_hosts: bool,
    #[command(flatten)]
    hosts: HostArgs,
}

/// The state that commands change and tasks run with.
struct State {
    /// The pattern of the hosts that tasks run on.
    hosts: String,
    remote_user: Option<String>,
    r#become: bool,
    become_user: Option<String>,
    become_method: Option<String>,
    check: bool,
    diff: bool,
    timeout: u64,
    collections: Vec<String>,
    forks: usize,
    verbosity: u8,
}

/// The prompt with its state.
struct Shell {
    session: Session,
    options: Options,
    context: Context,
    foreign: Arc<Foreign>,
    inventory: Inventory,
    directory: PathBuf,
    state: State,
    /// The run of the tasks, whose connections stay open. There is none after its options have changed.
    run: Option<run::Run>,
    cancel: Cancel,
}

impl Console {
    pub(super) fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let mut session = Session::new(&self.hosts.vault, register, by_project)?;
        self.hosts.put_flags(&mut session.settings);
        let options = Options { step: self.step, ..self.hosts.options(&session, !self.list_hosts)? };
        let settings = &session.settings;
        let directory = common::playbook_directory(self.playbook_dir.as_deref(), settings);
        let directory = directory.unwrap_or_else(crate::paths::here);
        let (context, foreign) = common::context(&session, &options);
        foreign.add_playbook(&directory);
        let mut reporter = report::reporter(settings, Output::Minimal, options.verbosity, &context.redactor);
        let mut inventory = common::begin(&session, &options, &context, &mut *reporter, &self.pattern)?;
        inventory.beside_playbook(vec![directory.clone()]);
        if self.list_hosts {
            adhoc::list_hosts(&inventory, &self.pattern, &options, settings)?;
            return Ok(0);
        }
        let state = State {
            hosts: self.pattern,
            remote_user: options.user.clone(),
            r#become: options.r#become,
            become_user: options.become_user.clone(),
            become_method: options.become_method.clone(),
            check: options.check,
            diff: options.diff,
            timeout: self.task_timeout,
            collections: Vec::new(),
            forks: options.forks,
            verbosity: options.verbosity,
        };
        let (run, cancel) = (None, Cancel::default());
        let mut shell =
            Shell { session, options, context, foreign, inventory, directory, state, run, cancel };
        shell.talk()
    }
}

impl Shell {
    /// Reads and runs lines until the end of the input.
    fn talk(&mut self) -> Result<u8, Fault> {
        say!("Welcome to the ansible console. Type help or ? to list commands.\n");
        let mut lines = Lines::new()?;
        loop {
            lines.know(&self.names(), &self.places());
            let Some(line) = lines.read(&self.prompt()) else { break };
            match line.trim() {
                "" => {}
                "exit" => break,
                line => self.take(line),
            }
        }
        say!("\nAnsible-console was exited.");
        Ok(0)
    }

    fn prompt(&self) -> String {
        let user = self.state.remote_user.clone().unwrap_or_else(own_name);
        let root = self.state.become_user.as_deref().is_none_or(|user| user == "root");
        let mark = if self.state.r#become && root { '#' } else { '$' };
        let count = self.selected().len();
        format!("{user}@{} ({count})[f:{}]{mark} ", self.state.hosts, self.state.forks)
    }

    /// Returns the hosts that a task would run on.
    fn selected(&self) -> Vec<Arc<str>> {
        let (settings, options) = (&self.session.settings, &self.options);
        adhoc::selected(&self.inventory, &self.state.hosts, options, settings).unwrap_or_default()
    }

    /// Returns the names of the modules that are built in, sorted.
    fn modules(&self) -> Vec<String> {
        let mut names = run::action_names(&self.context.registry);
        names.retain(|name| !name.starts_with('_') && !name.contains('.'));
        names
    }

    /// The words that a line may begin with.
    fn names(&self) -> Vec<String> {
        let mut names = self.modules();
        names.extend(commands::TABLE.iter().map(|command| command.name.to_owned()));
        names
    }

    /// The arguments of `cd`.
    fn places(&self) -> Vec<String> {
        let groups = self.inventory.groups.keys();
        groups.chain(self.inventory.hosts.keys()).map(|name| name.to_string()).collect()
    }

    fn is_module(&self, name: &str) -> bool {
        let there =
            |name: &str| self.foreign.find(Kind::Module, name, &[]).is_ok_and(|found| found.is_some());
        run::is_action(&self.context.registry, name) || there(name)
    }

    /// Runs a line as a task: a module with its arguments, or else a shell command.
    fn task(&mut self, line: &str, shell: bool) {
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (module, arguments) =
            if !shell && self.is_module(first) { (first, rest.trim()) } else { ("shell", line) };
        let done = adhoc::task(module, arguments)
            .map_err(|e| e.context("Unable to build command"))
            .and_then(|task| self.play(task));
        if let Err(error) = done {
            complain(&error);
        }
    }

    fn play(&mut self, mut task: Map) -> Result<(), Error> {
        let state = &self.state;
        if state.timeout > 0 {
            task.insert("timeout".into(), state.timeout.into());
        }
        let mut play = map! {
            "name" => "Ansible Shell", "hosts" => state.hosts.as_str(), "gather_facts" => false,
            "tasks" => vec![Value::from(task)], "become" => state.r#become, "check_mode" => state.check,
            "diff" => state.diff,
        };
        let texts = [
            ("remote_user", &state.remote_user),
            ("become_user", &state.become_user),
            ("become_method", &state.become_method),
        ];
        for (keyword, value) in texts {
            if let Some(value) = value {
                play.insert(keyword.into(), value.as_str().into());
            }
        }
        if !state.collections.is_empty() {
            play.insert("collections".into(), state.collections.clone().into());
        }
        let mut run = match self.run.take() {
            // An interrupted run does not accept tasks.
            Some(run) if !self.cancel.is_set() => run,
            _ => self.start()?,
        };
        run.begin_again();
        let playbook = run.load_document(&adhoc::document(play), &self.directory)?;
        let ended = run.playbooks(&[playbook]);
        self.run = Some(run);
        ended.map(|_| ())
    }

    fn start(&mut self) -> Result<run::Run, Error> {
        self.cancel = Cancel::default();
        interrupt::watch(self.cancel.clone(), self.context.cancel.clone());
        let (forks, verbosity) = (self.state.forks, self.state.verbosity);
        let options = Options { forks, verbosity, ..self.options.clone() };
        let context = Context { verbosity, ..self.context.clone() };
        let settings = self.session.settings.clone();
        let (foreign, keyring) = (&self.foreign, self.session.keyring.clone());
        let reporter = adhoc::reporter(&settings, foreign, false, verbosity, &context.redactor, true)?;
        let shared = Shared::new(options, settings, keyring, context, foreign.clone(), self.cancel.clone());
        run::Run::new(Arc::new(shared), self.inventory.clone(), reporter)
    }
}

/// Returns the user's name, as Python's `getpass` finds it.
fn own_name() -> String {
    let names = ["LOGNAME", "USER", "LNAME", "USERNAME"];
    let given = names.iter().filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
    let by_id = || nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.name);
    given.or_else(by_id).unwrap_or_default()
}
