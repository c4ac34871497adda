//! Classifies what a statement would do, by its text, before it is sent.

use super::functions;
use super::scan::{Kind, Scanner};

/// The effect of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// It only reads, as far as the text shows: a user-defined function among these calls may do more.
    Reads { calls: Vec<String> },
    /// It sets parameters of the session, by name. A rollback undoes that. `None` stands for several parameters.
    Sets(Option<String>),
    /// It begins or ends a transaction or a savepoint.
    Transaction,
    /// It reads, and locks the rows until its transaction ends.
    Locks,
    /// It changes something, or may do so.
    Acts,
}

impl Effect {
    /// Returns a statement's effect. `conforming` is the server's `standard_conforming_strings`.
    pub(crate) fn of(statement: &str, conforming: bool) -> Effect {
        significant(statement, conforming).map_or(Effect::Acts, |items| classify(&items))
    }
}

/// A token other than space and comments: its kind, its text (words in lower case), and its depth in parentheses.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) text: String,
    depth: usize,
}

impl Item {
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.contains(&self.text.as_str())
    }
}

/// Returns the statement's tokens, or `None` if a quote or comment is not closed.
pub(super) fn significant(sql: &str, conforming: bool) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut scanner = Scanner::new(sql, conforming);
    let mut depth = 0usize;
    while let Some(token) = scanner.next().ok()? {
        if token.kind == Kind::Close {
            depth = depth.saturating_sub(1);
        }
        let text = token.of(sql);
        let text = match token.kind {
            Kind::Space | Kind::Comment => continue,
            Kind::Word => text.to_lowercase(),
            Kind::Name => text.trim_matches('"').replace("\"\"", "\""),
            _ => text.to_owned(),
        };
        items.push(Item { kind: token.kind, text, depth });
        if token.kind == Kind::Open {
            depth += 1;
        }
    }
    Some(items)
}

fn classify(items: &[Item]) -> Effect {
    let word = |at: usize| {
        items.get(at).filter(|item| item.kind == Kind::Word).map_or("", |item| item.text.as_str())
    };
    let nothing = Effect::Reads { calls: Vec::new() };
    match (items.first().map(|item| item.kind), word(0)) {
        (None, _) => nothing,
        (Some(Kind::Open), _) | (_, "select" | "values" | "table" | "with") => query(items),
        (_, "show" | "fetch" | "move" | "close") => nothing,
        (_, "explain") => explain(&items[1..]),
        // Without HOLD a cursor ends with its transaction, and with it a rollback ends it too.
        (_, "declare") => match items.iter().position(|item| item.depth == 0 && item.is("for")) {
            Some(at) => query(&items[at + 1..]),
            None => Effect::Acts,
        },
        (_, "set" | "reset") => setting(items),
        (_, "begin" | "start" | "end" | "abort" | "savepoint" | "release") => Effect::Transaction,
        (_, "commit" | "rollback") if word(1) == "prepared" => Effect::Acts,
        (_, "commit" | "rollback") => Effect::Transaction,
        _ => Effect::Acts,
    }
}

/// Classifies `EXPLAIN`, which executes nothing, and `EXPLAIN ANALYZE`, which executes its statement.
fn explain(items: &[Item]) -> Effect {
    let nothing = Effect::Reads { calls: Vec::new() };
    let analyze = |item: &Item| item.is_any(&["analyze", "analyse"]);
    if items.first().is_some_and(|item| item.kind == Kind::Open) {
        let end =
            items.iter().position(|item| item.kind == Kind::Close && item.depth == 0).unwrap_or(items.len());
        let options = &items[1..end.max(1)];
        // The last one counts; each is a word with an optional value.
        let value =
            options.iter().rposition(analyze).map(|at| options.get(at + 1).map_or("on", |v| v.text.as_str()));
        let off =
            |value: &str| matches!(value.trim_matches('\'').to_lowercase().as_str(), "off" | "false" | "0");
        return match value {
            // `(ANALYZE), SELECT` has no such options: it is a query in parentheses.
            None if options.first().is_some_and(|o| o.is_any(&["select", "values", "with", "table"])) => {
                nothing
            }
            Some(value) if !off(value) => classify(items.get(end + 1..).unwrap_or_default()),
            _ => nothing,
        };
    }
    let begin = items.iter().position(|item| !analyze(item) && !item.is("verbose")).unwrap_or(items.len());
    match items[..begin].iter().any(analyze) {
        true => classify(&items[begin..]),
        false => nothing,
    }
}

