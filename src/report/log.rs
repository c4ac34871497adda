//! The file of the setting `log_path`: what is displayed, each entry with its time, process, user and level.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use nix::unistd::{Uid, User};

use super::output;
use crate::settings::Settings;

/// The logger's name, which entries carry and the setting `log_filter` selects by.
const NAME: &str = "ansible";

/// The level of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// What is displayed without further meaning.
    Info,
    /// A warning or a deprecation.
    Warning,
    /// An error.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }
}

/// An open log file.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    user: String,
    /// Verbose messages up to this level are logged, whether or not they are displayed.
    pub verbosity: u8,
}

impl Log {
    /// Opens the log file that the settings name. Warns on standard error if it cannot be written.
    pub(super) fn open(settings: &Settings, verbosity: u8) -> Option<Log> {
        let path = settings.log_path.as_deref()?;
        let file = match append(path) {
            Ok(file) => file,
            Err(warning) => {
                output::error(&format!("[WARNING]: {warning}\n"));
                return None;
            }
        };
        if settings.log_filter.iter().any(|name| matches!(name.trim(), "" | NAME)) {
            return None;
        }
        let asked = settings.log_verbosity.as_deref().and_then(|text| text.trim().parse().ok());
        Some(Log { file, user: user(), verbosity: verbosity.max(asked.unwrap_or(0)) })
    }

    /// Appends an entry.
    pub(super) fn write(&mut self, level: Level, text: &str) {
        let now = jiff::Zoned::now();
        let time = now.strftime("%Y-%m-%d %H:%M:%S");
        let entry = format!(
            "{time},{:03} p={} u={} n={NAME} {}| {}\n",
            now.millisecond(),
            std::process::id(),
            self.user,
            level.name(),
            text.trim_start_matches('\n')
        );
        if let Err(error) = self.file.write_all(entry.as_bytes()) {
            output::failed(&error);
        }
    }
}

fn append(path: &Path) -> Result<File, String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(format!("DEFAULT_LOG_PATH can not be a directory '{shown}', aborting"));
    }
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|_| format!("log file at '{shown}' is not writeable and we cannot create it, aborting\n"))
}

/// Returns the name of the user who runs this program, as Python's `getpass` finds it.
fn user() -> String {
    let named = ["LOGNAME", "USER", "LNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let uid = Uid::current();
    named
        .filter(|name| !name.is_empty())
        .or_else(|| User::from_uid(uid).ok().flatten().map(|user| user.name))
        .unwrap_or_else(|| format!("uid={uid}"))
}
