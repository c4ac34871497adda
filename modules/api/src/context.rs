//! The environment that a module runs in.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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

/// A request to end, which everything that waits looks at.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    set: AtomicBool,
    /// The request that sets this one too.
    parent: Option<Cancel>,
    /// How much has to be told of the request before the program may end.
    busy: AtomicUsize,
}

impl Cancel {
    /// Makes the request. It cannot be taken back.
    pub fn set(&self) {
        self.0.set.store(true, Ordering::Relaxed);
    }

    /// Returns whether the request was made, here or where this one comes from.
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Relaxed) || self.0.parent.as_ref().is_some_and(Cancel::is_set)
    }

    /// Returns a request that is made when this one is, and can be made alone.
    pub fn child(&self) -> Cancel {
        Cancel(Arc::new(State { parent: Some(self.clone()), ..State::default() }))
    }

    /// Returns a guard for work that another process does, and that it is told to end when the request is made: the
    /// program waits a moment for that before it ends.
    ///
    /// ```
    /// use std::time::Duration;
    /// let cancel = playbook_api::context::Cancel::default();
    /// let busy = cancel.child().busy();
    /// assert!(!cancel.wait_until_idle(Duration::from_millis(1)));
    /// drop(busy);
    /// assert!(cancel.wait_until_idle(Duration::from_millis(1)));
    /// ```
    pub fn busy(&self) -> Busy {
        let root = self.root().clone();
        root.0.busy.fetch_add(1, Ordering::Relaxed);
        Busy(root)
    }

    /// Waits until no work is left that has to be told of the request, and returns whether that came before the limit.
    pub fn wait_until_idle(&self, limit: Duration) -> bool {
        let deadline = crate::time::deadline(limit);
        while self.root().0.busy.load(Ordering::Relaxed) > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    fn root(&self) -> &Cancel {
        self.0.parent.as_ref().map_or(self, Cancel::root)
    }
}

/// Work that another process does; see [`Cancel::busy`].
#[derive(Debug)]
pub struct Busy(Cancel);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