/// Classifies `SET` by what it sets, and whether a rollback undoes it.
fn setting(items: &[Item]) -> Effect {
    let mut rest = &items[1..];
    if rest.len() > 1 && rest[0].is_any(&["session", "local"]) && !rest[1].is_any(&["characteristics"]) {
        if rest[1].is("authorization") {
            return Effect::Sets(Some("session_authorization".into()));
        }
        rest = &rest[1..];
    }
    let first = rest.first().map_or("", |item| item.text.as_str());
    let mut name = first.to_lowercase();
    // A parameter of an extension: `SET app.user = 'x'`.
    for item in rest.iter().skip(1).take_while(|i| i.text == "." || matches!(i.kind, Kind::Word | Kind::Name))
    {
        if item.text == "." || name.ends_with('.') {
            name += &item.text.to_lowercase();
        } else {
            break;
        }
    }
    match first {
        // It could let the transaction write.
        "transaction" | "transaction_read_only" => Effect::Transaction,
        "session" => Effect::Sets(None),
        "all" => Effect::Sets(None),
        "time" => Effect::Sets(Some("timezone".into())),
        "names" => Effect::Sets(Some("client_encoding".into())),
        "schema" => Effect::Sets(Some("search_path".into())),
        "xml" => Effect::Sets(Some("xmloption".into())),
        // Constraints belong to the transaction, but a seed belongs to the session and is not rolled back.
        "constraints" => Effect::Transaction,
        _ => Effect::Sets(Some(name)),
    }
}

/// Classifies a SELECT, VALUES, TABLE or WITH, including its subqueries.
fn query(items: &[Item]) -> Effect {
    let with = items.iter().any(|item| item.is("with"));
    let mut calls = Vec::new();
    let mut locks = false;
    for (at, item) in items.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| items.get(i));
        let after = items.get(at + 1);
        // `a.into` and `AS into` are names.
        let is_name = before.is_some_and(|b| b.text == "." || b.is("as"));
        if item.is("into") && !is_name {
            return Effect::Acts;
        }
        locks |= item.is("for") && after.is_some_and(|a| a.is_any(&["update", "share", "no", "key"]));
        // INSERT needs INTO; the others can occur only in a WITH, after a parenthesis.
        let begins = before.is_some_and(|b| matches!(b.kind, Kind::Open | Kind::Close));
        if with && begins && item.is_any(&["insert", "update", "delete", "merge"]) {
            return Effect::Acts;
        }
        if matches!(item.kind, Kind::Word | Kind::Name) && after.is_some_and(|a| a.kind == Kind::Open) {
            // A name in Unicode escapes could be any.
            let escaped = item.kind == Kind::Name
                && before.is_some_and(|b| b.text == "&")
                && at.checked_sub(2).and_then(|i| items.get(i)).is_some_and(|u| u.is("u"));
            if escaped || functions::acts(&item.text) {
                return Effect::Acts;
            }
            if !calls.contains(&item.text) {
                calls.push(item.text.clone());
            }
        }
    }
    if locks { Effect::Locks } else { Effect::Reads { calls } }
}

/// Returns the statement's verb in upper case; for a WITH, the one after its common table expressions.
pub(crate) fn verb(statement: &str) -> String {
    let items = significant(statement, true).unwrap_or_default();
    let main = ["select", "insert", "update", "delete", "merge", "values", "table"];
    let first = items.iter().find(|item| item.kind == Kind::Word);
    let verb = match first {
        Some(item) if item.is("with") => {
            items.iter().find(|item| item.depth == 0 && item.is_any(&main)).or(first)
        }
        other => other,
    };
    verb.map(|item| item.text.to_uppercase()).unwrap_or_default()
}

