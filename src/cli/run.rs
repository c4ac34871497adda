//! `playbook run`, which is also `ansible-playbook`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use indexmap::IndexMap;
use playbook_api::context::Cancel;
use playbook_api::{Error, ErrorKind, Redactor};

use super::common::{self, HostArgs};
use super::list::Form;
use super::session::Session;
use super::{Fault, Register, interrupt, list, search};
use crate::check;
use crate::inventory::Inventory;
use crate::playbook::Playbook;
use crate::playbook::listing::Listed;
use crate::playbook::tags;
use crate::report::{self, Event, JsonLines, Output, Reporter, Streams};
use crate::run::{self, Options, Shared};
use crate::settings::Settings;

/// The exit status of `--detailed-exitcode` if something changes.
const CHANGES: u8 = 2;

/// Runs playbooks on the hosts of an inventory.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook run site.yml -i hosts.ini
  playbook run site.yml -i hosts.ini --check --diff        Show what would change
  playbook run site.yml -i hosts.ini -l web -t deploy      Only some hosts and tasks
  playbook run site.yml -i hosts.ini -e image_tag=v42      Set a variable
  playbook run site.yml -i hosts.ini --output json         One JSON event per line")]
pub(super) struct Run {
    /// The playbooks, which run one after the other. A name is also searched in the project's playbooks/
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// Run only plays and tasks with these tags
    #[arg(short, long, value_name = "TAGS", help_heading = "Task options")]
    tags: Vec<String>,
    /// Skip plays and tasks with these tags
    #[arg(long, value_name = "TAGS", help_heading = "Task options")]
    skip_tags: Vec<String>,
    /// Start at the task of this name
    #[arg(long, value_name = "NAME", help_heading = "Task options")]
    start_at_task: Option<String>,
    /// Ask before each task
    #[arg(long, help_heading = "Task options")]
    step: bool,
    /// Run notified handlers even on hosts where a task fails
    #[arg(long, help_heading = "Task options")]
    force_handlers: bool,
    /// List the hosts of each play, and run nothing
    #[arg(long, help_heading = "Listing options")]
    list_hosts: bool,
    /// List the tasks that would run, and run nothing
    #[arg(long, help_heading = "Listing options")]
    list_tasks: bool,
    /// List all tags, and run nothing
    #[arg(long, help_heading = "Listing options")]
    list_tags: bool,
    /// Load the playbooks, and run nothing
    #[arg(long, help_heading = "Listing options")]
    syntax_check: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
    /// Exit with 0 if nothing changes, 2 if something does, and 1 if a task fails
    #[arg(long)]
    detailed_exitcode: bool,
    /// Report the changes alone
    #[arg(skip)]
    plans: bool,
    #[command(flatten)]
    hosts: HostArgs,
}

