//! db_migrate with files of SQL, against a real server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::*;
use playbook_api::{Map, map};
use tempfile::TempDir;

const USERS: (&str, &str) = (
    "001_users.sql",
    "CREATE TABLE users (id serial PRIMARY KEY, name text);\nINSERT INTO users (name) VALUES ('a;b');\n",
);
const EMAIL: (&str, &str) = ("002_email.up.sql", "ALTER TABLE users ADD email text;\n");
const EMAIL_DOWN: (&str, &str) = ("002_email.down.sql", "ALTER TABLE users DROP email;\n");

struct Project {
    directory: TempDir,
    database: Database,
}

impl Project {
    async fn new(files: &[(&str, &str)]) -> Project {
        let directory = TempDir::new().unwrap();
        write(directory.path(), files);
        Project { directory, database: Database::new().await }
    }

    fn arguments(&self, more: Map) -> Map {
        let mut arguments = map! {
            "path" => self.directory.path().display().to_string(),
            "url" => self.database.url.replace("postgresql://", "postgresql+psycopg2://"),
        };
        arguments.extend(more);
        arguments
    }

    async fn migrate(&self, more: Map) -> Result<playbook_api::Outcome, playbook_api::Failure> {
        task(&context(), "db_migrate", self.arguments(more)).await
    }

    async fn check(&self, more: Map) -> Result<playbook_api::Outcome, playbook_api::Failure> {
        task(&check(), "playbook.postgres.db_migrate", self.arguments(more)).await
    }
}

#[tokio::test]
async fn applies_what_is_missing_and_nothing_twice() {
    let project = Project::new(&[USERS, EMAIL, EMAIL_DOWN]).await;
    let first = project.migrate(map! {}).await.unwrap();
    assert!(first.changed);
    assert_eq!(each(&first, "applied", "version"), ["001", "002"]);
    assert_eq!(value(&first, "version"), "002");
    assert_eq!(value(&first, "msg"), "2 applied; the version is 002");
    let second = project.migrate(map! {}).await.unwrap();
    assert!(!second.changed);
    assert_eq!(value(&second, "msg"), "nothing to migrate");
    write(project.directory.path(), &[("V3__phone.sql", "ALTER TABLE users ADD phone text")]);
    let third =
        project.migrate(map! { "table" => "playbook_migrations", "schema" => "public" }).await.unwrap();
    assert_eq!(each(&third, "applied", "name"), ["phone"]);
    let rows = "SELECT version, name, success, length(checksum), duration_ms IS NOT NULL FROM \
        playbook_migrations ORDER BY 1";
    assert_eq!(project.database.query(rows), "001|users|t|64|t\n002|email|t|64|t\n3|phone|t|64|t");
}

#[tokio::test]
async fn check_mode_lists_and_touches_nothing() {
    let project = Project::new(&[USERS, EMAIL]).await;
    let before = project.database.dump();
    let outcome = project.check(map! { "schema" => "ops", "table" => "history" }).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(each(&outcome, "pending", "version"), ["001", "002"]);
    assert_eq!(value(&outcome, "msg"), "would apply 001_users.sql, 002_email.up.sql");
    assert_eq!(outcome.diff.len(), 2);
    assert!(outcome.diff[0].after.as_ref().unwrap().to_string().contains("CREATE TABLE users"));
    assert_eq!(project.database.dump(), before);
    project.migrate(map! { "schema" => "ops", "table" => "history" }).await.unwrap();
    assert_eq!(project.database.query("SELECT count(*) FROM ops.history"), "2");
    let before = project.database.dump();
    assert!(!project.check(map! { "schema" => "ops", "table" => "history" }).await.unwrap().changed);
    assert!(project.check(map! { "schema" => "ops", "table" => "history", "baseline" => 7 }).await.is_ok());
    assert_eq!(project.database.dump(), before);
}