/// Returns what a statement leaves in the server's session after its transaction, other than parameters.
pub(crate) fn leaves_behind(statement: &str) -> Option<&'static str> {
    let items = significant(statement, true)?;
    let word = |at: usize| items.get(at).map_or("", |item| item.text.as_str());
    match word(0) {
        "listen" => return Some("LISTEN"),
        "load" => return Some("a loaded library"),
        "prepare" if word(1) != "transaction" => return Some("a prepared statement"),
        "create" if items.iter().take(4).any(|i| i.is_any(&["temp", "temporary"])) => {
            return Some("a temporary table");
        }
        "declare" if items.windows(2).any(|w| w[0].is("with") && w[1].is("hold")) => return Some("a cursor"),
        _ => {}
    }
    let locks = |item: &Item| {
        matches!(item.kind, Kind::Word | Kind::Name)
            && item.text.contains("advisory_lock")
            && item.text.starts_with("pg_")
    };
    items.iter().any(locks).then_some("an advisory lock")
}

/// Returns the parameter that a statement may leave set; an inner `None` stands for any.
pub(crate) fn leaves_set(statement: &str, conforming: bool) -> Option<Option<String>> {
    match Effect::of(statement, conforming) {
        Effect::Sets(name) => Some(name),
        Effect::Acts if statement.to_ascii_lowercase().contains("set_config") => Some(None),
        _ => None,
    }
}

