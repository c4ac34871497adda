//! What is found.

use std::cell::RefCell;
use std::collections::HashSet;

use playbook_api::{Error, ErrorKind, Place};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It fails when it is reached.
    Error,
    /// It may be meant.
    Warning,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    pub severity: Severity,
    /// The check that found it: `load`, `document`, `arguments`, `templates`, `files`, `handlers`.
    pub check: &'static str,
    pub error: Error,
}

impl Finding {
    /// The place the finding is about: the first that it or one of its causes names.
    pub fn place(&self) -> Option<&Place> {
        std::iter::successors(Some(&self.error), |error| error.cause()).find_map(Error::place)
    }
}

/// The findings so far, each of them once.
#[derive(Default)]
pub(super) struct Findings {
    all: RefCell<Vec<Finding>>,
    seen: RefCell<HashSet<(Option<Place>, String)>>,
}

impl Findings {
    pub fn add(&self, severity: Severity, check: &'static str, error: Error) {
        let finding = Finding { severity, check, error };
        if self.seen.borrow_mut().insert((finding.place().cloned(), finding.error.to_string())) {
            self.all.borrow_mut().push(finding);
        }
    }

    /// What loading found. What a dynamic include brings may need what only the run knows.
    pub fn load(&self, error: Error, dynamic: bool) {
        let undefined = std::iter::successors(Some(&error), |e| e.cause())
            .any(|error| error.kind() == ErrorKind::Undefined);
        if !(dynamic && undefined) {
            self.add(Severity::Error, "load", error);
        }
    }

    pub fn sorted(self) -> Vec<Finding> {
        let mut all = self.all.into_inner();
        let mut files: Vec<_> =
            all.iter().filter_map(|f| f.place().map(|place| place.file.clone())).collect();
        let mut known = HashSet::new();
        files.retain(|file| known.insert(file.clone()));
        all.sort_by_key(|finding| {
            let place = finding.place();
            let file = place.and_then(|place| files.iter().position(|file| *file == place.file));
            (file, place.map(|place| (place.line, place.column)), finding.severity)
        });
        all
    }
}
