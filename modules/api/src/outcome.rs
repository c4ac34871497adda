//! The results of modules.

use crate::{Diff, Error, Map, Value};

/// The result of a module that succeeded: whether anything changed, the differences, and the returned values.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Whether the module changed anything, or would change it in check mode.
    pub changed: bool,
    /// Whether the module had nothing to do and the task counts as skipped.
    pub skipped: bool,
    /// The returned values, named as in the Ansible module of the same name. `msg` is one of them.
    pub values: Map,
    /// The differences, only if the context asks for them.
    pub diff: Vec<Diff>,
    /// Facts to add to the host's.
    pub facts: Map,
    /// Warnings to report.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// Creates an outcome without values.
    pub fn changed(changed: bool) -> Self {
        Outcome { changed, ..Outcome::default() }
    }

    /// Adds a returned value.
    ///
    /// ```
    /// use playbook_api::Outcome;
    /// let outcome = Outcome::changed(true).with("rc", 0).with("stdout", "done");
    /// assert_eq!(outcome.values.get("rc"), Some(&0.into()));
    /// ```
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    /// Adds the returned value `msg`.
    pub fn msg(self, message: impl Into<String>) -> Self {
        self.with("msg", message.into())
    }

    /// Creates the outcome of a task that is skipped.
    pub fn skip(message: impl Into<String>) -> Self {
        Outcome { skipped: true, ..Outcome::default() }.msg(message)
    }

    /// Adds a difference.
    pub fn diff(mut self, diff: Diff) -> Self {
        self.diff.push(diff);
        self
    }

    /// Adds a warning.
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

/// The result of a module that failed. It may have changed something, and may return values (`rc`, `stdout`, …).
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why the module failed.
    pub error: Error,
    /// What it did and returns nevertheless.
    pub outcome: Outcome,
    /// Whether the host could not be reached.
    pub unreachable: bool,
}

impl Failure {
    /// Creates a failure without values.
    pub fn new(message: impl Into<String>) -> Self {
        Error::new(message).into()
    }

    /// Adds a returned value.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.outcome = self.outcome.with(name, value);
        self
    }

    /// Sets what the module did and returns.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Sets what the user can do next.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.error = self.error.with_help(help);
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let unreachable = error.kind() == crate::ErrorKind::Unreachable;
        Failure { error, outcome: Outcome::default(), unreachable }
    }
}
