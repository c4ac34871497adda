//! Check mode touches nothing, whatever the statement.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::*;
use playbook_api::{Outcome, map};

async fn query(database: &Database, sql: &str, autocommit: bool) -> Outcome {
    let arguments = map! { "url" => database.url.as_str(), "query" => sql, "autocommit" => autocommit };
    task(&check(), "postgresql_query", arguments).await.unwrap_or_else(|f| panic!("{sql}: {}", shown(&f)))
}

/// What a statement could leave behind in the cluster, beside what is in the database.
fn traces(database: &Database) -> String {
    let cluster = [
        "SELECT pg_read_file('postgresql.auto.conf')",
        "SELECT slot_name FROM pg_replication_slots ORDER BY 1",
        "SELECT rolname FROM pg_roles ORDER BY 1",
        "SELECT datname FROM pg_database WHERE datname = 'check_mode_made_it'",
        "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE \
        datname = current_database()",
        "SELECT coalesce(pg_stat_file('/tmp/playbook-check-mode', true)::text, 'none')",
        "SELECT last_value, is_called FROM s",
        "SELECT relfilenode FROM pg_class WHERE relname = 't'",
        "SELECT count(*) FROM pg_largeobject_metadata",
    ];
    cluster.map(|sql| database.query(sql)).join("\n") + &database.dump()
}

#[tokio::test]
async fn statements_that_do_not_only_read_are_not_sent() {
    let database = Database::new().await;
    database.query("CREATE TABLE t (a int PRIMARY KEY); CREATE SEQUENCE s; CREATE TABLE log (a int)");
    database.query(
        "CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (1); RETURN 1; END';
         CREATE FUNCTION hides() RETURNS int LANGUAGE sql AS 'SELECT writes()';
         CREATE FUNCTION locks() RETURNS text LANGUAGE sql AS 'SELECT pg_advisory_lock(7)::text';
         CREATE FUNCTION nested() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN locks(); END';
         CREATE FUNCTION atomic() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT pg_advisory_lock(8)::text; END;
         CREATE PROCEDURE p() LANGUAGE sql AS 'INSERT INTO log VALUES (2)'",
    );
    let before = traces(&database);
    for (sql, autocommit) in [
        ("ALTER SYSTEM SET work_mem = '9MB'", true),
        ("/* SELECT */ VACUUM FULL t", true),
        ("CLUSTER t USING t_pkey", false),
        ("REINDEX TABLE t", false),
        ("CHECKPOINT", false),
        ("NOTIFY a", false),
        ("LISTEN a", false),
        ("LOCK TABLE t", false),
        ("LOAD 'auto_explain'", false),
        ("COPY (SELECT 1) TO '/tmp/playbook-check-mode'", false),
        ("COPY (SELECT 1) TO PROGRAM 'cat > /tmp/playbook-check-mode'", false),
        ("COPY t FROM PROGRAM 'touch /tmp/playbook-check-mode'", false),
        ("COPY t FROM stdin;\n1\n\\.\n", false),
        ("SELECT pg_create_physical_replication_slot('check_mode')", false),
        ("SELECT * FROM pg_create_logical_replication_slot('check_mode', 'pgoutput')", false),
        ("SELECT nextval('s')", false),
        ("SELECT pg_catalog.setval('s', 50)", false),
        ("SELECT \"nextval\"('s')", false),
        ("SELECT lo_import('/etc/hostname')", false),
        ("SELECT lo_export(1, '/tmp/playbook-check-mode')", false),
        ("SELECT pg_advisory_lock(1)", false),
        ("SELECT pg_reload_conf()", false),
        ("SELECT pg_switch_wal()", false),
        ("SELECT pg_terminate_backend(0)", false),
        ("SELECT set_config('work_mem', '9MB', false)", false),
        ("DO $$ BEGIN INSERT INTO log VALUES (3); END $$", false),
        ("CALL p()", false),
        ("SELECT writes()", false),
        ("SELECT hides()", false),
        ("SELECT locks()", false),
        ("SELECT nested()", false),
        ("SELECT atomic()", false),
        ("EXPLAIN ANALYZE INSERT INTO log VALUES (4)", false),
        ("EXPLAIN (ANALYZE) SELECT nextval('s')", false),
        ("WITH x AS (INSERT INTO log VALUES (5) RETURNING a) SELECT * FROM x", false),
        ("SELECT a INTO t2 FROM t", false),
        ("CREATE DATABASE check_mode_made_it", true),
        ("CREATE TEMP TABLE x ()", false),
        ("PREPARE TRANSACTION 'x'", false),
        ("PREPARE x AS SELECT 1", false),
        ("COMMIT; INSERT INTO log VALUES (6)", false),
        ("ROLLBACK; BEGIN READ WRITE; INSERT INTO log VALUES (7); COMMIT", false),
        ("SET TRANSACTION READ WRITE; INSERT INTO log VALUES (8)", false),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; INSERT INTO log VALUES (8)", false),
        ("GRANT ALL ON t TO public", false),
    ] {
        let outcome = query(&database, sql, autocommit).await;
        assert!(outcome.changed, "{sql}");
        let message = value(&outcome, "msg");
        assert!(message.starts_with("would run: "), "{sql}: {message}");
    }
    assert_eq!(
        value(&query(&database, "VACUUM FULL t; SELECT 1; REINDEX TABLE t", true).await, "msg"),
        "would run: VACUUM FULL t; REINDEX TABLE t"
    );
    assert_eq!(traces(&database), before);
}

