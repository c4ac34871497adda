//! What is wrong with a playbook, said before any host is asked: one file a check.
//!
//! The playbook room finds what ansible-core refuses at load; the checks here find what a run would stumble over
//! later. Values that are templates are taken for right.

mod arguments;
mod files;
mod finding;
mod handlers;
mod templates;
#[cfg(test)]
mod tests;
mod walk;

use std::cell::{Cell, RefCell};
use std::path::Path;

use playbook_api::{Error, Registry, Value};

pub use finding::{Finding, Severity};

use crate::document::{Kind, Node};
use crate::playbook::{self, Loader, Playbook};
use finding::Findings;

/// Everything that is found in a playbook, in the order of files and lines. `Err` is a file that cannot be read at
/// all.
pub fn file(path: &Path, loader: &Loader, registry: &Registry) -> Vec<Finding> {
    let findings = Findings::default();
    let dynamic = Cell::new(false);
    let fault = |error: Error| {
        findings.load(error, dynamic.get());
        Ok(())
    };
    let warn = |error| findings.add(Severity::Warning, "document", error);
    let loader = Loader { fault: &fault, warn: &warn, ..loader.clone() };
    match playbook::load(path, &loader) {
        Ok(loaded) => {
            dynamic.set(true);
            walk::playbook(&loaded, &loader, registry, &findings);
        }
        Err(error) => findings.load(error, false),
    }
    findings.sorted()
}

/// What is found in a playbook that loads.
pub fn loaded(playbook: &Playbook, loader: &Loader, registry: &Registry) -> Vec<Finding> {
    let findings = Findings::default();
    let fault = |error: Error| {
        findings.load(error, true);
        Ok(())
    };
    let loader = Loader { fault: &fault, warn: &|_| {}, ..loader.clone() };
    walk::playbook(playbook, &loader, registry, &findings);
    findings.sorted()
}

/// A written value, as far as it is known before it is rendered.
fn known(node: &Node) -> Value {
    match node.kind() {
        Kind::Template(_) | Kind::Vault(_) => Value::Unknown("it is rendered".into()),
        Kind::Value(value) => value.clone(),
        Kind::List(items) => items.iter().map(known).collect(),
        Kind::Map(map) => {
            let entries = map.iter().map(|(key, entry)| (key.clone(), known(&entry.node)));
            Value::from(entries.collect::<playbook_api::Map>())
        }
    }
}

/// Faults that are told once, however often their cause is come by.
type Seen<T> = RefCell<std::collections::HashSet<T>>;
