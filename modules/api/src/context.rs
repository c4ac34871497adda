//! What a module is given beside its arguments.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Plugins, Redactor, Registry};

/// What a module is given beside its arguments.
#[derive(Clone, Default)]
pub struct Context {
    /// Touch nothing, say what would change.
    pub check: bool,
    /// Say what differs.
    pub diff: bool,
    pub verbosity: u8,
    /// The task's `environment`, on top of the process's own.
    pub environment: Vec<(String, String)>,
    /// Where relative paths on the host start; the login user's home on a remote host.
    pub directory: Option<PathBuf>,
    /// `remote_tmp`.
    pub temporary: Option<PathBuf>,
    pub redactor: Redactor,
    /// Everything the crates brought: lookups, probes, secret sources, runners.
    pub registry: Arc<Registry>,
    /// Filters, tests and lookups in other languages.
    pub plugins: Option<Arc<dyn Plugins>>,
    pub progress: Progress,
    pub cancel: Cancel,
    /// A file that the caller has for the module.
    pub source: Option<Arc<dyn Source>>,
    /// Where the module may send a file's content.
    pub sink: Option<Arc<dyn Sink>>,
}

impl Context {
    /// Says on a terminal what is being waited for: "2 of 3 tasks running".
    pub fn progress(&self, message: impl Into<String>) {
        if let Some(sink) = &self.progress.0 {
            sink(self.redactor.text(&message.into()));
        }
    }
}

/// A file on the caller's side, the controller's where the module runs elsewhere. A module that finds it needs
/// nothing of it costs nothing.
pub trait Source: Send + Sync {
    fn size(&self) -> u64;
    /// The SHA-1 of the content.
    fn sha1(&self) -> io::Result<String>;
    /// Reads from the beginning.
    fn open(&self) -> io::Result<Box<dyn io::BufRead + Send>>;
    /// The file itself, where it is on the module's own side.
    fn path(&self) -> Option<&Path> {
        None
    }
}

/// Takes a file's content to the caller's side.
pub trait Sink: Send + Sync {
    fn take(&self, content: &mut dyn io::Read) -> io::Result<()>;
}

/// Where progress goes, if anywhere.
#[derive(Clone, Default)]
pub struct Progress(pub Option<Arc<dyn Fn(String) + Send + Sync>>);

/// Asked by whatever waits; set by Ctrl-C and by a task's timeout.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
