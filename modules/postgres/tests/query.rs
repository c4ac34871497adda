//! postgresql_query.

mod common;

use common::*;
use playbook_api::{Map, Value, map};

async fn run(
    database: &Database,
    check_mode: bool,
    more: Map,
) -> Result<playbook_api::Outcome, playbook_api::Failure> {
    let mut arguments = map! { "url" => database.url.as_str() };
    arguments.extend(more);
    let context = if check_mode { check() } else { context() };
    task(&context, "community.postgresql.postgresql_query", arguments).await
}

#[tokio::test]
async fn rows_keep_their_types() {
    let database = Database::new().await;
    let query = "SELECT 1 AS i, 1.5::numeric AS n, true AS b, NULL AS x, '{\"a\": [1]}'::jsonb AS j, \
        ARRAY['p','q'] AS l, '2024-01-31 10:00'::timestamp AS t, 'ü' AS s";
    let outcome = run(&database, false, map! { "query" => query }).await.unwrap();
    assert!(!outcome.changed);
    let row = outcome.values.get("query_result").and_then(Value::as_list).unwrap()[0].clone();
    assert_eq!(
        row.to_string(),
        "{'i': 1, 'n': 1.5, 'b': True, 'x': None, 'j': {'a': [1]}, 'l': ['p', 'q'], 't': \
        '2024-01-31T10:00:00', 's': 'ü'}"
    );
    assert_eq!(value(&outcome, "statusmessage"), "SELECT 1");
    assert_eq!(value(&outcome, "rowcount"), "1");
}

#[tokio::test]
async fn arguments_statements_and_changes() {
    let database = Database::new().await;
    let create = "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y');";
    let outcome = run(&database, false, map! { "query" => create }).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(value(&outcome, "statusmessage"), "INSERT 0 2");
    let insert = map! { "query" => "INSERT INTO t VALUES (%s, %s) RETURNING a", "positional_args" => vec![Value::from(3), "it's".into()] };
    let outcome = run(&database, false, insert).await.unwrap();
    assert_eq!(each(&outcome, "query_result", "a"), ["3"]);
    let update = |name: &str| {
        map! { "query" => "UPDATE t SET a = 9 WHERE b = \
        %(name)s", "named_args" => map! { "name" => name } }
    };
    assert!(run(&database, false, update("it's")).await.unwrap().changed);
    let outcome = run(&database, false, update("nobody")).await.unwrap();
    assert!(!outcome.changed);
    assert_eq!(value(&outcome, "statusmessage"), "UPDATE 0");
    let outcome = run(
        &database,
        false,
        map! { "query" => vec!["SELECT a FROM t", "SELECT b FROM t"], "search_path" => "public" },
    )
    .await
    .unwrap();
    assert_eq!(value(&outcome, "rowcount"), "6");
    assert_eq!(outcome.values.get("query_all_results").and_then(Value::as_list).unwrap().len(), 2);
    run(&database, false, map! { "query" => "VACUUM t", "autocommit" => true }).await.unwrap();
}

#[tokio::test]
async fn one_transaction_for_all_and_check_mode_writes_nothing() {
    let database = Database::new().await;
    let failing = map! { "query" => vec!["CREATE TABLE t ()", "SELECT nosuch"] };
    let failure = run(&database, false, failing).await.unwrap_err();
    assert!(
        failure.error.to_string().contains("column \"nosuch\" does not exist (SQLSTATE 42703)"),
        "{}",
        failure.error
    );
    assert_eq!(database.query("SELECT to_regclass('t') IS NULL"), "t");
    let before = database.dump();
    let outcome = run(&database, true, map! { "query" => "CREATE TABLE t ()" }).await.unwrap();
    assert!(outcome.changed);
    assert!(!run(&database, true, map! { "query" => "SELECT 1" }).await.unwrap().changed);
    assert_eq!(database.dump(), before);
}
