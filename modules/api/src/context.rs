//! The environment that a module runs in.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::stream::TaskHost;
use crate::{Plugins, Redactor, Registry};

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
    /// Whether the run was canceled; everything that waits checks it.
    pub cancel: Cancel,
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

/// A flag that Ctrl-C and a task's timeout set, and that everything that waits checks.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Cancels the run or the task.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the run or the task was canceled.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
