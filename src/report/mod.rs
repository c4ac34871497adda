//! The events of a run, and the reports that print them. Nothing here decides anything.

pub mod callbacks;
pub mod default;
mod diff;
pub mod display;
pub mod error;
mod event;
mod json;
pub mod json_lines;
mod live;
mod log;
mod minimal;
pub mod output;
mod plan;
pub mod python;
mod recap;
mod result;
#[cfg(test)]
mod tests;
mod width;
pub mod yaml;

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, Redactor, nearest};

pub use display::{Display, Streams};
pub use error::{brief, format_error};
pub use event::{Event, HostStats, Reporter, RoleInfo, Status, TaskInfo, TaskKind, TaskResult};
pub use json_lines::JsonLines;
pub use minimal::Minimal;
pub use plan::Plan;

use crate::foreign::Foreign;
use crate::settings::Settings;
use callbacks::Several;
use json::Json;

/// The form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Text, in the form that the setting `stdout_callback` names.
    #[default]
    Text,
    /// One JSON event per line.
    Json,
    /// One result per host, for ad hoc commands.
    Minimal,
    /// One line per host.
    OneLine,
}

/// Returns the report of a run, with the callbacks that the settings enable. `runs` says whether tasks will run, so
/// that callback plugins are wanted.
pub fn of_run(
    settings: &Settings,
    foreign: &Arc<Foreign>,
    output: Output,
    verbosity: u8,
    redactor: &Redactor,
    runs: bool,
) -> Result<Box<dyn Reporter>, Error> {
    let native = python::without(settings, foreign);
    let plugins = match output {
        Output::Json => false,
        Output::Text => runs,
        Output::Minimal | Output::OneLine => runs && settings.bin_ansible_callbacks,
    };
    if !plugins {
        return Ok(reporter(&native, output, verbosity, redactor));
    }
    // Without a built-in report of the name a plugin in Python must have it.
    let report = main(&native, output, verbosity, redactor.clone())
        .map(|report| beside(report, &native, output, verbosity, redactor));
    python::with_plugins(report, foreign, settings, redactor.clone())
}

/// Returns a report without plugins in Python.
pub fn reporter(
    settings: &Settings,
    output: Output,
    verbosity: u8,
    redactor: &Redactor,
) -> Box<dyn Reporter> {
    let report = main(settings, output, verbosity, redactor.clone())
        .unwrap_or_else(|| Box::new(default::Default::new(settings, verbosity, redactor.clone())));
    beside(report, settings, output, verbosity, redactor)
}

/// Adds the callbacks that the settings enable.
fn beside(
    main: Box<dyn Reporter>,
    settings: &Settings,
    output: Output,
    verbosity: u8,
    redactor: &Redactor,
) -> Box<dyn Reporter> {
    let of_playbooks = matches!(output, Output::Text | Output::Json);
    let callbacks = match of_playbooks || settings.bin_ansible_callbacks {
        true => callbacks::enabled(settings, verbosity, redactor),
        false => Vec::new(),
    };
    if callbacks.is_empty() { main } else { Box::new(Several { main, callbacks }) }
}

/// Returns the report itself, or nothing if the setting `stdout_callback` does not name a built-in one.
fn main(settings: &Settings, output: Output, verbosity: u8, redactor: Redactor) -> Option<Box<dyn Reporter>> {
    Some(match output {
        Output::Json => Box::new(JsonLines::new(Streams::standard(), redactor)),
        Output::Minimal => Box::new(Minimal::new(settings, verbosity, redactor, false)),
        Output::OneLine => Box::new(Minimal::new(settings, verbosity, redactor, true)),
        Output::Text => match callbacks::find(&settings.stdout_callback)?.name {
            "minimal" => Box::new(Minimal::new(settings, verbosity, redactor, false)),
            "oneline" => Box::new(Minimal::new(settings, verbosity, redactor, true)),
            "json" => Box::new(Json::new(settings, verbosity, redactor)),
            "yaml" => {
                let mut settings = settings.clone();
                settings.set("result_format", "yaml");
                Box::new(default::Default::new(&settings, verbosity, redactor))
            }
            "default" => Box::new(default::Default::new(settings, verbosity, redactor)),
            _ => return None,
        },
    })
}

/// The error for a report that does not exist.
pub(crate) fn unknown(name: &str) -> Error {
    let error = Error::new(format!("Could not load '{name}' callback plugin."));
    let reports = callbacks::NATIVE.iter().filter(|native| native.is_report).map(|native| native.name);
    let short = callbacks::short_name(name);
    match (nearest(short, reports.clone()), callbacks::find(name)) {
        (_, Some(_)) => error.with_help(format!(
            "'{short}' runs beside a report: name it in `callbacks_enabled`, and not as `stdout_callback`."
        )),
        (Some(near), None) => error.with_help(format!("Did you mean '{near}'?")),
        (None, None) => error.with_help(format!(
            "Set `stdout_callback` to one of: {}; or install the collection of the plugin.",
            reports.collect::<Vec<_>>().join(", ")
        )),
    }
}

/// Adds to a report a file for each host's last result, in a directory.
pub fn with_tree(
    main: Box<dyn Reporter>,
    directory: PathBuf,
    settings: &Settings,
    verbosity: u8,
    redactor: &Redactor,
) -> Box<dyn Reporter> {
    let tree = callbacks::Tree::new(directory, settings, verbosity, redactor.clone());
    Box::new(Several { main, callbacks: vec![Box::new(tree)] })
}
