//! The modules through a real PgBouncer that lends its connections by the transaction.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::*;
use playbook_api::{Map, map};
use tempfile::TempDir;

/// A PgBouncer with one connection to the server, so that whatever one client leaves behind meets the next.
struct Bouncer {
    process: Child,
    port: u16,
    _directory: TempDir,
}

impl Bouncer {
    /// Starts it; none where the program is not there.
    fn start() -> Option<Bouncer> {
        use std::os::unix::fs::PermissionsExt;
        use std::os::unix::process::CommandExt;
        let Ok(program) = std::env::var("PLAYBOOK_TEST_PGBOUNCER") else {
            skip("PLAYBOOK_TEST_PGBOUNCER does not name PgBouncer (Debian: the package pgbouncer)");
            return None;
        };
        let directory = TempDir::new().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (credentials, host) = server()
            .split_once("://")
            .unwrap()
            .1
            .rsplit_once('@')
            .map(|(c, h)| (c.to_owned(), h.to_owned()))
            .unwrap();
        let (user, password) = credentials.split_once(':').unwrap();
        let (host, server_port) = host.split_once(':').unwrap();
        let users = directory.path().join("users");
        std::fs::write(&users, format!("\"{user}\" \"{password}\"\n")).unwrap();
        let settings = format!(
            "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
            listen_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {}\n\
            pool_mode = transaction\ndefault_pool_size = 1\nserver_reset_query =\n\
            ignore_startup_parameters = extra_float_digits\n",
            users.display()
        );
        let file = directory.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-q").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(libraries) = std::env::var("PLAYBOOK_TEST_PGBOUNCER_LIB") {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        if nix::unistd::geteuid().is_root() {
            // It refuses to run as root.
            command.uid(65534);
        }
        let process = command.spawn().unwrap();
        for _ in 0..1000 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Bouncer { process, port, _directory: directory })
    }

    fn url(&self, database: &Database) -> String {
        let (credentials, _) = server().rsplit_once('@').map(|(c, h)| (c.to_owned(), h.to_owned())).unwrap();
        format!("{credentials}@127.0.0.1:{}/{}", self.port, database.name)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the next client finds in the server's session.
const STATE: &str = "SELECT current_setting('default_transaction_read_only'), current_setting('lock_timeout'),
    current_setting('statement_timeout'), current_setting('search_path'), current_setting('work_mem'), current_user,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM \
    pg_database WHERE datname = current_database())), (SELECT count(*) FROM pg_prepared_statements WHERE \
    name ~ '^s[0-9]'),
    (SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database())";