#[tokio::test]
async fn a_failing_migration_leaves_no_trace_and_says_where() {
    let broken =
        "CREATE TABLE half (id int);\n\n-- now the mistake\nALTER TABLE half\n  ADD COLUMN x nosuchtype;\n";
    let project = Project::new(&[USERS, ("002_broken.sql", broken), ("003_later.sql", "SELECT 1")]).await;
    let failure = project.migrate(map! {}).await.unwrap_err();
    let message = failure.error.to_string();
    assert!(
        message.contains("002_broken.sql:5 failed: type \"nosuchtype\" does not exist (SQLSTATE 42704)"),
        "{message}"
    );
    assert!(failure.outcome.changed);
    assert_eq!(each(&failure.outcome, "applied", "version"), ["001"]);
    assert_eq!(value(&failure.outcome, "sqlstate"), "42704");
    assert_eq!(value(&failure.outcome, "line"), "5");
    assert_eq!(value(&failure.outcome, "version"), "001");
    assert_eq!(project.database.query("SELECT to_regclass('half') IS NULL"), "t");
    write(
        project.directory.path(),
        &[(
            "002_broken.sql",
            "CREATE TABLE half (id int PRIMARY KEY); INSERT INTO half VALUES (1);\nINSERT INTO half VALUES (1);",
        )],
    );
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.to_string().contains(":2 failed: duplicate key"), "{}", failure.error);
    assert!(value(&failure.outcome, "detail").contains("already exists"));
    write(project.directory.path(), &[("002_broken.sql", "CREATE TABLE half (id int)")]);
    assert_eq!(each(&project.migrate(map! {}).await.unwrap(), "applied", "version"), ["002", "003"]);
}

#[tokio::test]
async fn without_a_transaction_a_failure_half_way_wants_repair() {
    let index = "-- playbook: no-transaction\nCREATE INDEX CONCURRENTLY i ON users (name);\nSELECT 1/0;\n";
    let project = Project::new(&[USERS, ("002_index.sql", index)]).await;
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("002_index.sql:3 failed: division by zero"),
        "{}",
        failure.error
    );
    assert!(failure.error.help().unwrap().contains("1 of its 2 statements"));
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("migration 002 (index) failed half-way on"),
        "{}",
        failure.error
    );
    let fixed = "-- playbook: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (name);";
    write(project.directory.path(), &[("002_index.sql", fixed)]);
    let outcome = project.migrate(map! { "repair" => true }).await.unwrap();
    assert_eq!(each(&outcome, "repaired", "action"), ["forgotten"]);
    assert_eq!(each(&outcome, "applied", "version"), ["002"]);
    assert!(!project.migrate(map! { "repair" => true }).await.unwrap().changed);
    // The first statement of all changes nothing when it fails: no repair is asked for.
    write(project.directory.path(), &[("003_index.sql", "-- playbook: no-transaction\nVACUUM nosuch;")]);
    project.migrate(map! {}).await.unwrap_err();
    write(
        project.directory.path(),
        &[("003_index.sql", "-- playbook: no-transaction\nVACUUM users; BEGIN;")],
    );
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("begins a transaction and does not end it"),
        "{}",
        failure.error
    );
    write(project.directory.path(), &[("003_index.sql", "-- playbook: no-transaction\nVACUUM users;")]);
    project.migrate(map! { "repair" => true }).await.unwrap();
}

