//! The event stream, and everything that renders it. Nothing here decides anything.

pub mod default;
mod diff;
pub mod display;
pub mod error;
mod event;
pub mod json_lines;
mod live;
mod minimal;
pub mod python;
mod recap;
mod result;
#[cfg(test)]
mod tests;
pub mod yaml;

use playbook_api::Redactor;

pub use display::{Display, Streams};
pub use error::{brief, format_error};
pub use event::{Event, HostStats, Reporter, Status, TaskInfo, TaskKind, TaskResult};
pub use json_lines::JsonLines;
pub use minimal::Minimal;

use crate::settings::Settings;

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

/// The reporter a run was asked for.
pub fn reporter(settings: &Settings, output: Output, verbosity: u8, redactor: Redactor) -> Box<dyn Reporter> {
    match output {
        Output::Json => Box::new(JsonLines::new(Streams::standard(), redactor)),
        Output::Minimal => Box::new(Minimal::new(settings, verbosity, redactor, false)),
        Output::OneLine => Box::new(Minimal::new(settings, verbosity, redactor, true)),
        Output::Text => match settings.stdout_callback.rsplit('.').next() {
            Some("minimal") => Box::new(Minimal::new(settings, verbosity, redactor, false)),
            Some("oneline") => Box::new(Minimal::new(settings, verbosity, redactor, true)),
            _ => Box::new(default::Default::new(settings, verbosity, redactor)),
        },
    }
}
