//! `tree`: the last result of each host in a file of its own.

use std::path::PathBuf;

use playbook_api::{Error, Redactor};

use super::Callback;
use crate::report::result::{Format, shown};
use crate::report::{Event, Status, TaskResult, format_error};
use crate::settings::Settings;

pub struct Tree {
    folder: PathBuf,
    format: Format,
    redactor: Redactor,
    told: bool,
}

impl Tree {
    pub fn new(folder: PathBuf, settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        Tree { folder, format: Format::new(settings, verbosity), redactor, told: false }
    }

    fn write(&self, result: &TaskResult) -> Result<(), Error> {
        let text = self.format.dump(&shown(result), false, &self.redactor);
        std::fs::create_dir_all(&self.folder).map_err(|e| {
            let message =
                format!("Unable to access or create the configured directory '{}'.", self.folder.display());
            Error::new(message).caused_by(e.into())
        })?;
        // A host's name is no path.
        let name = result.host.replace('/', "_");
        std::fs::write(self.folder.join(&name), text)
            .map_err(|e| Error::new(format!("Unable to write to '{name}'s file.")).caused_by(e.into()))
    }
}

impl Callback for Tree {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        let mut answers = Vec::new();
        if !std::mem::replace(&mut self.told, true) {
            answers.push(Event::Deprecation(
                "The tree callback plugin is deprecated. This feature will be removed from ansible-core version 2.23."
                    .into(),
            ));
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
