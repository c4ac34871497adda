//! Finds mistakes in a playbook without a host: each check is a file.
//!
//! Loading a playbook finds what ansible-core rejects at load; the checks here find what would fail later in a run. The
//! values of templates are assumed to be right.

mod arguments;
mod files;
mod finding;
mod handlers;
mod keywords;
mod looked_up;
mod names;
mod permissions;
mod task_variables;
mod templates;
#[cfg(test)]
mod tests;
mod variables;
mod visit;
mod wait;
mod walk;

use std::cell::Cell;
use std::path::Path;

use playbook_api::{Error, Registry};

pub use finding::{Finding, Severity};
pub use variables::Variables;

use crate::playbook::{self, Loader, Playbook};
use finding::Findings;

/// Returns all findings in a playbook, in the order of files and lines. `variables` are those that are defined outside of
/// the playbook.
pub fn file(path: &Path, loader: &Loader, registry: &Registry, variables: &Variables) -> Vec<Finding> {
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
            visit::playbook(&loaded, &loader, registry, &findings, variables);
            variables.report(&findings);
        }
        Err(error) => findings.load(error, false),
    }
    findings.sorted()
}

/// Returns the findings in a playbook that has been loaded. Undefined variables are left to the run.
pub fn loaded(playbook: &Playbook, loader: &Loader, registry: &Registry) -> Vec<Finding> {
    let findings = Findings::before_run();
    let fault = |error: Error| {
        findings.load(error, true);
        Ok(())
    };
    let loader = Loader { fault: &fault, warn: &|_| {}, ..loader.clone() };
    visit::playbook(playbook, &loader, registry, &findings, &Variables::default());
    findings.sorted()
}