#[tokio::test]
async fn edited_missing_and_late_migrations_are_refused() {
    let project = Project::new(&[USERS, EMAIL, ("004_last.sql", "SELECT 1")]).await;
    project.migrate(map! {}).await.unwrap();
    let before = project.database.dump();
    write(project.directory.path(), &[("002_email.up.sql", "ALTER TABLE users ADD mail text")]);
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("migration 002 was edited after it was applied on 2"),
        "{}",
        failure.error
    );
    std::fs::remove_file(project.directory.path().join("002_email.up.sql")).unwrap();
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.to_string().contains("its file is missing from"), "{}", failure.error);
    write(project.directory.path(), &[EMAIL, ("003_late.sql", "CREATE TABLE late (id int)")]);
    let failure = project.check(map! {}).await.unwrap_err();
    assert!(
        failure
            .error
            .to_string()
            .starts_with("migration 003 is out of order: the newer 004 is already applied"),
        "{}",
        failure.error
    );
    assert_eq!(project.database.dump(), before);
    let outcome = project.migrate(map! { "out_of_order" => true }).await.unwrap();
    assert_eq!(each(&outcome, "applied", "version"), ["003"]);
    // Repair takes over the edit and forgets the missing one.
    write(project.directory.path(), &[("002_email.up.sql", "ALTER TABLE users ADD email text; -- edited")]);
    std::fs::remove_file(project.directory.path().join("003_late.sql")).unwrap();
    assert!(project.check(map! { "repair" => true }).await.unwrap().changed);
    let outcome = project.migrate(map! { "repair" => true }).await.unwrap();
    assert_eq!(each(&outcome, "repaired", "action"), ["checksum taken over", "forgotten"]);
    assert!(!project.migrate(map! {}).await.unwrap().changed);
}

#[tokio::test]
async fn a_target_leads_up_and_down() {
    let third = [("003_x.up.sql", "CREATE TABLE x ()"), ("003_x.down.sql", "DROP TABLE x")];
    let project = Project::new(&[USERS, EMAIL, EMAIL_DOWN, third[0], third[1]]).await;
    let outcome = project.migrate(map! { "target" => "2" }).await.unwrap();
    assert_eq!(value(&outcome, "version"), "002");
    project.migrate(map! {}).await.unwrap();
    let outcome = project.check(map! { "target" => 1 }).await.unwrap();
    assert_eq!(value(&outcome, "msg"), "would undo 003_x.up.sql, 002_email.up.sql");
    let outcome = project.migrate(map! { "target" => 1 }).await.unwrap();
    assert_eq!(each(&outcome, "reverted", "version"), ["003", "002"]);
    assert_eq!(value(&outcome, "version"), "001");
    assert!(!project.migrate(map! { "target" => 1 }).await.unwrap().changed);
    let failure = project.migrate(map! { "target" => "zero" }).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("001_users.sql has no file that undoes it"),
        "{}",
        failure.error
    );
    assert!(project.migrate(map! { "target" => 9 }).await.is_err());
    assert_eq!(each(&project.migrate(map! {}).await.unwrap(), "applied", "version"), ["002", "003"]);
}

#[tokio::test]
async fn a_baseline_adopts_a_database_in_use_only() {
    let project = Project::new(&[USERS, EMAIL]).await;
    let outcome = project.migrate(map! { "baseline" => "001" }).await.unwrap();
    assert_eq!(each(&outcome, "applied", "version"), ["001", "002"]);
    let project = Project::new(&[USERS, EMAIL]).await;
    project.database.query("CREATE TABLE users (id int)");
    let outcome = project.migrate(map! { "baseline" => "001" }).await.unwrap();
    assert_eq!(each(&outcome, "baselined", "version"), ["001"]);
    assert_eq!(each(&outcome, "applied", "version"), ["002"]);
    assert!(!project.migrate(map! { "baseline" => "001" }).await.unwrap().changed);
}