/// The same session of the server's, as the only one that the pooler has.
fn backend(url: &str) -> String {
    psql(url, "SELECT pg_backend_pid()")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_on_a_pooled_connection() {
    let Some(bouncer) = Bouncer::start() else { return };
    let database = Database::new().await;
    database.query("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (a int, m mood)");
    let url = bouncer.url(&database);
    let (clean, process) = (psql(&url, STATE), backend(&url));
    let run = |check_mode: bool, more: Map| {
        let mut arguments = map! { "url" => url.as_str() };
        arguments.extend(more);
        let context = if check_mode { check() } else { context() };
        async move {
            task(&context, "postgresql_query", arguments).await.unwrap_or_else(|f| panic!("{}", shown(&f)))
        }
    };
    for query in [
        map! { "query" => "SELECT 1" },
        map! { "query" => "SELECT 'sad'::mood, ARRAY['ok']::mood[]" },
        map! { "query" => "SET work_mem = '9MB'; SELECT 1; SET lock_timeout = '3s'" },
        map! { "query" => "SELECT set_config('work_mem', '9MB', false), set_config('lock_timeout', '9s', false)" },
        map! { "query" => "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY" },
        map! { "query" => "SELECT 1", "session_role" => "pg_monitor", "search_path" => "pg_catalog" },
        map! { "query" => "SET ROLE pg_monitor" },
        map! { "query" => "INSERT INTO t VALUES (1, 'ok')" },
        map! { "query" => "SELECT m FROM t", "autocommit" => true },
    ] {
        for check_mode in [true, false] {
            run(check_mode, query.clone()).await;
            assert_eq!(psql(&url, STATE), clean, "{query:?}");
        }
    }
    let failing = task(
        &context(),
        "postgresql_query",
        map! { "url" => url.as_str(), "query" => "SET work_mem = '9MB'; SELECT nosuch" },
    )
    .await;
    assert!(failing.is_err());
    assert_eq!(psql(&url, STATE), clean);
    assert_eq!(backend(&url), process, "the server's session is the one from the beginning");
    psql(&url, "INSERT INTO t VALUES (2, 'sad')");
    // What stays all the same is told.
    let outcome = run(false, map! { "query" => "LISTEN x" }).await;
    assert!(
        outcome.warnings[0].contains("LISTEN stays in the server's session after 'LISTEN x'"),
        "{:?}",
        outcome.warnings
    );
    let arguments = map! { "url" => url.as_str(), "query" => "SELECT 1", "autocommit" => true, "session_role" => "pg_monitor" };
    let failure = task(&context(), "postgresql_query", arguments).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("session_role with autocommit needs a session of its own"),
        "{}",
        failure.error
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_modules_and_probes_leave_nothing_either() {
    let Some(bouncer) = Bouncer::start() else { return };
    let database = Database::new().await;
    let url = bouncer.url(&database);
    let clean = psql(&url, STATE);
    for context in [check(), context()] {
        for (module, more) in [
            ("postgresql_schema", map! { "name" => "app", "session_role" => "postgres" }),
            ("postgresql_ext", map! { "name" => "plpgsql" }),
            (
                "postgresql_privs",
                map! { "type" => "schema", "objs" => "public", "privs" => "USAGE", "roles" => "pg_monitor", "login_db" => database.name.as_str() },
            ),
            ("postgresql_ping", map! {}),
        ] {
            let mut arguments = map! { "url" => url.as_str() };
            arguments.extend(more);
            task(&context, module, arguments).await.unwrap_or_else(|f| panic!("{module}: {}", shown(&f)));
            assert_eq!(psql(&url, STATE), clean, "{module}");
        }
        let registry = registry();
        let options = map! { "url" => url.as_str(), "query" => "SELECT 1" };
        let met = registry.probe("postgres").unwrap().look(&options, &context).await.unwrap();
        assert!(matches!(met, playbook_api::ProbeState::Met(_)), "{met:?}");
        assert_eq!(psql(&url, STATE), clean);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_through_a_pooler() {
    let Some(bouncer) = Bouncer::start() else { return };
    let database = Database::new().await;
    let url = bouncer.url(&database);
    let clean = psql(&url, STATE);
    let directory = TempDir::new().unwrap();
    write(
        directory.path(),
        &[
            (
                "001_a.sql",
                "SET search_path = public; CREATE TABLE a (id int); CREATE TABLE l AS SELECT \
                current_setting('lock_timeout') AS l;",
            ),
            (
                "002_b.sql",
                "CREATE TABLE b (id int); SELECT set_config('work_mem', '9MB', false); SELECT pg_sleep(0.3);",
            ),
            ("003_c.sql", "SET statement_timeout = 0; INSERT INTO a VALUES (1);"),
        ],
    );
    let arguments = map! {
        "url" => url.as_str(), "path" => directory.path().display().to_string(), "lock_timeout" => "5s",
        "statement_timeout" => "20s", "role" => "postgres",
    };
    let outcome = task(&check(), "db_migrate", arguments.clone()).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(psql(&url, STATE), clean);
    let context = context();
    let run = || task(&context, "db_migrate", arguments.clone());
    let (a, b) = tokio::join!(run(), run());
    let (a, b) = (a.unwrap(), b.unwrap());
    // The pooler has one connection: one of them may have found everything done.
    let at_work: Vec<_> = [&a, &b].into_iter().filter(|outcome| outcome.changed).collect();
    for outcome in &at_work {
        let warned = outcome.warnings.iter().any(|w| w.contains("is reached through a connection pooler"));
        assert!(warned, "{:?}", outcome.warnings);
    }
    let mut applied: Vec<_> =
        at_work.iter().flat_map(|outcome| each(outcome, "applied", "version")).collect();
    applied.sort();
    assert_eq!(applied, ["001", "002", "003"]);
    assert_eq!(psql(&url, STATE), clean);
    assert_eq!(database.query("SELECT l FROM l"), "5s");
    assert_eq!(database.query("SELECT count(*) FROM a"), "1");
    assert!(!run().await.unwrap().changed);
    // Where a session is needed, it is refused before anything is done.
    write(
        directory.path(),
        &[("004_d.sql", "CREATE TABLE d ()"), ("005_i.sql", "CREATE INDEX CONCURRENTLY i ON a (id)")],
    );
    let failure = run().await.unwrap_err();
    let message = format!(
        "{}/005_i.sql runs outside of a transaction, but database '{}' on 127.0.0.1:{} as 'postgres' is \
        reached through a connection pooler",
        directory.path().display(),
        database.name,
        bouncer.port
    );
    assert_eq!(failure.error.to_string(), message);
    assert_eq!(database.query("SELECT to_regclass('d') IS NULL"), "t");
    assert_eq!(psql(&url, STATE), clean);
}