#[tokio::test]
async fn readings_are_sent_and_answer() {
    let database = Database::new().await;
    database.query(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);
         CREATE FUNCTION twice(a int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * a; END';
         CREATE TYPE mood AS ENUM ('sad')",
    );
    for (sql, result) in [
        ("SELECT count(*) AS n FROM t", "[{'n': 2}]"),
        ("WITH x AS (SELECT max(a) AS m FROM t) SELECT m FROM x", "[{'m': 2}]"),
        ("SET search_path = pg_catalog; SELECT current_setting('search_path') AS p", "[{'p': 'pg_catalog'}]"),
        ("SELECT twice(4) AS n", "[{'n': 8}]"),
        ("SELECT 'sad'::mood AS m", "[{'m': 'sad'}]"),
        (
            "SELECT transaction_read_only AS r FROM current_setting('transaction_read_only') transaction_read_only",
            "[{'r': 'on'}]",
        ),
        ("BEGIN; SELECT 1 AS one", "[{'one': 1}]"),
        ("VALUES (3)", "[{'column1': 3}]"),
    ] {
        let outcome = query(&database, sql, false).await;
        assert!(!outcome.changed, "{sql}");
        assert_eq!(value(&outcome, "query_result"), result, "{sql}");
    }
    // Rows that would be locked are not, and nothing would change.
    assert!(!query(&database, "SELECT * FROM t FOR UPDATE", false).await.changed);
}

#[tokio::test]
async fn what_check_mode_calls_changed_is_what_the_run_changes() {
    let database = Database::new().await;
    database.query("CREATE TABLE t (a int PRIMARY KEY); CREATE SEQUENCE s");
    for (sql, autocommit) in [
        ("SELECT 1", false),
        ("SHOW work_mem", false),
        ("SET work_mem = '8MB'", false),
        ("SELECT * FROM t FOR UPDATE", false),
        ("EXPLAIN SELECT 1", false),
        ("BEGIN", false),
        ("VACUUM t", true),
        ("CHECKPOINT", false),
        ("NOTIFY a", false),
        ("LOCK TABLE t", false),
        ("SELECT nextval('s')", false),
        ("SELECT pg_notify('a', 'b')", false),
        ("EXPLAIN ANALYZE INSERT INTO t VALUES (1)", false),
        ("WITH x AS (INSERT INTO t VALUES (2) RETURNING a) SELECT a FROM x", false),
        ("INSERT INTO t VALUES (3)", false),
        ("ANALYZE t", false),
        ("SELECT a INTO t2 FROM t", false),
        ("COPY t FROM stdin;\n9\n\\.\n", false),
    ] {
        let foreseen = query(&database, sql, autocommit).await.changed;
        let arguments = map! { "url" => database.url.as_str(), "query" => sql, "autocommit" => autocommit };
        let done = task(&context(), "postgresql_query", arguments)
            .await
            .unwrap_or_else(|f| panic!("{sql}: {}", shown(&f)));
        assert_eq!(done.changed, foreseen, "{sql}");
    }
    assert_eq!(database.query("SELECT count(*) FROM t WHERE a = 9"), "1");
}
