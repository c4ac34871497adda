//! What a module gives back.

use crate::{Diff, Error, Map, Value};

/// What a module did: whether anything changed, the difference it made, and the values it returns.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub changed: bool,
    pub skipped: bool,
    /// Returned values, under the names the Ansible namesake uses. `msg` is one of them.
    pub values: Map,
    /// Filled only when the context asks for a diff.
    pub diff: Vec<Diff>,
    /// Facts to merge into the host's.
    pub facts: Map,
    pub warnings: Vec<String>,
}

impl Outcome {
    pub fn changed(changed: bool) -> Self {
        Outcome { changed, ..Outcome::default() }
    }

    /// ```
    /// use playbook_api::Outcome;
    /// let outcome = Outcome::changed(true).with("rc", 0).with("stdout", "done");
    /// assert_eq!(outcome.values.get("rc"), Some(&0.into()));
    /// ```
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    pub fn msg(self, message: impl Into<String>) -> Self {
        self.with("msg", message.into())
    }

    pub fn skip(message: impl Into<String>) -> Self {
        Outcome { skipped: true, ..Outcome::default() }.msg(message)
    }

    pub fn diff(mut self, diff: Diff) -> Self {
        self.diff.push(diff);
        self
    }

    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

/// Why a module failed. It may still have changed something, and may return values (`rc`, `stdout`, …).
#[derive(Clone, Debug)]
pub struct Failure {
    pub error: Error,
    pub outcome: Outcome,
    /// The host could not be reached at all.
    pub unreachable: bool,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Error::new(message).into()
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.outcome = self.outcome.with(name, value);
        self
    }

    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.error = self.error.help(help);
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let unreachable = error.get_kind() == crate::ErrorKind::Unreachable;
        Failure { error, outcome: Outcome::default(), unreachable }
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        Error::from(e).into()
    }
}
