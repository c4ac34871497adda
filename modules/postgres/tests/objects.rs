//! Databases, roles, schemas and extensions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use playbook_api::{Map, map};

fn name(of: &str) -> String {
    format!("{of}_{}", std::process::id())
}

fn admin() -> String {
    format!("{}/postgres", server())
}

async fn run(
    module: &str,
    check_mode: bool,
    more: Map,
) -> Result<playbook_api::Outcome, playbook_api::Failure> {
    let mut arguments = map! { "url" => admin() };
    arguments.extend(more);
    let context = if check_mode { check() } else { context() };
    task(&context, module, arguments).await
}

/// Runs it three times: in check mode, for real, and again, which changes nothing.
async fn thrice(module: &str, list: &str, arguments: Map) -> Vec<String> {
    let foreseen = run(module, true, arguments.clone()).await.unwrap();
    let first = run(module, false, arguments.clone()).await.unwrap();
    let second = run(module, false, arguments).await.unwrap();
    assert!(foreseen.changed && first.changed, "{module} changes: {:?}", first.values);
    assert!(!second.changed, "{module} changed again: {:?}", second.values);
    let lines = |o: &playbook_api::Outcome| {
        o.values
            .get(list)
            .and_then(|l| l.as_list())
            .unwrap()
            .iter()
            .map(|v| v.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&foreseen).len(), lines(&first).len());
    assert!(!foreseen.diff.is_empty());
    lines(&first)
}

#[tokio::test]
async fn databases() {
    let db = name("db");
    let new = map! { "name" => db.as_str(), "encoding" => "UTF-8", "template" => "template0", "lc_collate" => "C", "lc_ctype" => "C", "comment" => "it's" };
    let done = thrice("postgresql_db", "executed_commands", new).await;
    assert!(done[0].starts_with(&format!("CREATE DATABASE \"{db}\" TEMPLATE")), "{done:?}");
    thrice(
        "postgresql_db",
        "executed_commands",
        map! { "db" => db.as_str(), "owner" => "pg_monitor", "conn_limit" => 5 },
    )
    .await;
    let failure = run("postgresql_db", false, map! { "name" => db.as_str(), "encoding" => "LATIN1" })
        .await
        .unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        format!("encoding of the database '{db}' is UTF8 and cannot be changed to LATIN1")
    );
    let renamed = name("renamed");
    thrice(
        "postgresql_db",
        "executed_commands",
        map! { "name" => db.as_str(), "state" => "rename", "target" => renamed.as_str() },
    )
    .await;
    thrice(
        "postgresql_db",
        "executed_commands",
        map! { "name" => renamed.as_str(), "state" => "absent", "force" => true },
    )
    .await;
    let left = format!("SELECT count(*) FROM pg_database WHERE datname IN ('{db}', '{renamed}')");
    assert_eq!(psql(&admin(), &left), "0");
    let failure = run("postgresql_db", false, map! { "name" => "x", "state" => "rename" }).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "state is rename but all of the following are missing: target");
}

#[tokio::test]
async fn a_url_of_a_database_that_is_not_there_creates_it() {
    let db = name("fresh");
    let arguments = map! { "url" => format!("{}/{db}", server()), "name" => db.as_str() };
    assert!(task(&context(), "postgresql_db", arguments).await.unwrap().changed);
    psql(&admin(), &format!("DROP DATABASE {db}"));
}

