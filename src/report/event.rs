//! Everything that happens in a run.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Error, Map, Place, Value};

/// What happened, in the order it happened. One channel carries them from the run to the reporters.
#[derive(Clone, Debug)]
pub enum Event {
    /// Somebody is asked for a variable, or would be if there were a terminal.
    VarsPrompt {
        name: Arc<str>,
        private: bool,
    },
    RunStart {
        playbook: String,
        check: bool,
    },
    PlayStart {
        name: String,
        hosts: Vec<Arc<str>>,
        check: bool,
        place: Place,
    },
    /// No host matches the play's pattern ("skipping: no hosts matched").
    NoHostsMatched,
    /// "NO MORE HOSTS LEFT".
    NoHostsRemaining,
    /// A task begins on all hosts. Strategies that let each host go its own way do not send it: the first result
    /// of a task then shows its title.
    TaskStart(Arc<TaskInfo>),
    /// A task of the engine's own begins, such as the flushing of handlers: no report shows it, and callback plugins
    /// may ask to be told.
    ImplicitTaskStart(Arc<TaskInfo>),
    /// With `show_per_host_start`.
    HostStart {
        task: Arc<TaskInfo>,
        host: Arc<str>,
    },
    /// One item of a loop.
    ItemResult(TaskResult),
    /// A task of a host, as a whole; for a loop its `values` hold `results`.
    HostResult(TaskResult),
    /// An attempt of `until` that did not succeed; `left` more will follow.
    Retry {
        result: TaskResult,
        left: u64,
    },
    /// An async job that is still running.
    Poll {
        result: TaskResult,
        job: String,
    },
    /// An async job that was waited for came to its end, or to the end of its time.
    Polled {
        task: Arc<TaskInfo>,
        host: Arc<str>,
        job: String,
        failed: bool,
    },
    /// "included: FILE for HOST, HOST" (with the loop item's label, if any).
    Included {
        file: String,
        hosts: Vec<Arc<str>>,
        item: Option<String>,
    },
    /// A handler was notified (shown from -vv on).
    Notified {
        handler: String,
        host: Arc<str>,
    },
    /// What a host's running task is waiting for, for the live line of a terminal.
    Progress {
        host: Arc<str>,
        message: String,
    },
    Warning(String),
    Deprecation(String),
    /// Free text at a verbosity, such as the inventory and config files used.
    Verbose {
        level: u8,
        text: String,
        host: Option<Arc<str>>,
    },
    /// A line of a callback's.
    Text(String),
    /// A title of a callback's.
    Banner(String),
    /// An error of the run itself.
    Error(Error),
    /// The end of a playbook: the recap.
    Stats {
        hosts: IndexMap<Arc<str>, HostStats>,
        custom: IndexMap<Arc<str>, Map>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    Task,
    Handler,
}

/// A task as reports name it.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    pub id: crate::playbook::TaskId,
    pub kind: TaskKind,
    /// `role : name`, rendered where it can be; the action's name where the task has none.
    pub name: String,
    /// As written: `ansible.builtin.debug`.
    pub action: String,
    pub place: Place,
    pub check: bool,
    pub no_log: bool,
    /// The arguments, for `display_args_to_stdout`; none with no_log.
    pub args: Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    Changed,
    Failed,
    Unreachable,
    Skipped,
}

/// What came of a task, or of one item of its loop, on one host.
#[derive(Clone, Debug)]
pub struct TaskResult {
    pub host: Arc<str>,
    /// The host it was delegated to.
    pub delegated: Option<Arc<str>>,
    pub task: Arc<TaskInfo>,
    pub status: Status,
    /// Failed, but ignored.
    pub ignored: bool,
    /// The result as `register` holds it, with `changed`, `failed`, `msg`, `results`, `diff`, … under Ansible's
    /// names. Not yet redacted: whoever prints it does that.
    pub values: Map,
    /// The loop item's label, for an item's result.
    pub item: Option<Value>,
    /// What `no_log` hides; the reporter prints "censored" instead.
    pub no_log: bool,
    /// The error with its chain and places, for the `[ERROR]` text above a failed result.
    pub error: Option<Error>,
    /// The values hold Ansible's internal `_ansible_verbose_always` (debug prints its result at any verbosity).
    pub verbose_always: bool,
    pub warnings: Vec<String>,
    /// What will not do much longer, and where it was written.
    pub deprecations: Vec<Error>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    pub ok: u64,
    pub changed: u64,
    pub unreachable: u64,
    pub failed: u64,
    pub skipped: u64,
    pub rescued: u64,
    pub ignored: u64,
}

/// A reader of the event stream.
pub trait Reporter: Send {
    fn event(&mut self, event: &Event);

    /// Shows what is still held back. Called whenever no event waits, and at the end.
    fn flush(&mut self) {}
}