/// Returns whether a statement writes rows to the client, which is not supported.
pub(crate) fn copies_to_client(statement: &str) -> bool {
    let Some(items) = significant(statement, true) else { return false };
    let top: Vec<&Item> = items.iter().filter(|item| item.depth == 0).collect();
    top.first().is_some_and(|item| item.is("copy"))
        && top.windows(2).any(|w| w[0].is("to") && w[1].is("stdout"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(sql: &str) -> bool {
        matches!(Effect::of(sql, true), Effect::Reads { .. })
    }

    #[test]
    fn readings() {
        for sql in [
            "",
            "SELECT 1",
            "/* UPDATE */ select -- INSERT\n 'delete from t; nextval(1)', \"insert\", $$ DROP $$",
            "(SELECT 1) UNION (VALUES (2))",
            "TABLE t",
            "WITH a AS (SELECT 1), b AS MATERIALIZED (VALUES (2)) SELECT * FROM a, b",
            "SELECT a.update, a.into, x AS into FROM a",
            "SELECT substring('abc' FOR 2), count(*) FILTER (WHERE true)",
            "SELECT nextval FROM t",
            "SHOW search_path",
            "EXPLAIN DELETE FROM t",
            "EXPLAIN (VERBOSE, ANALYZE off) DELETE FROM t",
            "EXPLAIN VERBOSE SELECT nextval('s')",
            "EXPLAIN ANALYZE SELECT 1",
            "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
            "DECLARE c CURSOR FOR SELECT 1",
            "FETCH ALL FROM c",
        ] {
            assert!(reads(sql), "{sql}: {:?}", Effect::of(sql, true));
        }
    }

    #[test]
    fn what_is_not_a_reading() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "/* SELECT */ ALTER SYSTEM SET work_mem = '8MB'",
            "-- SELECT\nVACUUM FULL t",
            "CLUSTER t",
            "REINDEX TABLE t",
            "CHECKPOINT",
            "NOTIFY a",
            "LISTEN a",
            "UNLISTEN *",
            "LOCK TABLE t",
            "LOAD 'x'",
            "COPY t TO '/tmp/x'",
            "COPY t TO PROGRAM 'sh'",
            "COPY (SELECT 1) TO STDOUT",
            "DO $$ BEGIN END $$",
            "CALL p()",
            "PREPARE TRANSACTION 'x'",
            "COMMIT PREPARED 'x'",
            "ROLLBACK PREPARED 'x'",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "DISCARD ALL",
            "ANALYZE t",
            "REFRESH MATERIALIZED VIEW v",
            "TRUNCATE t",
            "IMPORT FOREIGN SCHEMA s FROM SERVER f INTO p",
            "SECURITY LABEL ON TABLE t IS 'x'",
            "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a",
            "WITH a AS (SELECT 1), b AS NOT MATERIALIZED (delete from t returning 1) SELECT * FROM b",
            "WITH a AS (SELECT 1) UPDATE t SET x = 1",
            "WITH a AS (SELECT 1) MERGE INTO t USING a ON true WHEN MATCHED THEN DELETE",
            "SELECT * INTO t2 FROM t",
            "SELECT nextval('s') FROM t FOR UPDATE",
            "SELECT nextval('s')",
            "SELECT pg_catalog . setval /* x */ ('s', 1)",
            "SELECT \"pg_notify\"('a', 'b')",
            "SELECT U&\"pg\\005fnotify\"('a', 'b')",
            "SELECT PG_ADVISORY_LOCK(1)",
            "SELECT * FROM pg_create_physical_replication_slot('x')",
            "SELECT lo_import('/etc/passwd')",
            "SELECT set_config('a.b', 'c', false)",
            "VALUES (dblink_exec('x', 'y'))",
            "EXPLAIN ANALYZE DELETE FROM t",
            "EXPLAIN (COSTS, ANALYZE true, BUFFERS) INSERT INTO t VALUES (1)",
            "EXPLAIN ANALYSE VERBOSE SELECT pg_notify('a', '')",
            "EXPLAIN (ANALYZE) EXECUTE p",
            "DECLARE c CURSOR WITH HOLD FOR SELECT nextval('s')",
            "SELECT query_to_xml('DELETE FROM t', true, true, '')",
        ] {
            assert_eq!(Effect::of(sql, true), Effect::Acts, "{sql}");
        }
    }

    #[test]
    fn settings_and_transactions() {
        let sets = |name: &str| Effect::Sets(Some(name.to_owned()));
        assert_eq!(Effect::of("SET lock_timeout = '5s'", true), sets("lock_timeout"));
        assert_eq!(Effect::of("set session Search_Path to x", true), sets("search_path"));
        assert_eq!(Effect::of("SET LOCAL ROLE x", true), sets("role"));
        assert_eq!(Effect::of("SET SESSION AUTHORIZATION x", true), sets("session_authorization"));
        assert_eq!(Effect::of("SET TIME ZONE 'UTC'", true), sets("timezone"));
        assert_eq!(Effect::of("SET app.user_id = '7'", true), sets("app.user_id"));
        assert_eq!(
            Effect::of("SET default_transaction_read_only = on", true),
            sets("default_transaction_read_only")
        );
        assert_eq!(Effect::of("RESET ALL", true), Effect::Sets(None));
        assert_eq!(
            Effect::of("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", true),
            Effect::Sets(None)
        );
        for sql in [
            "BEGIN",
            "COMMIT",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "SET TRANSACTION READ WRITE",
            "SET LOCAL transaction_read_only = off",
        ] {
            assert_eq!(Effect::of(sql, true), Effect::Transaction, "{sql}");
        }
    }

    #[test]
    fn readings_that_lock() {
        for sql in [
            "SELECT * FROM t FOR UPDATE",
            "SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED",
            "SELECT * FROM (SELECT * FROM t FOR SHARE) x",
        ] {
            assert_eq!(Effect::of(sql, true), Effect::Locks, "{sql}");
        }
    }

    #[test]
    fn what_stays_in_the_session() {
        assert_eq!(leaves_behind("PREPARE a AS SELECT 1"), Some("a prepared statement"));
        assert_eq!(leaves_behind("CREATE LOCAL TEMP TABLE t ()"), Some("a temporary table"));
        assert_eq!(leaves_behind("SELECT pg_catalog.pg_try_advisory_lock(1)"), Some("an advisory lock"));
        assert_eq!(leaves_behind("SELECT pg_advisory_xact_lock(1)"), None);
        assert_eq!(leaves_set("set lock_timeout = 1", true), Some(Some("lock_timeout".into())));
        assert_eq!(leaves_set("SELECT pg_catalog.set_config('a', 'b', false)", true), Some(None));
        assert_eq!(leaves_set("SELECT 1", true), None);
        assert!(copies_to_client("COPY (SELECT 1) TO STDOUT"));
        assert!(!copies_to_client("COPY t TO 'stdout'"));
        assert_eq!(verb("WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a"), "SELECT");
        assert_eq!(verb("with a AS (SELECT 1) /* x */ update t set b = 1"), "UPDATE");
    }
}
