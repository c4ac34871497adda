//! What check mode may send of a task's statements: readings, and nothing else.

use std::collections::BTreeSet;

use playbook_api::Error;

use crate::session::{Session, literal};
use crate::sql::effect::Effect;
use crate::sql::functions::COMPUTING_EXTENSIONS;
use crate::sql::routine;
use crate::sql::statement::Statement;

/// What to do with a statement in a session that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It can be sent: it reads, or it sets parameters, which the rollback undoes.
    Send,
    /// It must not be sent, and would change nothing: it ends a transaction, or locks the rows that it reads.
    Skip,
    /// It must not be sent: it would change something, or might.
    Foresee,
}

/// Judges a statement, and asks the server about functions that are not its own.
pub(crate) async fn judge(session: &Session, statement: &Statement<'_>) -> Result<Verdict, Error> {
    Ok(match Effect::of(statement.text, session.conforming_strings) {
        Effect::Acts => Verdict::Foresee,
        Effect::Transaction | Effect::Locks => Verdict::Skip,
        Effect::Sets(_) => Verdict::Send,
        Effect::Reads { calls } => match only_read(session, calls).await? {
            true => Verdict::Send,
            false => Verdict::Foresee,
        },
    })
}

/// Returns whether functions only read. Those of PostgreSQL itself are known by name. A transaction that is READ ONLY
/// and rolled back keeps the others from writing, but not from what lies outside of the database's tables: so the
/// bodies in SQL and PL/pgSQL are read, with what they call in turn, and other languages have to be declared STABLE.
async fn only_read(session: &Session, calls: Vec<String>) -> Result<bool, Error> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = calls;
    while !open.is_empty() {
        open.retain(|name| seen.insert(name.clone()));
        if open.is_empty() {
            break;
        }
        let names: Vec<String> = open.iter().map(|name| literal(name)).collect();
        let extensions: Vec<String> = COMPUTING_EXTENSIONS.iter().map(|name| literal(name)).collect();
        let sql = format!(
            "SELECT l.lanname, p.provolatile = 'v', coalesce(e.extname IN ({}), false),
                    CASE WHEN p.prosrc <> '' OR p.prokind NOT IN ('f', 'w') THEN p.prosrc
                    ELSE pg_catalog.regexp_replace(pg_catalog.pg_get_functiondef(p.oid), '^.*?\\m(BEGIN \
                    ATOMIC|RETURN)\\M', '') END
             FROM pg_catalog.pg_proc p
             JOIN pg_catalog.pg_language l ON l.oid = p.prolang
             JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
             LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass \
             AND d.objid = p.oid AND d.deptype = 'e'
             LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
             WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.proname IN ({})",
            extensions.join(", "),
            names.join(", ")
        );
        open.clear();
        for row in session.rows(&sql).await? {
            let column = |i: usize| row.get(i).and_then(Option::as_deref).unwrap_or_default();
            let (language, volatile, computes) = (column(0), column(1) == "t", column(2) == "t");
            match language {
                _ if computes => {}
                "sql" | "plpgsql" => match routine::calls_of_body(column(3)) {
                    Some(calls) => open.extend(calls),
                    None => return Ok(false),
                },
                _ if volatile => return Ok(false),
                _ => {}
            }
        }
    }
    Ok(true)
}
