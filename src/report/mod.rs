//! The event stream, and everything that renders it. Nothing here decides anything.

pub mod default;
mod diff;
pub mod display;
pub mod error;
mod event;
pub mod json_lines;
mod live;
mod result;
pub mod yaml;

use playbook_api::Redactor;

pub use display::{Display, Streams};
pub use error::{brief, format_error};
pub use event::{Event, HostStats, Reporter, Status, TaskInfo, TaskKind, TaskResult};
pub use json_lines::JsonLines;

use crate::settings::Settings;

/// The form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Text: what the `stdout_callback` setting names.
    #[default]
    Text,
    /// One JSON event a line.
    Json,
}

/// The reporter a run was asked for.
pub fn reporter(settings: &Settings, output: Output, verbosity: u8, redactor: Redactor) -> Box<dyn Reporter> {
    match output {
        Output::Json => Box::new(JsonLines::new(Streams::standard(), redactor)),
        Output::Text => Box::new(default::Default::new(settings, verbosity, redactor)),
    }
}
