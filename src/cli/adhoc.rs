//! `playbook adhoc`, which is also `ansible`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use playbook_api::context::Cancel;
use playbook_api::{Error, Map, Place, Redactor, Value, map};

use super::common::{self, HostArgs};
use super::session::Session;
use super::{Fault, Register, interrupt};
use crate::document::{Node, Trust, parse_json, parse_kv};
use crate::foreign::Foreign;
use crate::inventory::Inventory;
use crate::report::{self, Output, Reporter};
use crate::run::{self, Options, Shared};
use crate::settings::Settings;

/// Runs one task on the hosts that match a pattern.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook adhoc web -i hosts.ini -m ping
  playbook adhoc web -i hosts.ini -a 'uptime'                            Run a command
  playbook adhoc web -i hosts.ini -b -m service -a 'name=nginx state=restarted'
  playbook adhoc all -i hosts.ini -m setup -a 'filter=ansible_distribution*'")]
pub(super) struct Adhoc {
    /// The hosts: a group, a host or a pattern
    pattern: String,
    /// The module
    #[arg(short, long, value_name = "MODULE")]
    module_name: Option<String>,
    /// The arguments: `name=value …` or a JSON object
    #[arg(short = 'a', long = "args", value_name = "ARGS", allow_hyphen_values = true)]
    args: Option<String>,
    /// Run the task in the background, with this time limit in seconds
    #[arg(short = 'B', long = "background", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// The interval at which a background task is checked, in seconds
    #[arg(short = 'P', long = "poll", value_name = "SECONDS")]
    poll: Option<u64>,
    /// The time limit of the task, in seconds
    #[arg(long, value_name = "SECONDS")]
    task_timeout: Option<u64>,
    /// Print one line per host
    #[arg(short, long)]
    one_line: bool,
    /// The directory that stands for the playbook's, with roles, group_vars and host_vars
    #[arg(long, value_name = "DIRECTORY")]
    playbook_dir: Option<PathBuf>,
    /// Write the result of each host to a file in this directory
    #[arg(short, long, value_name = "DIRECTORY")]
    tree: Option<std::path::PathBuf>,
    /// List the hosts, and run nothing
    #[arg(long)]
    list_hosts: bool,
    #[command(flatten)]
    hosts: HostArgs,
}

/// The result of a task.
pub(super) struct Ended {
    pub code: u8,
    /// Whether it changed anything.
    pub changed: bool,
}

/// Modules that require arguments.
const NEED_ARGUMENTS: [&str; 4] = ["command", "shell", "raw", "script"];

impl Adhoc {
    pub(super) fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        self.ending(register, by_project).map(|ending| ending.code)
    }

    /// Runs the task, and returns its result.
    pub(super) fn ending(self, register: Register, by_project: bool) -> Result<Ended, Fault> {
        let mut session = Session::new(&self.hosts.vault, register, by_project)?;
        self.hosts.put_flags(&mut session.settings);
        let options = self.hosts.options(&session, !self.list_hosts)?;
        let directory = common::playbook_directory(self.playbook_dir.as_deref(), &session.settings);
        let directory = directory.unwrap_or_else(crate::paths::here);
        let (context, foreign) = common::context(&session, &options);
        foreign.add_playbook(&directory);
        let redactor = &context.redactor;
        let settings = &session.settings;
        let verbosity = options.verbosity;
        let mut reporter =
            reporter(settings, &foreign, self.one_line, verbosity, redactor, !self.list_hosts)?;
        if let Some(directory) = &self.tree {
            let directory = crate::paths::absolute(&crate::paths::expand_home(directory));
            reporter = report::with_tree(reporter, directory, settings, verbosity, redactor);
        }
        let mut inventory = common::begin(&session, &options, &context, &mut *reporter, &self.pattern)?;
        inventory.beside_playbook(vec![directory.clone()]);
        if self.list_hosts {
            list_hosts(&inventory, &self.pattern, &options, &session.settings)?;
            return Ok(Ended { code: 0, changed: false });
        }
        let module = self.module_name.clone().unwrap_or_else(|| session.settings.module_name.clone());
        let arguments =
            self.args.clone().or_else(|| session.settings.module_args.clone()).unwrap_or_default();
        let document = self.document(&module, &arguments).map_err(Fault::options)?;
        let (cancel, stop) = (Cancel::default(), context.cancel.clone());
        let shared =
            Shared::new(options, session.settings, session.keyring, context, foreign, cancel.clone());
        let mut run = run::Run::new(Arc::new(shared), inventory, reporter)?;
        let playbook = run.load_document(&document, &directory)?;
        interrupt::watch(cancel, stop);
        let code = run.playbooks(&[playbook])?.exit_code();
        Ok(Ended { code, changed: run.stats.changed() })
    }

    /// Returns a playbook of one task.
    fn document(&self, module: &str, arguments: &str) -> Result<Node, Error> {
        let mut task = task(module, arguments).map_err(|e| match self.pattern.ends_with(".yml") {
            true => e.with_help("Did you mean to run 'playbook run'?"),
            false => e,
        })?;
        for (keyword, seconds) in
            [("async", self.seconds), ("poll", self.poll), ("timeout", self.task_timeout)]
        {
            if let Some(seconds) = seconds {
                task.insert(keyword.into(), seconds.into());
            }
        }
        Ok(document(map! {
            "name" => "Ansible Ad-Hoc", "hosts" => self.pattern.as_str(), "gather_facts" => false,
            "tasks" => vec![Value::from(task)],
        }))
    }
}