#[tokio::test]
async fn two_deployments_at_once_apply_each_migration_once() {
    let index = "-- playbook: no-transaction\nCREATE INDEX CONCURRENTLY users_name ON users (name);";
    let slow = "SELECT pg_sleep(0.5); CREATE TABLE slow (id int);";
    let project = Project::new(&[
        USERS,
        ("002_index.sql", index),
        ("003_slow.sql", slow),
        ("004_index.sql", "-- playbook: no-transaction\nCREATE INDEX CONCURRENTLY slow_id ON slow (id);"),
    ])
    .await;
    let start = Instant::now();
    let (a, b, c) =
        tokio::join!(project.migrate(map! {}), project.migrate(map! {}), project.migrate(map! {}));
    let outcomes = [a.unwrap(), b.unwrap(), c.unwrap()];
    assert_eq!(outcomes.iter().map(|o| each(o, "applied", "version").len()).sum::<usize>(), 4);
    assert_eq!(outcomes.iter().filter(|o| o.changed).count(), 1);
    assert_eq!(project.database.query("SELECT count(*) FROM users"), "1");
    assert_eq!(project.database.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    assert!(start.elapsed() < Duration::from_secs(100), "the two waited for each other");
}

#[tokio::test]
async fn waiting_for_the_other_deployment_ends() {
    let project = Project::new(&[("001_slow.sql", "SELECT pg_sleep(600)")]).await;
    let impatient = async {
        project.database.until_asleep().await;
        let second = project.migrate(map! { "wait_timeout" => 1 }).await;
        project.database.end_sleepers();
        second
    };
    let (first, second) = tokio::join!(project.migrate(map! {}), impatient);
    first.unwrap_err();
    let failure = second.unwrap_err();
    assert!(failure.error.to_string().contains("still runs after 1 second (process "), "{}", failure.error);
}

#[tokio::test]
async fn an_interrupt_cancels_the_statement_on_the_server() {
    let project = Project::new(&[("001_slow.sql", "CREATE TABLE t (); SELECT pg_sleep(30)")]).await;
    let context = context();
    let cancel = context.cancel.clone();
    let stop = async {
        project.database.until_asleep().await;
        cancel.set();
    };
    let start = Instant::now();
    let (result, ()) = tokio::join!(task(&context, "db_migrate", project.arguments(map! {})), stop);
    assert!(result.unwrap_err().error.to_string().contains("SQLSTATE 57014"));
    assert!(start.elapsed() < Duration::from_secs(25));
    assert_eq!(project.database.query("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test]
async fn timeouts_and_roles_hold_for_every_migration() {
    let role = format!("owner_{}", std::process::id());
    let project = Project::new(&[
        ("001_a.sql", "SET statement_timeout = 0; CREATE TABLE mine ()"),
        ("002_b.sql", "SELECT pg_sleep(60)"),
    ])
    .await;
    psql(&project.database.url, &format!("CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}"));
    let failure =
        project.migrate(map! { "statement_timeout" => "2s", "role" => role.as_str() }).await.unwrap_err();
    assert!(failure.error.to_string().contains("statement timeout (SQLSTATE 57014)"), "{}", failure.error);
    assert_eq!(project.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 'mine'"), role);
    write(project.directory.path(), &[("002_b.sql", "ALTER TABLE mine ADD x int")]);
    let blocker = std::process::Command::new("psql")
        .args(["-Xqc", "BEGIN; LOCK TABLE mine; SELECT pg_sleep(600)", &project.database.url])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    project.database.until_asleep().await;
    let failure = project.migrate(map! { "lock_timeout" => 200 }).await.unwrap_err();
    assert_eq!(value(&failure.outcome, "sqlstate"), "55P03", "{}", failure.error);
    project.database.end_sleepers();
    let mut blocker = blocker;
    blocker.wait().unwrap();
    let failure = project.migrate(map! { "lock_timeout" => "soon" }).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "lock_timeout 'soon' is not a time");
    psql(&project.database.url, &format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[tokio::test]
async fn bad_input_is_named() {
    let project = Project::new(&[("seed.sql", "SELECT 1")]).await;
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().ends_with("seed.sql: the file name has no version"),
        "{}",
        failure.error
    );
    let project = Project::new(&[USERS, ("1_again.sql", "SELECT 1")]).await;
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("001_users.sql and 1_again.sql have the same version 1"),
        "{}",
        failure.error
    );
    let failure = project.migrate(map! { "path" => "/nowhere" }).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "path: /nowhere does not exist");
    let project = Project::new(&[USERS]).await;
    project.database.query("CREATE TABLE playbook_migrations (id int)");
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.to_string().contains("is not a history of db_migrate"), "{}", failure.error);
}

#[tokio::test]
async fn check_mode_foresees_a_database_that_an_earlier_task_creates() {
    let project = Project::new(&[USERS, EMAIL]).await;
    let gone = map! { "login_db" => "not_there_yet" };
    let outcome = project.check(gone.clone()).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(each(&outcome, "pending", "version"), ["001", "002"]);
    assert_eq!(outcome.warnings, ["the database 'not_there_yet' does not exist yet"]);
    let failure = project.migrate(gone).await.unwrap_err();
    assert!(failure.error.to_string().contains("(SQLSTATE 3D000)"), "{}", failure.error);
}

fn path(project: &Project, file: &str) -> String {
    project.directory.path().join(file).display().to_string()
}

#[tokio::test]
async fn the_way_up_of_two_way_files_runs_and_the_way_down_undoes_it() {
    for (up, down) in [
        ("-- migrate:up", "-- migrate:down"),
        ("-- +goose Up\n-- +goose StatementBegin", "-- +goose StatementEnd\n-- +goose Down"),
        ("-- +migrate Up", "-- +migrate Down"),
        ("-- Up Migration", "-- Down Migration"),
        ("-- rambler up", "-- rambler down"),
        ("", "--//@UNDO"),
        ("# --- !Ups", "# --- !Downs"),
        ("", "---- create above / drop below ----"),
    ] {
        let file = format!("{up}\nCREATE TABLE t (a text);\n\n{down}\nDROP TABLE t;\n");
        let project = Project::new(&[USERS, ("002_t.sql", &file)]).await;
        project.migrate(map! {}).await.unwrap();
        assert_eq!(project.database.query("SELECT to_regclass('t') IS NOT NULL"), "t", "{up}");
        assert!(!project.migrate(map! {}).await.unwrap().changed);
        let outcome = project.migrate(map! { "target" => 1 }).await.unwrap();
        assert_eq!(each(&outcome, "reverted", "version"), ["002"]);
        assert_eq!(project.database.query("SELECT to_regclass('t') IS NULL"), "t", "{down}");
    }
    // A marker that is not known for certain is refused, and nothing is touched.
    let project = Project::new(&[USERS, ("002_t.sql", "CREATE TABLE t ();\n-- down\nDROP TABLE t;")]).await;
    let failure = project.migrate(map! {}).await.unwrap_err();
    let message = format!(
        "{}:2: `down` seems to begin the statements that undo the migration (`-- down`)",
        path(&project, "002_t.sql")
    );
    assert_eq!(failure.error.to_string(), message);
    assert_eq!(project.database.query("SELECT to_regclass('users') IS NULL"), "t");
}

#[tokio::test]
async fn what_tools_say_of_transactions_is_kept() {
    let no_transaction = "-- migrate:up transaction:false\nCREATE TABLE a (id int);\n\
        CREATE INDEX CONCURRENTLY i ON a (id);\n-- migrate:down\nDROP TABLE a;\n";
    let files = [
        ("001_a.sql", no_transaction),
        ("002_alone.sql", "CREATE INDEX CONCURRENTLY j ON a (id);"),
        ("003_own.sql", "BEGIN;\nCREATE TABLE b (id int);\nCOMMIT;\n"),
        ("004_two.sql", "BEGIN; CREATE TABLE c (); COMMIT;\nBEGIN; CREATE TABLE d (); COMMIT;"),
    ];
    let project = Project::new(&files).await;
    assert!(project.check(map! {}).await.unwrap().changed);
    let outcome = project.migrate(map! {}).await.unwrap();
    assert_eq!(each(&outcome, "applied", "version"), ["001", "002", "003", "004"]);
    let all = "SELECT count(*) FROM (VALUES ('a'), ('i'), ('j'), ('b'), ('c'), ('d')) n (name) WHERE \
        to_regclass(name) IS NOT NULL";
    assert_eq!(project.database.query(all), "6");
    // Check mode foresees what cannot work.
    let mixed = "CREATE TABLE e (id int);\nCREATE INDEX CONCURRENTLY k ON e (id);";
    write(project.directory.path(), &[("005_mixed.sql", mixed)]);
    let failure = project.check(map! {}).await.unwrap_err();
    let message = format!(
        "{}:2: CREATE INDEX … cannot run in a transaction, and this file's other statements would be in one",
        path(&project, "005_mixed.sql")
    );
    assert_eq!(failure.error.to_string(), message);
}

#[tokio::test]
async fn what_pg_dump_writes_loads() {
    let from = Database::new().await;
    from.query(
        "CREATE TABLE t (a text, b int); CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN \
        ATOMIC SELECT CASE WHEN a > 0 THEN 1 ELSE 2 END; END; CREATE VIEW \"odd;view\" AS SELECT a FROM t",
    );
    from.query("INSERT INTO t VALUES ('O''Brien', 1), (E'tab\\there; \\\\. \"$$ -- /*', NULL), ('', 3)");
    let plain = std::process::Command::new("pg_dump").arg(&from.url).output().unwrap();
    let dump = String::from_utf8(plain.stdout).unwrap();
    assert!(dump.contains("COPY public.t") && dump.contains("\\restrict"), "{dump}");
    let project =
        Project::new(&[("001_dump.sql", &dump), ("002_more.sql", "CREATE TABLE more (id int)")]).await;
    project.migrate(map! { "schema" => "ops" }).await.unwrap();
    assert_eq!(
        project.database.query("SELECT * FROM t ORDER BY a"),
        from.query("SELECT * FROM t ORDER BY a")
    );
    assert_eq!(project.database.query("SELECT f(1), to_regclass('public.more')"), "1|more");
    for (sql, message) in [
        ("\\connect shop\n", "\\connect is a command of psql, not SQL"),
        ("\\i other.sql\n", "\\i is a command of psql, not SQL"),
        ("\\copy t from 'x'\n", "\\copy is a command of psql, not SQL"),
        ("COPY t TO stdout;", "COPY … TO stdout is not supported"),
    ] {
        write(project.directory.path(), &[("003_x.sql", sql)]);
        let failure = project.migrate(map! { "schema" => "ops" }).await.unwrap_err();
        assert_eq!(failure.error.to_string(), format!("{}:1: {message}", path(&project, "003_x.sql")));
        assert!(failure.error.help().is_some());
    }
    // A wrong row has the COPY's line.
    write(
        project.directory.path(),
        &[("003_x.sql", "SELECT 1;\nCOPY public.t FROM stdin;\nx\tnot a number\n\\.\n")],
    );
    let failure = project.migrate(map! { "schema" => "ops" }).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("003_x.sql:2 failed: invalid input syntax"),
        "{}",
        failure.error
    );
}

#[tokio::test]
async fn strings_follow_the_database_s_own_setting() {
    let project =
        Project::new(&[("001_s.sql", "CREATE TABLE s (a text);\nINSERT INTO s VALUES ('it\\'s; a');")]).await;
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.to_string().contains("is never closed"), "{}", failure.error);
    let off = "SET standard_conforming_strings = off;\nCREATE TABLE s (a text);\nINSERT INTO s VALUES ('it\\'s; a');\n";
    write(project.directory.path(), &[("001_s.sql", off)]);
    project.migrate(map! {}).await.unwrap();
    assert_eq!(project.database.query("SELECT a FROM s"), "it's; a");
    let name = &project.database.name;
    project.database.query(&format!("ALTER DATABASE {name} SET standard_conforming_strings = off"));
    write(project.directory.path(), &[("002_s.sql", "INSERT INTO s VALUES ('a\\\\b;');\n")]);
    project.migrate(map! {}).await.unwrap();
    assert_eq!(project.database.query("SELECT count(*) FROM s WHERE a = chr(97) || chr(92) || 'b;'"), "1");
}

