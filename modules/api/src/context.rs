//! The environment that a module runs in.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use crate::cancel::Cancel;
use crate::stream::TaskHost;
use crate::sync::lock;
use crate::{Error, Plugins, Redactor, Registry};

/// The environment that a module runs in.
#[derive(Clone, Default)]
pub struct Context {
    /// Whether to report changes without making them.
    pub check: bool,
    /// Whether to return a [`Diff`](crate::Diff).
    pub diff: bool,
    /// The number of `-v` flags.
    pub verbosity: u8,
    /// The task's `environment`, on top of the process's own.
    pub environment: Vec<(String, String)>,
    /// The directory that relative paths on the host start from; the login user's home on a remote host.
    pub directory: Option<PathBuf>,
    /// The directory for temporary files (`remote_tmp`).
    pub temporary: Option<PathBuf>,
    /// The secrets that must not be shown.
    pub redactor: Redactor,
    /// The lookups, probes, secret sources and runners of all crates.
    pub registry: Arc<Registry>,
    /// Filters, tests and lookups in other languages.
    pub plugins: Option<Arc<dyn Plugins>>,
    /// Where a waiting module reports its progress.
    pub progress: Progress,
    /// Where a lookup's warnings go.
    pub warnings: Warnings,
    /// Set when the module has to end now: the task's timeout has passed, or the program is being stopped.
    pub cancel: Cancel,
    /// Set when the user asks the run to end (Ctrl-C, once): what is running may finish, and nothing further begins.
    pub interrupt: Cancel,
    /// A file on the controller that the module reads.
    pub source: Option<Arc<dyn Source>>,
    /// The destination on the controller of a file that the module sends.
    pub sink: Option<Arc<dyn Sink>>,
    /// The host that the task acts on, for a controller module; nothing if that is the controller itself, as the user
    /// who runs it.
    pub host: Option<Arc<dyn TaskHost>>,
}

impl Context {
    /// Shows on a terminal what the module is waiting for: "2 of 3 tasks running".
    pub fn progress(&self, message: impl Into<String>) {
        if let Some(sink) = &self.progress.0 {
            sink(self.redactor.text(&message.into()));
        }
    }
}

/// A file on the controller. Nothing is transferred until the module asks for it.
pub trait Source: Send + Sync {
    /// Returns the size in bytes.
    fn size(&self) -> u64;
    /// Returns the SHA-1 checksum of the content, in hexadecimal.
    fn sha1(&self) -> io::Result<String>;
    /// Opens the content for reading from its beginning.
    fn open(&self) -> io::Result<Box<dyn io::BufRead + Send>>;
    /// Returns the path, if the module runs on the controller and can read the file itself.
    fn path(&self) -> Option<&Path> {
        None
    }
}

/// Stores a file's content on the controller.
pub trait Sink: Send + Sync {
    /// Reads the content to its end and stores it.
    fn take(&self, content: &mut dyn io::Read) -> io::Result<()>;
}

/// The receiver of progress messages, if there is one.
#[derive(Clone, Default)]
pub struct Progress(pub Option<Arc<dyn Fn(String) + Send + Sync>>);

/// Warnings that were collected for the report.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<Error>>>);

impl Warnings {
    /// Adds a warning.
    pub fn push(&self, warning: Error) {
        lock(&self.0).push(warning);
    }

    /// Takes the warnings out.
    pub fn take(&self) -> Vec<Error> {
        std::mem::take(&mut *lock(&self.0))
    }
}
