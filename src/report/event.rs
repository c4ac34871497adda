//! The events of a run.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use playbook_api::{Change, Error, ErrorKind, Map, Place, Value};

use crate::settings::Release;

/// An event of a run. One channel carries the events in order from the run to the reporters.
#[derive(Clone, Debug)]
pub enum Event {
    /// A variable of `vars_prompt` is read from the terminal, or would be if there were one.
    VarsPrompt {
        /// The variable.
        name: Arc<str>,
        /// Whether the answer is hidden while it is typed.
        private: bool,
    },
    /// A playbook starts.
    RunStart {
        /// Its path.
        playbook: String,
        /// Whether it runs in check mode.
        check: bool,
    },
    /// A play, or a batch of its hosts, starts.
    PlayStart {
        /// The play's name, or its host pattern.
        name: String,
        /// The pattern that selects the hosts.
        pattern: String,
        /// The hosts of the batch.
        hosts: Vec<Arc<str>>,
        /// Whether the play runs in check mode.
        check: bool,
        /// Where the play is written.
        place: Place,
    },
    /// No host matches the play's pattern.
    NoHostsMatched,
    /// All hosts of the play have failed.
    NoHostsRemaining,
    /// A task starts on all hosts. Strategies whose hosts proceed independently do not send it: the first result of a
    /// task then shows its title.
    TaskStart(Arc<TaskInfo>),
    /// An internal task starts, such as the flushing of handlers. Reports do not show it, but callback plugins may
    /// ask to be told.
    ImplicitTaskStart(Arc<TaskInfo>),
    /// A task starts on one host, with the setting `show_per_host_start`.
    HostStart {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
    },
    /// The result of one item of a loop.
    ItemResult(TaskResult),
    /// The result of a task on a host.
    HostResult(TaskResult),
    /// An attempt of `until` did not succeed.
    Retry {
        /// The result of the attempt.
        result: TaskResult,
        /// The number of attempts that are left.
        left: u64,
    },
    /// An asynchronous job is still running.
    Poll {
        /// The state of the job.
        result: TaskResult,
        /// The job's ID.
        job: String,
    },
    /// An asynchronous job has ended, or has reached its time limit.
    Polled {
        /// The task that started the job.
        task: Arc<TaskInfo>,
        /// The host of the job.
        host: Arc<str>,
        /// The job's ID.
        job: String,
        /// Whether the job failed.
        failed: bool,
    },
    /// A task file or role has been included.
    Included {
        /// The file.
        file: String,
        /// The hosts that it was included for.
        hosts: Vec<Arc<str>>,
        /// The label of the loop's item, if the include has a loop.
        item: Option<String>,
    },
    /// A handler has been notified.
    Notified {
        /// The handler's name.
        handler: String,
        /// The host that will run it.
        host: Arc<str>,
    },
    /// The state of a host's running task, for the last line of a terminal.
    Progress {
        /// The host.
        host: Arc<str>,
        /// What the task waits for.
        message: String,
    },
    /// A warning.
    Warning(String),
    /// A deprecation warning.
    Deprecation(String),
    /// Information that is shown only from a verbosity on, such as the configuration file in use.
    Verbose {
        /// The lowest verbosity that shows it.
        level: u8,
        /// The information.
        text: String,
        /// The host that it is about.
        host: Option<Arc<str>>,
    },
    /// A line of a callback.
    Text(String),
    /// A title of a callback.
    Banner(String),
    /// An error of the run as a whole.
    Error(Error),
    /// A playbook has ended.
    Stats {
        /// The counts of each host.
        hosts: IndexMap<Arc<str>, HostStats>,
        /// The values of `set_stats`, by host; those of the whole run under `_run`.
        custom: IndexMap<Arc<str>, Map>,
    },
}

impl Event {
    /// Returns the event of a warning or, if the error is one, of a deprecation warning, with its place.
    pub fn warning(error: &Error) -> Event {
        let text = super::format_error(error).trim_end().to_owned();
        match error.kind() {
            ErrorKind::Deprecation => Event::Deprecation(text),
            _ => Event::Warning(text),
        }
    }
}