#[tokio::test]
async fn an_interrupt_begins_no_further_migration() {
    let project = Project::new(&[
        ("001_slow.sql", "CREATE TABLE a (); SELECT pg_sleep(4)"),
        ("002_b.sql", "CREATE TABLE b ()"),
        ("003_c.sql", "CREATE TABLE c ()"),
    ])
    .await;
    let context = context();
    let interrupt = context.interrupt.clone();
    let stop = async {
        project.database.until_asleep().await;
        interrupt.set();
    };
    let (result, ()) = tokio::join!(task(&context, "db_migrate", project.arguments(map! {})), stop);
    let failure = result.unwrap_err();
    assert_eq!(failure.error.to_string(), "interrupted: 2 migrations are still to be run");
    assert_eq!(each(&failure.outcome, "applied", "version"), ["001"]);
    assert_eq!(
        project.database.query("SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NULL"),
        "t|t"
    );
    assert_eq!(each(&project.migrate(map! {}).await.unwrap(), "applied", "version"), ["002", "003"]);
}

#[tokio::test]
async fn being_stopped_cancels_the_statement_on_the_server() {
    let project = Project::new(&[("001_slow.sql", "CREATE TABLE a (); SELECT pg_sleep(60)")]).await;
    let context = context();
    let cancel = context.cancel.clone();
    let stop = async {
        project.database.until_asleep().await;
        cancel.set();
        let idle = tokio::task::spawn_blocking(move || cancel.wait_until_idle(Duration::from_secs(50)));
        assert!(idle.await.unwrap());
    };
    let start = Instant::now();
    let (result, ()) = tokio::join!(task(&context, "db_migrate", project.arguments(map! {})), stop);
    assert!(result.unwrap_err().error.to_string().contains("(SQLSTATE 57014)"));
    assert!(start.elapsed() < Duration::from_secs(50));
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = \
        'active' AND pid <> pg_backend_pid() AND datname = current_database()";
    assert_eq!(project.database.query(running), "0");
}