impl Run {
    /// Runs the playbooks. With `by_project` they and the inventory are also searched in the project.
    pub(super) fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let output = self.output;
        match self.execute(register, by_project) {
            Err(fault) if output == Form::Json => {
                let mut report = JsonLines::new(Streams::standard(), Redactor::default());
                report.event(&Event::Error(fault.error));
                report.event(&Event::Stats { hosts: IndexMap::new(), custom: IndexMap::new() });
                Ok(fault.code)
            }
            done => done,
        }
    }

    /// Shows what the playbooks would change.
    pub(super) fn plan(mut self, register: Register) -> Result<u8, Fault> {
        self.hosts.check_only();
        self.detailed_exitcode = true;
        self.plans = true;
        // 2 says that something would change, so what prevents a plan ends with 1.
        self.execute(register, true).map_err(|fault| Fault { code: 1, ..fault })
    }

    fn execute(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let mut session = Session::new(&self.hosts.vault, register, by_project)?;
        self.hosts.put_flags(&mut session.settings);
        let playbooks = playbook_paths(&self.playbooks, &session.settings)?;
        let listed = Listed { hosts: self.list_hosts, tasks: self.list_tasks, tags: self.list_tags };
        let only_lists = listed.hosts || listed.tasks || listed.tags || self.syntax_check;
        if !only_lists {
            session.keyring.ask()?;
        }
        let mut options = self.options(&session, playbooks, only_lists)?;
        let output = if self.output == Form::Json { Output::Json } else { Output::Text };
        let (context, foreign) = common::context(&session, &options);
        let redactor = context.redactor.clone();
        let settings = &session.settings;
        let mut reporter: Box<dyn Reporter> = match self.plans {
            false => report::of_run(settings, &foreign, output, options.verbosity, &redactor, !only_lists)?,
            true => {
                let json = output == Output::Json;
                Box::new(report::Plan::new(settings, options.verbosity, redactor.clone(), json))
            }
        };
        options.is_silent = !reporter.shows_results();
        options.wants_arguments = reporter.wants_arguments();
        let inventory = match common::begin(&session, &options, &context, &mut *reporter, "all") {
            // The syntax of playbooks does not depend on hosts.
            Err(error) if self.syntax_check && listed == Listed::default() => {
                reporter.event(&Event::Warning(report::format_error(&error)));
                Inventory::empty(&session.settings, &session.keyring)
            }
            inventory => inventory?,
        };

        let (cancel, stop) = (Cancel::default(), context.cancel.clone());
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
            list::print(&shared, &inventory, names.zip(&loaded), listed, self.output)?;
            return Ok(0);
        }
        if by_project {
            warn(&mut run, &loaded);
        }
        interrupt::watch(cancel, stop);
        let ending = run.playbooks(&loaded)?;
        Ok(match (self.detailed_exitcode, ending) {
            (true, run::Ending::Ok) if run.stats.changed() => CHANGES,
            (true, run::Ending::FailedHosts | run::Ending::UnreachableHosts) => 1,
            (_, ending) => ending.exit_code(),
        })
    }

    fn options(
        &self,
        session: &Session,
        playbooks: Vec<PathBuf>,
        only_lists: bool,
    ) -> Result<Options, Error> {
        let settings = &session.settings;
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
        let options = self.hosts.options(session, !only_lists)?;
        Ok(Options {
            playbooks,
            tags: match all(&self.tags, &settings.run_tags) {
                // All tags are listed.
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

/// Returns the files of the playbooks: as they are named, or in the project, or in a collection.
pub(super) fn playbook_paths(names: &[PathBuf], settings: &Settings) -> Result<Vec<PathBuf>, Error> {
    let find = |name: &PathBuf| {
        let path = match &settings.project {
            Some(project) => project.playbook(name),
            None => name.clone(),
        };
        let unusable = |what: &str| {
            Error::new(format!("the playbook: {} {what}", name.display())).with_kind(ErrorKind::NotFound)
        };
        match std::fs::metadata(&path) {
            Err(_) => in_collection(name, settings).ok_or_else(|| {
                let project = settings.project.as_ref().map(|project| project.root.join("playbooks"));
                unusable("could not be found").with_help(search::advice(name, project))
            }),
            Ok(found) if found.is_dir() => Err(unusable("does not appear to be a file")),
            Ok(_) => Ok(path),
        }
    };
    names.iter().map(find).collect()
}

/// Returns a playbook of a collection: `namespace.collection.playbook`.
fn in_collection(name: &Path, settings: &Settings) -> Option<PathBuf> {
    let name = name.to_str()?;
    let here = crate::paths::here();
    crate::foreign::collections::playbook(name, std::iter::once(&*here), settings)
}

/// Warns of what a check finds. It is not an error, since the task may be skipped or rescued.
fn warn(run: &mut run::Run, playbooks: &[Playbook]) {
    let registry = run.shared.registry.clone();
    for playbook in playbooks {
        let found = run.with_loader(&playbook.path, |loader| check::loaded(playbook, loader, &registry));
        for finding in found {
            run.emit(report::Event::Warning(report::format_error(&finding.error).trim_end().to_owned()));
        }
    }
}
