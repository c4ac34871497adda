//! A finding, and the list of them.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use playbook_api::{Error, ErrorKind, Place};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run fails when it reaches the place.
    Error,
    /// It may be intended, or may not be reached.
    Warning,
}

impl Severity {
    /// Returns the name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A mistake, or something that may be one.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its severity.
    pub severity: Severity,
    /// The check that found it: `load`, `document`, `keywords`, `arguments`, `templates`, `files`,
    /// `handlers`, `hosts` or `variables`.
    pub check: &'static str,
    /// The message, the place and the next step.
    pub error: Error,
}

impl Finding {
    /// Returns the place of the finding: the first that it or one of its causes has.
    pub fn place(&self) -> Option<&Place> {
        std::iter::successors(Some(&self.error), |error| error.cause()).find_map(Error::place)
    }
}

/// The findings so far, without repetitions.
#[derive(Default)]
pub(crate) struct Findings {
    all: RefCell<Vec<Finding>>,
    seen: RefCell<HashSet<(Option<Place>, String)>>,
    /// Whether what is loaded is included under a condition.
    pub conditional: Cell<bool>,
    /// Whether a run follows, which begins with what plays say.
    before_run: bool,
}

impl Findings {
    /// Returns the list for a check that a run follows.
    pub(super) fn before_run() -> Findings {
        Findings { before_run: true, ..Findings::default() }
    }

    /// Whether a run follows, which begins with what plays say.
    pub(super) fn is_before_run(&self) -> bool {
        self.before_run
    }

    /// Adds a finding.
    pub(super) fn add(&self, severity: Severity, check: &'static str, error: Error) {
        let finding = Finding { severity, check, error };
        if self.seen.borrow_mut().insert((finding.place().cloned(), finding.error.to_string())) {
            self.all.borrow_mut().push(finding);
        }
    }

    /// Adds an error of loading. A dynamic include may need variables that only a run has. The task files of other
    /// systems name modules that are not installed here: they are ignored unless the name looks misspelled.
    pub(super) fn load(&self, error: Error, dynamic: bool) {
        let chain = || std::iter::successors(Some(&error), |e| e.cause());
        if dynamic && chain().any(|error| error.kind() == ErrorKind::Undefined) {
            return;
        }
        let unknown_module =
            chain().any(|error| error.message().starts_with("couldn't resolve module/action"));
        if self.conditional.get() && unknown_module {
            let misspelled = chain().filter_map(Error::help).any(|help| help.starts_with("Did you mean"));
            if misspelled {
                self.add(Severity::Warning, "load", error);
            }
            return;
        }
        self.add(Severity::Error, "load", error);
    }

    /// Returns the findings in the order of files, lines and columns.
    pub(super) fn sorted(self) -> Vec<Finding> {
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
