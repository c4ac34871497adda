//! `tree`: writes the last result of each host to a file.

use std::path::PathBuf;

use playbook_api::{Error, Redactor};

use super::Callback;
use crate::report::result::{Format, shown};
use crate::report::{Event, Status, TaskResult, format_error};
use crate::settings::Settings;

/// The callback `tree`.
pub struct Tree {
    directory: PathBuf,
    format: Format,
    redactor: Redactor,
    warned: bool,
}

impl Tree {
    /// Returns the callback that writes the files into a directory.
    pub fn new(directory: PathBuf, settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        Tree { directory, format: Format::new(settings, verbosity), redactor, warned: false }
    }

    fn write(&self, result: &TaskResult) -> Result<(), Error> {
        let text = self.format.dump(&shown(result), false, &self.redactor);
        std::fs::create_dir_all(&self.directory).map_err(|e| {
            let message = format!(
                "Unable to access or create the configured directory '{}'.",
                self.directory.display()
            );
            Error::io(&e, message)
        })?;
        // A slash in the host's name must not make a path.
        let name = result.host.replace('/', "_");
        std::fs::write(self.directory.join(&name), text)
            .map_err(|e| Error::io(&e, format!("Unable to write to '{name}'s file.")))
    }
}

impl Callback for Tree {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        let mut answers = Vec::new();
        if !std::mem::replace(&mut self.warned, true) {
            let deprecated = Error::deprecated("The tree callback plugin is deprecated.", "2.23");
            answers.push(Event::Deprecation(deprecated.to_string()));
        }
        if let Event::HostResult(result) = event
            && result.status != Status::Skipped
            && let Err(error) = self.write(result)
        {
            answers.push(Event::Warning(format_error(&error)));
        }
        answers
    }
}
