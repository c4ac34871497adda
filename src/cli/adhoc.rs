//! `playbook adhoc`, which is also `ansible`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use playbook_api::context::Cancel;
use playbook_api::{Error, Map, Place, Value, map};

use super::common::{self, HostArgs};
use super::session::Session;
use super::{Fault, Register, interrupt};
use crate::document::{Node, Trust, parse_json, parse_kv};
use crate::report::{self, Output};
use crate::run::{self, Shared};

/// Run one task on the hosts that match a pattern.
#[derive(Parser)]
pub struct Adhoc {
    /// The hosts: a group, a host, or any pattern.
    pattern: String,
    /// The module.
    #[arg(short, long, value_name = "MODULE")]
    module_name: Option<String>,
    /// Its arguments: `name=value …`, or a JSON object.
    #[arg(short = 'a', long = "args", value_name = "ARGS", allow_hyphen_values = true)]
    args: Option<String>,
    /// Run it in the background, for at most so many seconds.
    #[arg(short = 'B', long = "background", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Seconds between looks at what runs in the background.
    #[arg(short = 'P', long = "poll", value_name = "SECONDS")]
    poll: Option<u64>,
    /// Seconds the task may take.
    #[arg(long, value_name = "SECONDS")]
    task_timeout: Option<u64>,
    /// A line a host.
    #[arg(short, long)]
    one_line: bool,
    /// The folder taken for the playbook's: its roles, group_vars and host_vars count.
    #[arg(long, value_name = "FOLDER")]
    playbook_dir: Option<PathBuf>,
    /// Write each host's result into a file in this folder.
    #[arg(short, long, value_name = "FOLDER")]
    tree: Option<std::path::PathBuf>,
    /// List the hosts, and do nothing.
    #[arg(long)]
    list_hosts: bool,
    #[command(flatten)]
    hosts: HostArgs,
}

/// Modules that do nothing without arguments.
const NEED_ARGUMENTS: [&str; 4] = ["command", "shell", "raw", "script"];

impl Adhoc {
    pub fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let mut session = Session::new(&self.hosts.vault, register, by_project)?;
        self.hosts.put_flags(&mut session.settings);
        let options = self.hosts.options(&session.settings, !self.list_hosts)?;
        let as_in_playbooks =
            session.settings.bin_ansible_callbacks && session.settings.stdout_callback != "default";
        let output = match self.one_line {
            true => Output::OneLine,
            false if as_in_playbooks => Output::Text,
            false => Output::Minimal,
        };
        let folder = self.playbook_dir.as_ref().or(session.settings.playbook_dir.as_ref());
        let folder = crate::document::absolute(folder.map_or(Path::new("."), |folder| folder));
        let (context, foreign) = common::context(&session, &options);
        foreign.add_playbook(&folder);
        let redactor = &context.redactor;
        let own = report::python::without(&session.settings, &foreign);
        let mut reporter = report::reporter(&own, output, options.verbosity, redactor.clone());
        if let Some(folder) = &self.tree {
            let folder = crate::document::absolute(&crate::settings::expand_home(folder));
            reporter = report::with_tree(reporter, folder, &session.settings, options.verbosity, redactor);
        }
        let plugins = session.settings.bin_ansible_callbacks && !self.list_hosts;
        let mut reporter =
            report::python::with_plugins(reporter, &foreign, &session.settings, redactor.clone(), plugins)?;
        let mut inventory = common::begin(&session, &options, &context, &mut *reporter)?;
        inventory.beside_playbook(vec![folder.clone()]);
        if self.list_hosts {
            let (mut hosts, _) = inventory.select(&self.pattern, &session.settings)?;
            if let Some(limit) = &options.limit {
                let (limited, _) = inventory.select(limit, &session.settings)?;
                hosts.retain(|host| limited.contains(host));
            }
            say!("  hosts ({}):", hosts.len());
            hosts.iter().for_each(|host| say!("    {host}"));
            return Ok(0);
        }
        let module = self.module_name.clone().unwrap_or_else(|| session.settings.module_name.clone());
        let document = self.document(&module).map_err(Fault::options)?;
        let cancel = Cancel::default();
        let shared =
            Shared::new(options, session.settings, session.keyring, context, foreign, cancel.clone());
        let mut run = run::Run::new(Arc::new(shared), inventory, reporter)?;
        let playbook = run.load_document(&document, &folder)?;
        interrupt::watch(cancel);
        Ok(run.playbooks(&[playbook])?.exit_code())
    }

    /// A playbook of one task.
    fn document(&self, module: &str) -> Result<Node, Error> {
        let text = self.args.as_deref().unwrap_or_default();
        let short = module.strip_prefix("ansible.builtin.").unwrap_or(module);
        if text.is_empty() && NEED_ARGUMENTS.contains(&short) {
            let hint = if self.pattern.ends_with(".yml") {
                "Did you mean to run 'playbook run'?"
            } else {
                "Give them with -a."
            };
            return Err(Error::new(format!("No argument passed to {module} module")).help(hint));
        }
        let place = Place::file_only("<adhoc>");
        let args: Map = if text.trim_start().starts_with('{')
            && text.trim_end().ends_with('}')
            && !text.starts_with("{{")
        {
            let node = parse_json(text, "<adhoc>", Trust::Text)?;
            node.raw().as_map().cloned().unwrap_or_default()
        } else {
            let parsed = parse_kv(text, &place, Trust::Text, NEED_ARGUMENTS.contains(&short))?;
            parsed.into_iter().map(|(name, node)| (Value::from(name), node.raw())).collect()
        };
        let mut task = map! { "action" => module, "args" => args };
        for (keyword, seconds) in
            [("async", self.seconds), ("poll", self.poll), ("timeout", self.task_timeout)]
        {
            if let Some(seconds) = seconds {
                task.insert(keyword.into(), seconds.into());
            }
        }
        let play = map! {
            "name" => "Ansible Ad-Hoc", "hosts" => self.pattern.as_str(), "gather_facts" => false,
            "tasks" => vec![Value::from(task)],
        };
        Ok(Node::from_value(&place, vec![Value::from(play)].into(), Trust::Templates))
    }
}