#[tokio::test]
async fn a_lock_that_others_hold_is_told_and_not_waited_for_for_ever() {
    let project = Project::new(&[USERS]).await;
    project.migrate(map! {}).await.unwrap();
    write(project.directory.path(), &[("002_email.sql", "ALTER TABLE users ADD email text")]);
    let mut holder = std::process::Command::new("psql")
        .args([
            "-Xq",
            &project.database.url,
            "-c",
            "SET application_name = 'holder'; BEGIN; LOCK TABLE users; SELECT pg_sleep(30)",
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    project.database.until_asleep().await;
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = told.clone();
    let mut context = context();
    context.progress.0 = Some(std::sync::Arc::new(move |message| sink.lock().unwrap().push(message)));
    let failure =
        task(&context, "db_migrate", project.arguments(map! { "lock_timeout" => "7s" })).await.unwrap_err();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let message =
        told.lock().unwrap().iter().find(|m| m.starts_with("waiting for a lock that process ")).cloned();
    assert!(message.as_ref().is_some_and(|m| m.contains("(holder, ")), "{:?}", told.lock().unwrap());
    assert!(failure.error.to_string().contains("(SQLSTATE 55P03)"), "{}", failure.error);
    assert!(
        failure.error.help().unwrap().contains("(holder, postgres, active for "),
        "{:?}",
        failure.error.help()
    );
    // Nobody said how long: a limit is set all the same, and not over one that the server has.
    let limit = "CREATE TABLE l AS SELECT current_setting('lock_timeout') AS l";
    write(project.directory.path(), &[("002_email.sql", limit)]);
    project.migrate(map! {}).await.unwrap();
    assert_eq!(project.database.query("SELECT l FROM l"), "1min");
    project.database.query(&format!("ALTER DATABASE {} SET lock_timeout = '7min'", project.database.name));
    write(
        project.directory.path(),
        &[("003_l.sql", "INSERT INTO l VALUES (current_setting('lock_timeout'))")],
    );
    project.migrate(map! {}).await.unwrap();
    assert_eq!(project.database.query("SELECT l FROM l ORDER BY 1"), "1min\n7min");
}
