//! `playbook run`, which is also `ansible-playbook`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use playbook_api::context::Cancel;
use playbook_api::{Error, ErrorKind};

use super::common::{self, HostArgs};
use super::session::Session;
use super::{Fault, Register, interrupt, list};
use crate::check;
use crate::playbook::Playbook;
use crate::playbook::listing::Listed;
use crate::playbook::tags;
use crate::report::{self, Output};
use crate::run::{self, Options, Shared};
use crate::settings::Settings;

/// Run playbooks on the hosts of an inventory.
#[derive(Parser)]
pub struct Run {
    /// The playbooks, one after the other. A name is also looked for in the project's playbooks/.
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Only plays and tasks with these tags.
    #[arg(short, long, value_name = "TAGS")]
    tags: Vec<String>,
    /// Only plays and tasks without these tags.
    #[arg(long, value_name = "TAGS")]
    skip_tags: Vec<String>,
    /// List the hosts of each play, and do nothing.
    #[arg(long)]
    list_hosts: bool,
    /// List the tasks that would run, and do nothing.
    #[arg(long)]
    list_tasks: bool,
    /// List the tags there are, and do nothing.
    #[arg(long)]
    list_tags: bool,
    /// Load the playbooks, and do nothing.
    #[arg(long)]
    syntax_check: bool,
    /// Start at the task of this name.
    #[arg(long, value_name = "NAME")]
    start_at_task: Option<String>,
    /// Ask before each task.
    #[arg(long)]
    step: bool,
    /// Run notified handlers even on hosts that fail.
    #[arg(long)]
    force_handlers: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// The form of the report.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON event a line.
    Json,
}

impl Run {
    /// Runs the playbooks; `by_project` also finds them and the inventory in the project.
    pub fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let mut session = Session::new(&self.hosts.vault, register, by_project)?;
        self.hosts.put_flags(&mut session.settings);
        let playbooks = playbook_paths(&self.playbooks, &session.settings)?;
        let listed = Listed { hosts: self.list_hosts, tasks: self.list_tasks, tags: self.list_tags };
        let only_lists = listed.hosts || listed.tasks || listed.tags || self.syntax_check;
        if !only_lists {
            session.keyring.ask()?;
        }
        let mut options = self.options(&session.settings, playbooks, only_lists)?;
        let output = if self.output == Form::Json { Output::Json } else { Output::Text };
        options.is_silent = report::is_silent(&session.settings, output, options.verbosity);
        let (context, foreign) = common::context(&session, &options);
        let redactor = context.redactor.clone();
        let own = report::python::without(&session.settings, &foreign);
        let reporter = report::reporter(&own, output, options.verbosity, redactor.clone());
        let plugins = output == Output::Text && !only_lists;
        let mut reporter =
            report::python::with_plugins(reporter, &foreign, &session.settings, redactor, plugins)?;
        let inventory = common::begin(&session, &options, &context, &mut *reporter)?;

        let cancel = Cancel::default();
        let playbooks = options.playbooks.clone();
        let shared =
            Shared::new(options, session.settings, session.keyring, context, foreign, cancel.clone());
        let shared = Arc::new(shared);
        let mut run = run::Run::new(shared.clone(), inventory.clone(), reporter)?;
        let mut loaded: Vec<Playbook> = Vec::new();
        for path in &playbooks {
            loaded.push(run.load(path)?);
        }
        if only_lists {
            let names = self.playbooks.iter().map(|path| path.to_string_lossy().into_owned());
            list::print(&shared, &inventory, names.zip(&loaded), listed)?;
            return Ok(0);
        }
        if by_project {
            warn(&mut run, &loaded);
        }
        interrupt::watch(cancel);
        let ending = run.playbooks(&loaded)?;
        Ok(ending.exit_code())
    }

    fn options(
        &self,
        settings: &Settings,
        playbooks: Vec<PathBuf>,
        only_lists: bool,
    ) -> Result<Options, Error> {
        let all = |given: &[String], otherwise: &[String]| -> Vec<String> {
            let chosen = if given.is_empty() { otherwise } else { given };
            let mut all: Vec<String> = Vec::new();
            for tag in chosen.iter().flat_map(|text| tags::split(text)) {
                if !all.iter().any(|t| t == tag) {
                    all.push(tag.to_owned());
                }
            }
            all
        };
        let options = self.hosts.options(settings, !only_lists)?;
        Ok(Options {
            playbooks,
            tags: match all(&self.tags, &settings.run_tags) {
                // All there are, when they are to be listed.
                none if none.is_empty() && self.list_tags => vec!["never".into(), "all".into()],
                tags => tags,
            },
            skip_tags: all(&self.skip_tags, &settings.skip_tags),
            start_at_task: self.start_at_task.clone(),
            step: self.step,
            force_handlers: self.force_handlers || options.force_handlers,
            ..options
        })
    }
}

/// The playbooks' files: as given, then in the project.
pub fn playbook_paths(names: &[PathBuf], settings: &Settings) -> Result<Vec<PathBuf>, Error> {
    let find = |name: &PathBuf| {
        let path = match &settings.project {
            Some(project) => project.playbook(name),
            None => name.clone(),
        };
        let missing = |what: &str| {
            Err(Error::new(format!("the playbook: {} {what}", name.display())).with_kind(ErrorKind::NotFound))
        };
        match std::fs::metadata(&path) {
            Err(_) => match in_collection(name, settings) {
                Some(path) => Ok(path),
                None => missing("could not be found"),
            },
            Ok(found) if found.is_dir() => missing("does not appear to be a file"),
            Ok(_) => Ok(path),
        }
    };
    names.iter().map(find).collect()
}

/// A playbook of a collection: `namespace.collection.playbook`.
fn in_collection(name: &Path, settings: &Settings) -> Option<PathBuf> {
    let name = name.to_str()?;
    let here = crate::paths::absolute(Path::new("."));
    crate::foreign::collections::playbook(name, std::iter::once(&*here), settings)
}

/// What a check finds is a warning here: a task that is skipped or rescued keeps its right to be wrong.
fn warn(run: &mut run::Run, playbooks: &[Playbook]) {
    let registry = run.shared.registry.clone();
    for playbook in playbooks {
        let found = run.with_loader(&playbook.path, |loader| check::loaded(playbook, loader, &registry));
        for finding in found {
            run.emit(report::Event::Warning(report::format_error(&finding.error).trim_end().to_owned()));
        }
    }
}
