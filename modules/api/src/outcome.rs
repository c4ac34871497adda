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
    /// The resource of a service that the module changed, or would change in check mode.
    pub change: Option<Box<Change>>,
}

/// What a module did to a resource of a service, or would do in check mode. Reports and plans are made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kind of change.
    pub action: ChangeAction,
    /// The resource.
    pub resource: ResourceName,
    /// The names of the members that differ, if an existing resource is modified.
    pub members: Vec<String>,
}

impl Change {
    /// Returns the change as a dictionary: `action`, `type`, `id`, `arn`, `name`, `region`, `account` and `members`.
    pub fn to_map(&self) -> Map {
        let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
        crate::map! {
            "action" => self.action.name(),
            "type" => self.resource.kind,
            "id" => text(self.resource.id.as_deref()),
            "arn" => text(self.resource.arn.as_deref()),
            "name" => self.resource.name.as_str(),
            "region" => self.resource.region.as_str(),
            "account" => text(self.resource.account.as_deref()),
            "members" => self.members.iter().map(Value::from).collect::<Vec<_>>(),
        }
    }
}

/// The kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeAction {
    /// The resource did not exist.
    Create,
    /// Members of the resource differ.
    Modify,
    /// The resource is deleted and created anew, since a member that differs cannot be modified.
    Replace,
    /// The resource is deleted.
    Delete,
    /// Something is started that ends by itself, such as a task.
    Run,
}

impl ChangeAction {
    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            ChangeAction::Create => "create",
            ChangeAction::Modify => "modify",
            ChangeAction::Replace => "replace",
            ChangeAction::Delete => "delete",
            ChangeAction::Run => "run",
        }
    }
}

/// What a resource of a service is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName {
    /// The type, in the terms of CloudFormation for AWS: `AWS::EC2::VPC`.
    pub kind: &'static str,
    /// The ID that the service assigned, once it is known.
    pub id: Option<String>,
    /// The ARN, once it is known.
    pub arn: Option<String>,
    /// The account, once it is known.
    pub account: Option<String>,
    /// The name that the task gives.
    pub name: String,
    /// The region.
    pub region: String,
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

    /// Sets the resource that the module changed.
    pub fn change(mut self, change: Change) -> Self {
        self.change = Some(Box::new(change));
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
