//! Running modules as the engine does: by name, with values.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::disallowed_methods, reason = "tests prepare real files")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use playbook_api::{Arguments, Context, Failure, Map, Outcome, Registry, Run, Value};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    registry
});

/// A directory of its own for each test, and a context.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    pub(crate) context: Context,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Lab { folder: tempfile::tempdir().unwrap(), context: Context { diff: true, ..Context::default() } }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.at(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn try_run(&self, module: &str, arguments: Map) -> Result<Outcome, Failure> {
        run(module, arguments, &self.context)
    }

    pub(crate) fn run(&self, module: &str, arguments: Map) -> Outcome {
        self.try_run(module, arguments).unwrap_or_else(|f| panic!("{module} failed: {}", f.error))
    }

    pub(crate) fn check(&self, module: &str, arguments: Map) -> Outcome {
        let context = Context { check: true, ..self.context.clone() };
        run(module, arguments, &context).unwrap_or_else(|f| panic!("{module} failed: {}", f.error))
    }

    /// The message with which it fails.
    pub(crate) fn fail(&self, module: &str, arguments: Map) -> String {
        self.try_run(module, arguments).unwrap_err().error.to_string()
    }

    /// Check mode says what would change and changes nothing; the first run changes, the second does not.
    pub(crate) fn changes_once(&self, module: &str, arguments: Map) -> Outcome {
        let before = snapshot(self.folder.path());
        let checked = self.check(module, arguments.clone());
        assert!(checked.changed, "{module} in check mode");
        assert_eq!(before, snapshot(self.folder.path()), "{module} in check mode touched something");
        let first = self.run(module, arguments.clone());
        assert!(first.changed, "{module}");
        let second = self.run(module, arguments);
        assert!(!second.changed, "{module} is not idempotent: {:?}", second.values);
        first
    }
}

pub(crate) fn run(module: &str, arguments: Map, context: &Context) -> Result<Outcome, Failure> {
    let entry = REGISTRY.module(module).unwrap_or_else(|| panic!("no module {module}"));
    match entry.run {
        Run::Host(run) => run(entry, &Arguments::from(arguments), context),
        Run::Controller(_) => panic!("{module} is no host module"),
    }
}

fn snapshot(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, stat) = (entry.path(), entry.path().symlink_metadata().unwrap());
        let content = if stat.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        if stat.is_dir() {
            all.extend(snapshot(&path));
        }
        all.push((path, stat.mode(), content));
    }
    all.sort();
    all
}

/// A returned value, for comparing.
pub(crate) fn value(outcome: &Outcome, name: &str) -> Value {
    outcome.values.get(name).cloned().unwrap_or_else(|| panic!("no {name} in {:?}", outcome.values))
}
