//! `playbook check`: everything that is wrong with playbooks, at once, before any host is asked.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use playbook_api::Error;
use playbook_api::context::Cancel;
use serde_json::{Value as Json, json};

use super::run::{Form, playbook_paths};
use super::session::{Session, VaultArgs};
use super::{Fault, Register, common, show};
use crate::check::{self, Finding, Severity};
use crate::document::source_excerpt;
use crate::inventory::Inventory;
use crate::report::{self, Output, format_error};
use crate::run::{self, Options, Shared};

/// Check playbooks without a host: keywords, modules and their arguments, templates, files, handlers.
#[derive(Parser)]
pub struct Check {
    /// The playbooks. A name is also looked for in the project's playbooks/.
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// Variables that names of imports need: `name=value`, YAML, JSON or @FILE; may be given several times.
    #[arg(short, long, value_name = "VARS", allow_hyphen_values = true)]
    extra_vars: Vec<String>,
    /// The form of the findings.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
    #[command(flatten)]
    vault: VaultArgs,
}

impl Check {
    /// 0 where nothing is wrong (warnings are no errors), 1 where something is.
    pub fn run(self, register: Register) -> Result<u8, Fault> {
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
        let inventory = Inventory::empty(&session.settings, &session.keyring);
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
            findings.extend(run.with_loader(path, |loader| check::file(path, loader, &context.registry)));
        }
        let text = match self.output {
            Form::Text => text(&findings, playbooks.len()),
            Form::Json => format!("{:#}\n", as_json(&findings)),
        };
        show(&context.redactor.text(&text));
        Ok(u8::from(count(&findings, Severity::Error) > 0))
    }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

fn text(findings: &[Finding], playbooks: usize) -> String {
    let mut text = String::new();
    for finding in findings {
        let title = if finding.severity == Severity::Error { "ERROR" } else { "WARNING" };
        text += &format!("[{title}]: {}\n\n", format_error(&finding.error).trim_end());
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

/// The line a finding is about.
fn source_line(place: &playbook_api::Place) -> Option<String> {
    source_excerpt(place)?;
    let text = std::fs::read_to_string(&*place.file).ok()?;
    text.lines().nth(place.line.checked_sub(1)? as usize).map(str::to_owned)
}