fn place() -> Place {
    Place::file_only("<adhoc>")
}

/// Returns a task: a module, and its arguments as they were typed.
pub(super) fn task(module: &str, text: &str) -> Result<Map, Error> {
    let short = module.strip_prefix("ansible.builtin.").unwrap_or(module);
    let free_form = NEED_ARGUMENTS.contains(&short);
    if text.is_empty() && free_form {
        return Err(
            Error::new(format!("No argument passed to {module} module")).with_help("Give them with -a.")
        );
    }
    let is_json =
        text.trim_start().starts_with('{') && text.trim_end().ends_with('}') && !text.starts_with("{{");
    let args: Map = if is_json {
        let node = parse_json(text, "<adhoc>", Trust::Text)?;
        node.raw().as_map().cloned().unwrap_or_default()
    } else {
        let parsed = parse_kv(text, &place(), Trust::Text, free_form)?;
        parsed.into_iter().map(|(name, node)| (Value::from(name), node.raw())).collect()
    };
    Ok(map! { "action" => module, "args" => args })
}

/// Returns a playbook of one play.
pub(super) fn document(play: Map) -> Node {
    Node::from_value(&place(), vec![Value::from(play)].into(), Trust::Templates)
}

/// Returns the report of tasks that are not in a playbook; `runs` says whether tasks will run.
pub(super) fn reporter(
    settings: &Settings,
    foreign: &Arc<Foreign>,
    one_line: bool,
    verbosity: u8,
    redactor: &Redactor,
    runs: bool,
) -> Result<Box<dyn Reporter>, Error> {
    let as_in_playbooks = settings.bin_ansible_callbacks && settings.stdout_callback != "default";
    let output = match one_line {
        true => Output::OneLine,
        false if as_in_playbooks => Output::Text,
        false => Output::Minimal,
    };
    report::of_run(settings, foreign, output, verbosity, redactor, runs)
}

/// Returns the hosts that a pattern selects.
pub(super) fn selected(
    inventory: &Inventory,
    pattern: &str,
    options: &Options,
    settings: &Settings,
) -> Result<Vec<Arc<str>>, Error> {
    let (mut hosts, _) = inventory.select(pattern, settings)?;
    if let Some(limit) = &options.limit {
        let (limited, _) = inventory.select(limit, settings)?;
        hosts.retain(|host| limited.contains(host));
    }
    Ok(hosts)
}

/// Prints the hosts that a pattern selects.
pub(super) fn list_hosts(
    inventory: &Inventory,
    pattern: &str,
    options: &Options,
    settings: &Settings,
) -> Result<(), Error> {
    let hosts = selected(inventory, pattern, options, settings)?;
    say!("  hosts ({}):", hosts.len());
    hosts.iter().for_each(|host| say!("    {host}"));
    Ok(())
}