#[tokio::test]
async fn roles_and_their_passwords() {
    let role = name("role");
    let password = "s3cret ü 'quoted'";
    let new = map! { "name" => role.as_str(), "password" => password, "role_attr_flags" => "CREATEDB,NOSUPERUSER", "conn_limit" => 3, "expires" => "2100-01-01", "comment" => "the app" };
    let done = thrice("community.postgresql.postgresql_user", "queries", new).await;
    assert!(
        done[0].contains("PASSWORD '********' CREATEDB NOSUPERUSER CONNECTION LIMIT 3 VALID UNTIL"),
        "{done:?}"
    );
    assert!(!done.concat().contains("s3cret"));
    assert!(
        psql(&admin(), &format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'"))
            .starts_with("SCRAM-SHA-256$4096:")
    );
    // The server takes it.
    let (_, host) = server().rsplit_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (host, port) = host.split_once(':').unwrap();
    let login = map! { "login_host" => host, "login_port" => port, "login_user" => role.as_str(), "login_password" => password, "login_db" => "postgres", "query" => "SELECT 1" };
    task(&context(), "postgresql_query", login).await.unwrap();
    let done = thrice("postgresql_user", "queries", map! { "name" => role.as_str(), "password" => "another1", "role_attr_flags" => "NOCREATEDB CREATEROLE" }).await;
    assert_eq!(
        done,
        [
            format!("ALTER ROLE \"{role}\" NOCREATEDB CREATEROLE"),
            format!("ALTER ROLE \"{role}\" PASSWORD '********'")
        ]
    );
    // What PostgreSQL stores itself for a plain password is recognized, also as MD5.
    for encryption in ["scram-sha-256", "md5"] {
        psql(
            &admin(),
            &format!("SET password_encryption = '{encryption}'; ALTER ROLE {role} PASSWORD 'byserver'"),
        );
        assert!(
            !run("postgresql_user", false, map! { "name" => role.as_str(), "password" => "byserver" })
                .await
                .unwrap()
                .changed
        );
    }
    assert!(
        !run(
            "postgresql_user",
            false,
            map! { "name" => role.as_str(), "password" => "x", "no_password_changes" => true }
        )
        .await
        .unwrap()
        .changed
    );
    let settings = map! { "search_path" => "app, public", "statement_timeout" => "5s" };
    thrice("postgresql_user", "queries", map! { "name" => role.as_str(), "configuration" => settings }).await;
    thrice("postgresql_user", "queries", map! { "name" => role.as_str(), "configuration" => map! { "statement_timeout" => "5s" }, "reset_unspecified_configuration" => true }).await;
    // A role that may not read the stored passwords, as on a managed service.
    let manager = name("manager");
    psql(
        &admin(),
        &format!(
            "CREATE ROLE {manager} LOGIN CREATEROLE PASSWORD 'manager'; ALTER ROLE {role} PASSWORD \
            'byserver'; GRANT {role} TO {manager} WITH ADMIN OPTION"
        ),
    );
    let as_manager = |password: &str| {
        map! {
            "url" => format!("postgresql://{manager}:manager@{host}:{port}/postgres"), "name" => role.as_str(), "password" => password,
        }
    };
    assert!(!run("postgresql_user", true, as_manager("byserver")).await.unwrap().changed);
    assert!(run("postgresql_user", true, as_manager("different")).await.unwrap().changed);
    psql(&admin(), &format!("DROP ROLE {manager}"));
    let failure =
        run("postgresql_user", false, map! { "name" => role.as_str(), "role_attr_flags" => "NOSUCH" })
            .await
            .unwrap_err();
    assert_eq!(failure.error.to_string(), "role_attr_flags: there is no attribute 'NOSUCH'");
    let database = Database::new().await;
    psql(&admin(), &format!("ALTER DATABASE {} OWNER TO {role}", database.name));
    let failure = run("postgresql_user", false, map! { "name" => role.as_str(), "state" => "absent" })
        .await
        .unwrap_err();
    assert!(failure.error.help().unwrap().contains("REASSIGN OWNED"), "{}", failure.error);
    let outcome = run(
        "postgresql_user",
        false,
        map! { "name" => role.as_str(), "state" => "absent", "fail_on_user" => false },
    )
    .await
    .unwrap();
    assert!(!outcome.changed);
    drop(database);
    thrice("postgresql_user", "queries", map! { "user" => role.as_str(), "state" => "absent" }).await;
}

#[tokio::test]
async fn schemas_and_extensions() {
    let database = Database::new().await;
    let at = |more: Map| {
        let mut arguments = map! { "login_db" => database.name.as_str() };
        arguments.extend(more);
        arguments
    };
    thrice(
        "postgresql_schema",
        "queries",
        at(map! { "name" => "app", "owner" => "pg_monitor", "comment" => "x" }),
    )
    .await;
    thrice("postgresql_schema", "queries", at(map! { "schema" => "app", "owner" => "postgres" })).await;
    database.query("CREATE TABLE app.t ()");
    assert!(
        run("postgresql_schema", false, at(map! { "name" => "app", "state" => "absent" })).await.is_err()
    );
    thrice(
        "postgresql_schema",
        "queries",
        at(map! { "name" => "app", "state" => "absent", "cascade_drop" => true }),
    )
    .await;
    if database.query("SELECT count(*) FROM pg_available_extensions WHERE name = 'plpgsql'") == "1" {
        assert!(
            !run("postgresql_ext", false, at(map! { "name" => "plpgsql", "version" => "latest" }))
                .await
                .unwrap()
                .changed
        );
        thrice("postgresql_ext", "queries", at(map! { "ext" => "plpgsql", "state" => "absent" })).await;
        thrice("postgresql_ext", "queries", at(map! { "ext" => "plpgsql" })).await;
    }
}

#[tokio::test]
async fn privileges() {
    let (database, role) = (Database::new().await, name("reader"));
    psql(&admin(), &format!("CREATE ROLE {role}"));
    database.query(
        "CREATE TABLE a (id serial); CREATE VIEW b AS SELECT * FROM a; CREATE FUNCTION f(int, \
        int) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION f FROM PUBLIC",
    );
    let of = |more: Map| {
        let mut arguments = map! { "login_db" => database.name.as_str(), "roles" => role.as_str() };
        arguments.extend(more);
        arguments
    };
    let done = thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "select,INSERT", "objs" => "ALL_IN_SCHEMA" }),
    )
    .await;
    assert_eq!(done[0], format!("GRANT SELECT, INSERT ON TABLE \"public\".\"a\" TO \"{role}\""));
    assert_eq!(done.len(), 2);
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "ALL", "objs" => "a", "grant_option" => true }),
    )
    .await;
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "SELECT", "objs" => "a", "grant_option" => false }),
    )
    .await;
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "INSERT", "objs" => "a,b", "state" => "absent" }),
    )
    .await;
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "USAGE", "type" => "sequence", "objs" => "ALL_IN_SCHEMA" }),
    )
    .await;
    thrice("postgresql_privs", "queries", of(map! { "privs" => "ALL", "type" => "database" })).await;
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "CREATE,USAGE", "type" => "schema", "objs" => "public" }),
    )
    .await;
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "privs" => "EXECUTE", "type" => "function", "objs" => "f(int:int)" }),
    )
    .await;
    thrice("postgresql_privs", "queries", of(map! { "privs" => "ALL", "type" => "default_privs", "objs" => "TABLES,SEQUENCES", "schema" => "public" })).await;
    thrice("postgresql_privs", "queries", of(map! { "privs" => "SELECT", "type" => "default_privs", "objs" => "TABLES", "schema" => "public", "state" => "absent" })).await;
    thrice("postgresql_privs", "queries", of(map! { "type" => "group", "objs" => "pg_monitor" })).await;
    thrice(
        "postgresql_privs",
        "queries",
        of(map! { "type" => "group", "objs" => "pg_monitor", "state" => "absent" }),
    )
    .await;
    let failure = run(
        "postgresql_privs",
        false,
        of(map! { "privs" => "ALL", "objs" => "a", "roles" => "nobody_here" }),
    )
    .await
    .unwrap_err();
    assert_eq!(failure.error.to_string(), "role 'nobody_here' does not exist");
    database.query(&format!("DROP OWNED BY {role}"));
    psql(&admin(), &format!("DROP ROLE {role}"));
}

#[tokio::test]
async fn two_deployments_set_up_the_same() {
    let (role, db) = (name("shared"), name("shared_db"));
    let user =
        || run("postgresql_user", false, map! { "name" => role.as_str(), "password" => "longpassword" });
    let (a, b, c) = tokio::join!(user(), user(), user());
    assert_eq!([a, b, c].into_iter().filter(|o| o.as_ref().unwrap().changed).count(), 1);
    let database = || {
        run(
            "postgresql_db",
            false,
            map! { "name" => db.as_str(), "owner" => role.as_str(), "template" => "template0" },
        )
    };
    let (a, b, c) = tokio::join!(database(), database(), database());
    assert_eq!([a, b, c].into_iter().filter(|o| o.as_ref().unwrap().changed).count(), 1);
    psql(&admin(), &format!("DROP DATABASE {db}"));
    psql(&admin(), &format!("DROP ROLE {role}"));
}