/// The kind of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// An ordinary task.
    Task,
    /// A handler.
    Handler,
}

/// A task as reports show it.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Identifies the task within the run.
    pub id: crate::playbook::TaskId,
    /// Whether it is a handler.
    pub kind: TaskKind,
    /// `role : name`, rendered if possible; the action's name if the task has no name.
    pub name: String,
    /// The role that the task is in.
    pub role: Option<RoleInfo>,
    /// The action as it is written: `ansible.builtin.debug`.
    pub action: String,
    /// Where the task is written.
    pub place: Place,
    /// Whether it runs in check mode.
    pub check: bool,
    /// Whether its results are hidden.
    pub no_log: bool,
    /// The arguments as they are written, if a report asks for them; empty with `no_log`.
    pub args: Map,
    /// The release of ansible-core whose behavior the run has.
    pub release: Release,
}

/// What reports know about the role of a task.
#[derive(Clone, Debug)]
pub struct RoleInfo {
    /// Its short name.
    pub name: std::sync::Arc<str>,
    /// Its name with the collection, if it is in one.
    pub full_name: std::sync::Arc<str>,
    /// Its directory.
    pub path: std::path::PathBuf,
}

/// How a task, or an item of its loop, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It succeeded and changed nothing.
    Ok,
    /// It succeeded and changed something.
    Changed,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// It was skipped.
    Skipped,
}

impl Status {
    /// Returns the status as it is written in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Changed => "changed",
            Status::Failed => "failed",
            Status::Unreachable => "unreachable",
            Status::Skipped => "skipped",
        }
    }
}

/// The result of a task, or of one item of its loop, on one host.
#[derive(Clone, Debug)]
pub struct TaskResult {
    /// The host.
    pub host: Arc<str>,
    /// The host that the task was delegated to.
    pub delegated: Option<Arc<str>>,
    /// That host's address, where a variable names one.
    pub delegated_address: Option<Arc<str>>,
    /// The task.
    pub task: Arc<TaskInfo>,
    /// How it ended.
    pub status: Status,
    /// Whether the failure is ignored.
    pub ignored: bool,
    /// Whether this is the result of a loop as a whole, so that `results` in `values` holds those of its items.
    pub is_loop: bool,
    /// The result as `register` holds it, with `changed`, `failed`, `msg`, `results`, `diff`, … under Ansible's
    /// names. It may contain secrets, which every report redacts.
    pub values: Map,
    /// The label of the loop's item, in an item's result.
    pub item: Option<Value>,
    /// Whether the result is hidden.
    pub no_log: bool,
    /// The error with its causes and places, which stands above a failed result.
    pub error: Option<Error>,
    /// Whether the result is shown at any verbosity, as that of `debug` is.
    pub verbose_always: bool,
    /// The warnings of the task.
    pub warnings: Vec<String>,
    /// The deprecation warnings of the task, with their places.
    pub deprecations: Vec<Error>,
    /// The resource of a service that the task changed, or would change in check mode.
    pub change: Option<Box<Change>>,
    /// How long the task took on the host, all attempts and items included.
    pub duration: Duration,
}

/// The counts of a host in the recap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Tasks that succeeded, changed or not.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// Attempts to reach the host that failed.
    pub unreachable: u64,
    /// Tasks that failed.
    pub failed: u64,
    /// Tasks that were skipped.
    pub skipped: u64,
    /// Failed tasks that a `rescue` followed.
    pub rescued: u64,
    /// Failed tasks that were ignored.
    pub ignored: u64,
}

/// A reader of the events.
pub trait Reporter: Send {
    /// Takes note of an event.
    fn event(&mut self, event: &Event);

    /// Prints what is buffered. It is called whenever no event waits, and at the end.
    fn flush(&mut self) {}

    /// Whether the reporter shows the arguments of tasks, so that [`TaskInfo::args`] must hold them.
    fn wants_arguments(&self) -> bool {
        false
    }

    /// Whether the reporter shows what a successful task returns, so that it must be computed.
    fn shows_results(&self) -> bool {
        true
    }
}
