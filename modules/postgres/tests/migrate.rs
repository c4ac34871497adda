//! db_migrate with files of SQL, against a real server.

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
    folder: TempDir,
    database: Database,
}

impl Project {
    async fn new(files: &[(&str, &str)]) -> Project {
        let folder = TempDir::new().unwrap();
        write(folder.path(), files);
        Project { folder, database: Database::new().await }
    }

    fn arguments(&self, more: Map) -> Map {
        let mut arguments = map! {
            "path" => self.folder.path().display().to_string(),
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
    write(project.folder.path(), &[("V3__phone.sql", "ALTER TABLE users ADD phone text")]);
    let third =
        project.migrate(map! { "table" => "playbook_migrations", "schema" => "public" }).await.unwrap();
    assert_eq!(each(&third, "applied", "name"), ["phone"]);
    let rows = "SELECT version, name, success, length(checksum), duration_ms IS NOT NULL FROM playbook_migrations ORDER BY 1";
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
        project.folder.path(),
        &[(
            "002_broken.sql",
            "CREATE TABLE half (id int PRIMARY KEY); INSERT INTO half VALUES (1);\nINSERT INTO half VALUES (1);",
        )],
    );
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.to_string().contains(":2 failed: duplicate key"), "{}", failure.error);
    assert!(value(&failure.outcome, "detail").contains("already exists"));
    write(project.folder.path(), &[("002_broken.sql", "CREATE TABLE half (id int)")]);
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
    write(project.folder.path(), &[("002_index.sql", fixed)]);
    let outcome = project.migrate(map! { "repair" => true }).await.unwrap();
    assert_eq!(each(&outcome, "repaired", "action"), ["forgotten"]);
    assert_eq!(each(&outcome, "applied", "version"), ["002"]);
    assert!(!project.migrate(map! { "repair" => true }).await.unwrap().changed);
    // The server says what is missing when the directive is.
    write(project.folder.path(), &[("003_index.sql", "CREATE INDEX CONCURRENTLY j ON users (id)")]);
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.help().unwrap().contains("-- playbook: no-transaction"));
    // The first statement of all changes nothing when it fails: no repair is asked for.
    write(project.folder.path(), &[("003_index.sql", "-- playbook: no-transaction\nVACUUM nosuch;")]);
    project.migrate(map! {}).await.unwrap_err();
    write(project.folder.path(), &[("003_index.sql", "-- playbook: no-transaction\nVACUUM users; BEGIN;")]);
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("begins a transaction and does not end it"),
        "{}",
        failure.error
    );
    write(project.folder.path(), &[("003_index.sql", "-- playbook: no-transaction\nVACUUM users;")]);
    project.migrate(map! { "repair" => true }).await.unwrap();
}

#[tokio::test]
async fn edited_missing_and_late_migrations_are_refused() {
    let project = Project::new(&[USERS, EMAIL, ("004_last.sql", "SELECT 1")]).await;
    project.migrate(map! {}).await.unwrap();
    let before = project.database.dump();
    write(project.folder.path(), &[("002_email.up.sql", "ALTER TABLE users ADD mail text")]);
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("migration 002 was edited after it was applied on 2"),
        "{}",
        failure.error
    );
    std::fs::remove_file(project.folder.path().join("002_email.up.sql")).unwrap();
    let failure = project.migrate(map! {}).await.unwrap_err();
    assert!(failure.error.to_string().contains("its file is missing from"), "{}", failure.error);
    write(project.folder.path(), &[EMAIL, ("003_late.sql", "CREATE TABLE late (id int)")]);
    let failure = project.check(map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("migration 003 is out of order: 004 is applied already"),
        "{}",
        failure.error
    );
    assert_eq!(project.database.dump(), before);
    let outcome = project.migrate(map! { "out_of_order" => true }).await.unwrap();
    assert_eq!(each(&outcome, "applied", "version"), ["003"]);
    // Repair takes over the edit and forgets the missing one.
    write(project.folder.path(), &[("002_email.up.sql", "ALTER TABLE users ADD email text; -- edited")]);
    std::fs::remove_file(project.folder.path().join("003_late.sql")).unwrap();
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
    assert!(start.elapsed() < Duration::from_secs(20), "the two waited for each other");
}

#[tokio::test]
async fn waiting_for_the_other_deployment_ends() {
    let project = Project::new(&[("001_slow.sql", "SELECT pg_sleep(4)")]).await;
    let impatient = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        project.migrate(map! { "wait_timeout" => 1 }).await
    };
    let (first, second) = tokio::join!(project.migrate(map! {}), impatient);
    first.unwrap();
    let failure = second.unwrap_err();
    assert!(failure.error.to_string().contains("still runs after 1 seconds (process "), "{}", failure.error);
}

#[tokio::test]
async fn an_interrupt_cancels_the_statement_on_the_server() {
    let project = Project::new(&[("001_slow.sql", "CREATE TABLE t (); SELECT pg_sleep(30)")]).await;
    let context = context();
    let cancel = context.cancel.clone();
    let stop = async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        cancel.set();
    };
    let start = Instant::now();
    let (result, ()) = tokio::join!(task(&context, "db_migrate", project.arguments(map! {})), stop);
    assert!(result.unwrap_err().error.to_string().contains("SQLSTATE 57014"));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(project.database.query("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test]
async fn timeouts_and_roles_hold_for_every_migration() {
    let role = format!("owner_{}", std::process::id());
    let project = Project::new(&[
        ("001_a.sql", "SET statement_timeout = 0; CREATE TABLE mine ()"),
        ("002_b.sql", "SELECT pg_sleep(5)"),
    ])
    .await;
    psql(&project.database.url, &format!("CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}"));
    let failure =
        project.migrate(map! { "statement_timeout" => "300ms", "role" => role.as_str() }).await.unwrap_err();
    assert!(failure.error.to_string().contains("statement timeout (SQLSTATE 57014)"), "{}", failure.error);
    assert_eq!(project.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 'mine'"), role);
    write(project.folder.path(), &[("002_b.sql", "ALTER TABLE mine ADD x int")]);
    let blocker = std::process::Command::new("psql")
        .args(["-Xqc", "BEGIN; LOCK TABLE mine; SELECT pg_sleep(3)", &project.database.url])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let failure = project.migrate(map! { "lock_timeout" => 200 }).await.unwrap_err();
    assert_eq!(value(&failure.outcome, "sqlstate"), "55P03", "{}", failure.error);
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
