//! The state of a check on its way through a play.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Map, Place, Registry, Value};

use super::finding::{Findings, Severity};
use super::variables::Variables;
use crate::document::{Kind, Node};
use crate::playbook::{Loader, Play, Task};

/// The state of a check on its way through a play.
pub struct Walk<'a> {
    /// Loads what the play includes.
    pub loader: &'a Loader<'a>,
    /// The modules that are built in.
    pub registry: &'a Registry,
    /// The findings so far.
    pub(crate) findings: &'a Findings,
    /// The variables of the playbook.
    pub variables: &'a Variables,
    /// The directory of the playbook that is run.
    pub dir: &'a Path,
    /// The play.
    pub play: &'a Play,
    /// The handlers of the play, of its roles and of includes.
    pub handlers: RefCell<Vec<Arc<Task>>>,
    /// Whether something is included that only a run can name, which may have handlers.
    pub open: Cell<bool>,
    /// The values of `notify`.
    pub notifiers: RefCell<Vec<Node>>,
    /// Whether the tasks are included under a condition.
    pub conditional: Cell<bool>,
    /// The task whose templates are looked at.
    pub task: RefCell<Option<Arc<Task>>>,
}

impl Walk<'_> {
    /// Whether a task may never run: it, or something around it, has a condition.
    pub fn is_conditional(&self, task: &Task) -> bool {
        let mut around = task.frame.chain();
        self.conditional.get()
            || !task.keywords.when.is_empty()
            || around.any(|frame| !frame.keywords.when.is_empty())
    }

    /// Adds an error.
    pub fn error(&self, check: &'static str, error: Error) {
        self.findings.add(Severity::Error, check, error);
    }

    /// Adds a warning.
    pub fn warning(&self, check: &'static str, error: Error) {
        self.findings.add(Severity::Warning, check, error);
    }

    /// Adds the error of something that was checked, if there is one.
    pub fn checked<T>(&self, check: &'static str, checked: Result<T, Error>) {
        if let Err(error) = checked {
            self.error(check, error);
        }
    }

    /// Adds the finding of a missing file. One that may be created before it is needed is a warning.
    pub fn missing_file(&self, name: &str, place: &Place, may_come: bool) {
        let message = format!("Could not find or access '{name}' on the Ansible Controller.");
        let error = Error::new(message).with_kind(ErrorKind::NotFound).at(place);
        if may_come {
            self.warning("files", error.with_help("It must be there by the time the task runs."));
        } else {
            self.error("files", error);
        }
    }
}

/// Returns a written value as far as it is known before it is rendered.
pub(super) fn known(node: &Node) -> Value {
    match node.kind() {
        Kind::Template(_) | Kind::Vault(_) => Value::Unknown("it is rendered".into()),
        Kind::Value(value) => value.clone(),
        Kind::List(items) => items.iter().map(known).collect(),
        Kind::Map(map) => {
            let entries = map.iter().map(|(key, entry)| (key.clone(), known(&entry.node)));
            Value::from(entries.collect::<Map>())
        }
    }
}
