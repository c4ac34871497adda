//! The bodies of user-defined functions: what they call, and whether they may change something.

use super::effect::significant;
use super::functions;
use super::scan::Kind;

/// Returns the functions that a routine's body calls, or `None` if the body does what a query cannot: writes, executes
/// a string as SQL, or calls a function that acts.
pub(crate) fn calls_of_body(body: &str) -> Option<Vec<String>> {
    let items = significant(body, true)?;
    let mut calls = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let begins = at == 0
            || items.get(at - 1).is_some_and(|b| {
                b.kind == Kind::Semicolon || b.is_any(&["begin", "then", "else", "loop", "atomic"])
            });
        if begins
            && item.is_any(&[
                "alter",
                "analyze",
                "call",
                "checkpoint",
                "cluster",
                "comment",
                "copy",
                "create",
                "delete",
                "do",
                "drop",
                "execute",
                "grant",
                "insert",
                "listen",
                "load",
                "lock",
                "merge",
                "notify",
                "reindex",
                "revoke",
                "truncate",
                "unlisten",
                "update",
                "vacuum",
            ])
        {
            return None;
        }
        // `FOR r IN EXECUTE`, `RETURN QUERY EXECUTE`, `OPEN c FOR EXECUTE`
        if item.is("execute") {
            return None;
        }
        if matches!(item.kind, Kind::Word | Kind::Name)
            && items.get(at + 1).is_some_and(|a| a.kind == Kind::Open)
        {
            if functions::acts(&item.text) {
                return None;
            }
            calls.push(item.text.clone());
        }
    }
    Some(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_routines() {
        assert_eq!(calls_of_body("BEGIN RETURN f(1); END"), Some(vec!["f".to_owned()]));
        for body in [
            "BEGIN PERFORM pg_notify('a', 'b'); END",
            "BEGIN EXECUTE 'x'; END",
            "INSERT INTO t VALUES (1)",
            "BEGIN IF a THEN NOTIFY x; END IF; END",
        ] {
            assert_eq!(calls_of_body(body), None, "{body}");
        }
    }
}
