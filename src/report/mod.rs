//! The event stream, and everything that renders it. Nothing here decides anything.

pub mod callbacks;
pub mod default;
mod diff;
pub mod display;
pub mod error;
mod event;
mod json;
pub mod json_lines;
mod live;
mod minimal;
pub mod python;
mod recap;
mod result;
#[cfg(test)]
mod tests;
mod width;
pub mod yaml;

use std::path::PathBuf;

use playbook_api::Redactor;

pub use display::{Display, Streams};
pub use error::{brief, format_error};
pub use event::{Event, HostStats, Reporter, Status, TaskInfo, TaskKind, TaskResult};
pub use json_lines::JsonLines;
pub use minimal::Minimal;

use crate::settings::Settings;
use callbacks::Several;
use json::Json;

/// The form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Text: what the `stdout_callback` setting names.
    #[default]
    Text,
    /// One JSON event a line.
    Json,
    /// A result a host, for ad hoc commands.
    Minimal,
    /// A line a host.
    OneLine,
}

/// The reporter a run was asked for, and with a text the callbacks that are enabled.
pub fn reporter(settings: &Settings, output: Output, verbosity: u8, redactor: Redactor) -> Box<dyn Reporter> {
    let of_playbooks = matches!(output, Output::Text | Output::Json);
    let callbacks = match of_playbooks || settings.bin_ansible_callbacks {
        true => callbacks::enabled(settings, verbosity, &redactor),
        false => Vec::new(),
    };
    let main = main(settings, output, verbosity, redactor);
    if callbacks.is_empty() { main } else { Box::new(Several { main, callbacks }) }
}

/// Whether a report shows nothing of what a task returns that goes well, so that it need not be computed.
pub fn is_silent(settings: &Settings, output: Output, verbosity: u8) -> bool {
    let quiet = |name: &String| matches!(callbacks::short_name(name.trim()), "profile_tasks" | "timer");
    output == Output::Text
        && verbosity == 0
        && callbacks::short_name(&settings.stdout_callback) == "default"
        && settings.callbacks_enabled.iter().all(quiet)
}

fn main(settings: &Settings, output: Output, verbosity: u8, redactor: Redactor) -> Box<dyn Reporter> {
    match output {
        Output::Json => Box::new(JsonLines::new(Streams::standard(), redactor)),
        Output::Minimal => Box::new(Minimal::new(settings, verbosity, redactor, false)),
        Output::OneLine => Box::new(Minimal::new(settings, verbosity, redactor, true)),
        Output::Text => match callbacks::short_name(&settings.stdout_callback) {
            "minimal" => Box::new(Minimal::new(settings, verbosity, redactor, false)),
            "oneline" => Box::new(Minimal::new(settings, verbosity, redactor, true)),
            "json" => Box::new(Json::new(settings, verbosity, redactor)),
            "yaml" => {
                let mut settings = settings.clone();
                settings.set("result_format", "yaml");
                Box::new(default::Default::new(&settings, verbosity, redactor))
            }
            _ => Box::new(default::Default::new(settings, verbosity, redactor)),
        },
    }
}

/// A reporter that also writes each host's result into a file in a folder.
pub fn with_tree(
    main: Box<dyn Reporter>,
    folder: PathBuf,
    settings: &Settings,
    verbosity: u8,
    redactor: &Redactor,
) -> Box<dyn Reporter> {
    let tree = callbacks::Tree::new(folder, settings, verbosity, redactor.clone());
    Box::new(Several { main, callbacks: vec![Box::new(tree)] })
}
