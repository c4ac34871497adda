//! What the tests against a real server share.

#![expect(dead_code, reason = "each test program uses its own part of this")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use playbook_api::{Arguments, Context, Failure, Map, Outcome, Registry, Run, Value};

const HELP: &str = "PLAYBOOK_TEST_POSTGRES_URL is not set: these tests need a PostgreSQL server over TCP and its \
superuser, as in PLAYBOOK_TEST_POSTGRES_URL=postgresql://postgres:secret@127.0.0.1:5432/postgres";

/// The superuser's URL, without the database.
pub(crate) fn server() -> String {
    let url = std::env::var("PLAYBOOK_TEST_POSTGRES_URL").unwrap_or_else(|_| panic!("{HELP}"));
    let (base, _) = url.rsplit_once('/').unwrap_or_else(|| panic!("{HELP}"));
    base.to_owned()
}

pub(crate) fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    playbook_postgres::register(&mut registry);
    Arc::new(registry)
}

pub(crate) fn context() -> Context {
    Context { registry: registry(), ..Context::default() }
}

pub(crate) fn check() -> Context {
    Context { check: true, diff: true, ..context() }
}

/// Runs a module as a task would.
pub(crate) async fn task(context: &Context, module: &str, arguments: Map) -> Result<Outcome, Failure> {
    let entry = context.registry.module(module).expect("the module is registered").clone();
    match entry.run {
        Run::Controller(run) => run(entry.clone(), Arguments::from(arguments), context.clone()).await,
        Run::Host(run) => run(&entry, &Arguments::from(arguments), context),
    }
}

/// A database of the test's own, dropped at its end.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) async fn new() -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        psql(&format!("{}/postgres", server()), &format!("CREATE DATABASE {name}"));
        Database { url: format!("{}/{name}", server()), name }
    }

    /// The output of psql, unaligned, tuples only.
    pub(crate) fn query(&self, sql: &str) -> String {
        psql(&self.url, sql)
    }

    /// Everything in it, as pg_dump writes it.
    pub(crate) fn dump(&self) -> String {
        let output = Command::new("pg_dump").arg(&self.url).output().expect("pg_dump is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // Newer versions write a random key into these two lines.
        text.lines().filter(|l| !l.contains("restrict ")).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(
            &format!("{}/postgres", server()),
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
    }
}

pub(crate) fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .output()
        .expect("psql is installed");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Notes that a test was skipped, where the whole run tells of it.
pub(crate) fn skip(why: &str) {
    use std::io::Write;
    eprintln!("SKIPPED: {why}");
    if let Some(notes) = std::env::var_os("PLAYBOOK_TEST_SKIPPED") {
        let mut notes =
            std::fs::OpenOptions::new().append(true).create(true).open(notes).expect("notes can be written");
        writeln!(notes, "{why}").expect("notes can be written");
    }
}

pub(crate) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("files are in a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
}

/// The whole failure as a user could see it.
pub(crate) fn shown(failure: &Failure) -> String {
    format!("{} {:?} {:?}", failure.error, failure.error.help(), failure.outcome.values)
}

pub(crate) fn value(outcome: &Outcome, name: &str) -> String {
    outcome.values.get(name).map(Value::to_string).unwrap_or_default()
}

/// One field of every entry of a returned list.
pub(crate) fn each(outcome: &Outcome, list: &str, field: &str) -> Vec<String> {
    let items = outcome.values.get(list).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(|item| item.get(field)).map(Value::to_string).collect()
}
