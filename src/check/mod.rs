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
mod visit;
mod walk;

use std::cell::Cell;
use std::path::Path;

use playbook_api::{Error, Registry};

pub use finding::{Finding, Severity};

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
            visit::playbook(&loaded, &loader, registry, &findings);
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
    visit::playbook(playbook, &loader, registry, &findings);
    findings.sorted()
}
