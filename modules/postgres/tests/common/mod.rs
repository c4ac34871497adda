//! Helpers for the tests against a real server.

#![expect(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use playbook_api::{Arguments, Context, Failure, Map, Outcome, Registry, Run, Value};

const HELP: &str = "PLAYBOOK_TEST_POSTGRES_URL is not set: these tests need the URL of a superuser of a PostgreSQL \
server. Run `cargo xtask test`, or set it, for example to postgresql://postgres:secret@127.0.0.1:5432/postgres";

/// Returns the superuser's URL, without the database.
pub(crate) fn server() -> String {
    let url = std::env::var("PLAYBOOK_TEST_POSTGRES_URL").unwrap_or_else(|_| panic!("{HELP}"));
    let (base, _) = url.rsplit_once('/').unwrap_or_else(|| panic!("{HELP}"));
    base.to_owned()
}

/// Returns the crate's modules.
pub(crate) fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    playbook_postgres::register(&mut registry);
    Arc::new(registry)
}

/// Returns the context of a normal run.
pub(crate) fn context() -> Context {
    Context { registry: registry(), ..Context::default() }
}

/// Returns the context of a run in check mode, with diffs.
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

/// A database for one test, dropped at its end.
pub(crate) struct Database {
    /// Its name.
    pub(crate) name: String,
    /// The superuser's URL of it.
    pub(crate) url: String,
}

impl Database {
    /// Creates an empty database.
    pub(crate) async fn new() -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        psql(&format!("{}/postgres", server()), &format!("CREATE DATABASE {name}"));
        Database { url: format!("{}/{name}", server()), name }
    }

    /// Runs SQL and returns the rows, without headers.
    pub(crate) fn query(&self, sql: &str) -> String {
        psql(&self.url, sql)
    }

    /// Waits until a statement of another session is in `pg_sleep`.
    pub(crate) async fn until_asleep(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
            wait_event = 'PgSleep'";
        while self.query(sleeps) == "0" {
            assert!(Instant::now() < deadline, "no statement sleeps within a minute");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the sessions whose statement is in `pg_sleep`.
    pub(crate) fn end_sleepers(&self) {
        self.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event = 'PgSleep'",
        );
    }

    /// Returns the output of pg_dump.
    pub(crate) fn dump(&self) -> String {
        let output = Command::new("pg_dump").arg(&self.url).output().expect("pg_dump is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // Newer versions write a random key into two lines.
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

/// Runs SQL and returns the rows, without headers.
pub(crate) fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .output()
        .expect("psql is installed");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Reports that a test is skipped, also in the list that `cargo xtask test` prints at its end.
pub(crate) fn skip(why: &str) {
    use std::io::Write;
    eprintln!("SKIPPED: {why}");
    if let Some(notes) = std::env::var_os("PLAYBOOK_TEST_SKIPPED") {
        let mut notes =
            std::fs::OpenOptions::new().append(true).create(true).open(notes).expect("notes can be written");
        writeln!(notes, "{why}").expect("notes can be written");
    }
}

/// Writes files into a directory.
pub(crate) fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().expect("files are in a directory"))
            .expect("the directory can be created");
        std::fs::write(path, text).expect("the file can be written");
    }
}

/// Returns all texts of a failure that a user can see.
pub(crate) fn shown(failure: &Failure) -> String {
    format!("{} {:?} {:?}", failure.error, failure.error.help(), failure.outcome.values)
}

/// Returns a returned value as text.
pub(crate) fn value(outcome: &Outcome, name: &str) -> String {
    outcome.values.get(name).map(Value::to_string).unwrap_or_default()
}

/// Returns one field of every entry of a returned list.
pub(crate) fn each(outcome: &Outcome, list: &str, field: &str) -> Vec<String> {
    let items = outcome.values.get(list).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(|item| item.get(field)).map(Value::to_string).collect()
}
