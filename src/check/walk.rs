//! What a check knows on the way through a play, and where it says what it finds.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use playbook_api::{Error, Map, Registry, Value};

use super::finding::{Findings, Severity};
use crate::document::{Kind, Node};
use crate::playbook::{Loader, Play, Task};

/// The way through one play.
pub struct Walk<'a> {
    pub loader: &'a Loader<'a>,
    pub registry: &'a Registry,
    pub findings: &'a Findings,
    /// The folder of the playbook that is run.
    pub dir: &'a Path,
    pub play: &'a Play,
    /// The play's handlers, its roles', and those that includes bring.
    pub handlers: RefCell<Vec<Arc<Task>>>,
    /// Something is included that only the run can name: it may bring handlers.
    pub open: Cell<bool>,
    /// Where handlers are notified.
    pub notifiers: RefCell<Vec<Node>>,
}

impl Walk<'_> {
    pub fn error(&self, check: &'static str, error: Error) {
        self.findings.add(Severity::Error, check, error);
    }

    pub fn warning(&self, check: &'static str, error: Error) {
        self.findings.add(Severity::Warning, check, error);
    }
}

/// A written value, as far as it is known before it is rendered.
pub fn known(node: &Node) -> Value {
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
