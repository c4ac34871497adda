//! `playbook check`: finds mistakes in playbooks without a host.

use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use playbook_api::context::Cancel;
use playbook_api::{Context, Error};
use serde_json::{Value as Json, json};

use super::list::Form;
use super::run::playbook_paths;
use super::session::{self, Session, VaultArgs};
use super::{Fault, Register, common, show};
use crate::check::{self, Finding, Severity, Variables};
use crate::document::source_excerpt;
use crate::inventory::{Inventory, extra_vars};
use crate::report::display::Color;
use crate::report::{self, Display, Output, Streams, format_error};
use crate::run::{self, Options, Shared};

/// Finds mistakes in playbooks without a host: keywords, modules and their arguments, templates, variables, files and
/// handlers.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook check site.yml                     Find mistakes in a playbook and its roles
  playbook check site.yml -i hosts.ini        Find variables too that the inventory does not define
  playbook check site.yml --output json       Print the findings for other programs

The exit status is 1 if there is an error. Warnings do not count.")]
pub(super) struct Check {
    /// The playbooks. A name is also searched in the project's playbooks/
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// The inventory that defines variables, as for `playbook run`. The option can be repeated
    #[arg(short, long, visible_alias = "inventory-file", value_name = "INVENTORY")]
    inventory: Vec<String>,
    /// Variables that override all others: `name=value`, YAML, JSON or @FILE. The option can be repeated
    #[arg(short, long, value_name = "VARS", allow_hyphen_values = true)]
    extra_vars: Vec<String>,
    /// The form of the findings
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
    #[command(flatten)]
    vault: VaultArgs,
}

impl Check {
    /// Returns 0 if there is no error, otherwise 1. Warnings do not count.
    pub(super) fn run(self, register: Register) -> Result<u8, Fault> {
        let session = Session::new(&self.vault, register, true)?;
        let playbooks = playbook_paths(&self.playbooks, &session.settings)?;
        let options = Options {
            playbooks: playbooks.clone(),
            extra_vars: self.extra_vars.clone(),
            check: true,
            ..Options::default()
        };
        let (context, foreign) = common::context(&session, &options);
        let reporter = report::reporter(&session.settings, Output::Text, 0, &context.redactor);
        let (inventory, variables) = self.known(&session, &context, &playbooks)?;
        let color =
            std::io::stdout().is_terminal() && !session.settings.nocolor || session.settings.force_color;
        let display = Display::on(
            Streams::standard(),
            &session.settings,
            0,
            color && self.output == Form::Text,
            context.redactor.clone(),
        );
        let shared = Shared::new(
            options,
            session.settings,
            session.keyring,
            context.clone(),
            foreign,
            Cancel::default(),
        );
        let mut run = run::Run::new(Arc::new(shared), inventory, reporter)?;
        let mut findings: Vec<Finding> = Vec::new();
        for path in &playbooks {
            findings.extend(
                run.with_loader(path, |loader| check::file(path, loader, &context.registry, &variables())),
            );
        }
        let text = match self.output {
            Form::Text => text(&findings, playbooks.len(), &display),
            Form::Json => format!("{:#}\n", as_json(&findings)),
        };
        show(&context.redactor.text(&text));
        Ok(u8::from(count(&findings, Severity::Error) > 0))
    }
}

impl Check {
    /// Reads the inventory, and returns what makes the variables that are known before a playbook is checked.
    fn known(
        &self,
        session: &Session,
        context: &Context,
        playbooks: &[PathBuf],
    ) -> Result<(Inventory, impl Fn() -> Variables + use<>), Error> {
        let settings = &session.settings;
        session::require_inventories(&self.inventory, settings)?;
        let extra = extra_vars(&self.extra_vars, &session.keyring, settings, |error| {
            super::warn(&format_error(&error));
        })?;
        let given = session::inventory_sources(&self.inventory, settings);
        let is_static = |source: &String| is_static(&crate::paths::expand_home(source));
        let known = !self.inventory.is_empty() || (!given.is_empty() && given.iter().all(is_static));
        let mut inventory = match known {
            true => {
                let loaded = Inventory::load(&given, settings, &session.keyring, context, &extra)?;
                loaded.1.iter().for_each(|warning| super::warn(&format_error(warning)));
                loaded.0
            }
            false => Inventory::empty(settings, &session.keyring),
        };
        inventory.beside_playbook(common::directories(playbooks));
        if !known {
            let beside = given.iter().filter_map(|source| Some(PathBuf::from(source).parent()?.to_owned()));
            inventory.directories.extend(beside);
            inventory
                .directories
                .extend(settings.project.iter().map(|project| project.root.join("inventory")));
        }
        let (shared, keyring) = (inventory.clone(), session.keyring.clone());
        let variables = move || Variables::new(&shared, known, &extra, &keyring);
        Ok((inventory, variables))
    }
}

/// Whether reading an inventory source runs no program and asks no service.
fn is_static(path: &Path) -> bool {
    let Ok(found) = std::fs::metadata(path) else { return false };
    if found.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        return entries.filter(|path| path.is_file()).all(|path| is_static(&path));
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    found.permissions().mode() & 0o111 == 0 && !text.lines().any(|line| line.starts_with("plugin:"))
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

fn text(findings: &[Finding], playbooks: usize, display: &Display) -> String {
    let mut text = String::new();
    for finding in findings {
        let (title, color) = match finding.severity {
            Severity::Error => ("ERROR", Color::Error),
            Severity::Warning => ("WARNING", Color::Warn),
        };
        let shown = format!("[{title}]: {}", format_error(&finding.error).trim_end());
        text += &format!("{}\n\n", display.painted(&shown, color));
    }
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings) = (count(findings, Severity::Error), count(findings, Severity::Warning));
    text + &format!(
        "{}: {}, {}\n",
        many(playbooks, "playbook"),
        many(errors, "error"),
        many(warnings, "warning")
    )
}

fn as_json(findings: &[Finding]) -> Json {
    let one = |finding: &Finding| {
        let place = finding.place();
        json!({
            "severity": finding.severity.name(),
            "check": finding.check,
            "message": finding.error.to_string(),
            "file": place.map(|place| &*place.file),
            "line": place.map(|place| place.line).filter(|line| *line > 0),
            "column": place.map(|place| place.column).filter(|column| *column > 0),
            "source": place.and_then(source_line),
            "help": std::iter::successors(Some(&finding.error), |e| e.cause()).find_map(Error::help),
        })
    };
    json!({
        "findings": findings.iter().map(one).collect::<Vec<_>>(),
        "errors": count(findings, Severity::Error),
        "warnings": count(findings, Severity::Warning),
    })
}

/// Returns the source line of a place.
fn source_line(place: &playbook_api::Place) -> Option<String> {
    source_excerpt(place)?;
    let text = std::fs::read_to_string(&*place.file).ok()?;
    text.lines().nth(place.line.checked_sub(1)? as usize).map(str::to_owned)
}
