//! Runs modules as the engine does: by name, with values.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests prepare real files")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use playbook_api::{Arguments, Context, Failure, Map, Outcome, Registry, Run, Value};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    registry
});

/// A directory for one test, and a context.
pub(crate) struct Lab {
    directory: tempfile::TempDir,
    /// The context of the runs.
    pub(crate) context: Context,
}

impl Lab {
    /// Creates an empty directory.
    pub(crate) fn new() -> Self {
        Lab { directory: tempfile::tempdir().unwrap(), context: Context { diff: true, ..Context::default() } }
    }

    /// Returns the path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns the path of a file in the directory as text.
    pub(crate) fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.at(name)
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs a module.
    pub(crate) fn try_run(&self, module: &str, arguments: Map) -> Result<Outcome, Failure> {
        run(module, arguments, &self.context)
    }

    /// Runs a module that must succeed.
    pub(crate) fn run(&self, module: &str, arguments: Map) -> Outcome {
        self.try_run(module, arguments).unwrap_or_else(|f| panic!("{module} failed: {}", f.error))
    }

    /// Runs a module in check mode; it must succeed.
    pub(crate) fn check(&self, module: &str, arguments: Map) -> Outcome {
        let context = Context { check: true, ..self.context.clone() };
        run(module, arguments, &context).unwrap_or_else(|f| panic!("{module} failed: {}", f.error))
    }

    /// Runs a module that must fail, and returns its message.
    pub(crate) fn fail(&self, module: &str, arguments: Map) -> String {
        self.try_run(module, arguments).unwrap_err().error.to_string()
    }

    /// Asserts that check mode reports a change and makes none, that the first run makes it, and that the second does not.
    pub(crate) fn changes_once(&self, module: &str, arguments: Map) -> Outcome {
        let before = snapshot(self.directory.path());
        let checked = self.check(module, arguments.clone());
        assert!(checked.changed, "{module} reports no change in check mode");
        assert_eq!(before, snapshot(self.directory.path()), "{module} changed something in check mode");
        let first = self.run(module, arguments.clone());
        assert!(first.changed, "{module}");
        let second = self.run(module, arguments);
        assert!(!second.changed, "{module} is not idempotent: {:?}", second.values);
        first
    }
}

/// Runs a module with a context.
pub(crate) fn run(module: &str, arguments: Map, context: &Context) -> Result<Outcome, Failure> {
    let entry = REGISTRY.module(module).unwrap_or_else(|| panic!("the module {module} does not exist"));
    match entry.run {
        Run::Host(run) => run(entry, &Arguments::from(arguments), context),
        Run::Controller(_) => panic!("{module} is not a module for managed hosts"),
    }
}

/// Returns the paths, modes and contents of all files below a directory.
fn snapshot(directory: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
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

/// Returns a returned value.
pub(crate) fn value(outcome: &Outcome, name: &str) -> Value {
    outcome.values.get(name).cloned().unwrap_or_else(|| panic!("no {name} in {:?}", outcome.values))
}
