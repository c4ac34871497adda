//! `postgresql_query`: statements of the task's own.

use std::time::Instant;

use playbook_api::{
    Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Map, Outcome, Value, map,
};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::login::{Login, Target};
use crate::placeholders::{Fill, fill};
use crate::session::{Session, ident, not_there_yet, row};
use crate::statement::{self, Statement};
use crate::{cell, fault};

/// Runs SQL statements and returns their rows.
///
/// Several statements, in a list or in one text, run in one transaction unless `autocommit` is set.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["positional_args", "named_args"]]))]
pub struct PostgresqlQuery {
    /// The statement, or a list of them. Values are filled in for `%s` and `%(name)s`.
    #[schemars(extend("format" = "raw"))]
    query: serde_json::Value,
    /// Values for `%s`, in their order.
    #[schemars(extend("type" = "array", "items" = { "format": "raw" }))]
    positional_args: Option<Vec<serde_json::Value>>,
    /// Values for `%(name)s`.
    named_args: Option<serde_json::Map<String, serde_json::Value>>,
    /// Commit every statement by itself, for those that cannot run in a transaction (VACUUM).
    #[serde(default)]
    autocommit: bool,
    /// Schemas to look in for unqualified names.
    search_path: Option<Vec<String>>,
    /// Client encoding; values arrive as UTF-8 in any case.
    #[expect(dead_code, reason = "playbooks give it, nothing hangs on it")]
    encoding: Option<String>,
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlQuery {
    const DOC: Doc = Doc {
        name: "postgresql_query",
        collection: "community.postgresql",
        short: "Run PostgreSQL queries",
        check_mode: "Queries run, in a session that cannot write; a statement that would write is reported as a change.",
        returns: &[
            ("query", "str", "The last query"),
            ("statusmessage", "str", "What the server said of the last query: SELECT 3"),
            ("rowcount", "int", "Rows of all queries together"),
            ("query_result", "list", "The rows of the last query, as dicts"),
            ("query_list", "list", "All queries"),
            ("query_all_results", "list", "The rows of all queries"),
            ("execution_time_ms", "list", "How long each took"),
        ],
        examples: "\
- name: Find the newest users
  community.postgresql.postgresql_query:
    login_db: shop
    query: SELECT * FROM users WHERE created > %(since)s
    named_args:
      since: 2024-01-01
  register: users
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let queries = self.queries()?;
        let target = Target::resolve(&self.login, "", context).await?;
        let Some(session) = Session::open_or_foresee(&target, context).await? else {
            let mut outcome = not_there_yet(&target);
            outcome.values.extend(report(&queries, Vec::new()).values);
            return Ok(outcome);
        };
        if let Some(path) = &self.search_path {
            let path: Vec<String> = path.iter().map(|schema| ident(schema)).collect();
            session.run(&format!("SET search_path TO {}", path.join(", "))).await?;
        }
        let mut answers = Vec::new();
        if !self.autocommit {
            session.run("BEGIN").await?;
        }
        for query in &queries {
            for statement in statement::split(query)? {
                match ask(&session, &statement).await {
                    Ok(answer) => answers.push(answer),
                    Err(error)
                        if context.check && error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) =>
                    {
                        let mut outcome = report(&queries, answers);
                        outcome.changed = true;
                        return Ok(
                            outcome.msg(format!("would run: {}", context.redactor.text(statement.text)))
                        );
                    }
                    Err(error) => {
                        let what = format!("cannot execute SQL '{}'", context.redactor.text(statement.text));
                        return Err(fault::failure(&what, &error));
                    }
                }
            }
        }
        if !self.autocommit {
            session.execute("COMMIT").await.map_err(|e| fault::failure("cannot commit", &e))?;
        }
        let mut outcome = report(&queries, answers);
        outcome.warnings = session.warnings();
        Ok(outcome)
    }
}

impl PostgresqlQuery {
    fn queries(&self) -> Result<Vec<String>, Error> {
        let wrong = || Error::new("query is neither a text nor a list of texts");
        let texts: Vec<&str> = match &self.query {
            serde_json::Value::String(text) => vec![text],
            serde_json::Value::Array(items) => {
                items.iter().map(|q| q.as_str().ok_or_else(wrong)).collect::<Result<_, _>>()?
            }
            _ => return Err(wrong()),
        };
        let positional: Option<Vec<Value>> =
            self.positional_args.as_ref().map(|args| args.iter().cloned().map(Value::from_json).collect());
        let named: Option<Map> = self
            .named_args
            .as_ref()
            .map(|args| args.iter().map(|(n, v)| (Value::from(n), Value::from_json(v.clone()))).collect());
        let with = match (&positional, &named) {
            (Some(values), _) => Fill::Positional(values),
            (_, Some(values)) => Fill::Named(values),
            _ => Fill::None,
        };
        texts.into_iter().map(|text| fill(text, &with)).collect()
    }
}

/// What one statement answered.
struct Answer {
    rows: Vec<Value>,
    status: String,
    count: u64,
    changed: bool,
    milliseconds: f64,
}

async fn ask(session: &Session, statement: &Statement<'_>) -> Result<Answer, tokio_postgres::Error> {
    let start = Instant::now();
    let words = statement.words(3);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Only these have rows; the types of their columns come with the preparation.
    let has_rows = matches!(
        words.first(),
        Some(&("SELECT" | "WITH" | "VALUES" | "TABLE" | "SHOW" | "EXPLAIN" | "FETCH" | "EXECUTE" | "CALL"))
    ) || statement.text.to_ascii_uppercase().contains("RETURNING")
        || statement.text.starts_with('(');
    let columns = if has_rows { session.columns(statement.text).await? } else { Vec::new() };
    let messages = session.execute(statement.text).await?;
    let rows: Vec<Value> = messages
        .iter()
        .filter_map(row)
        .map(|row| {
            let named = columns.iter().zip(&row);
            Value::from(
                named
                    .map(|((name, of), text)| (name.into(), cell::value(text.as_deref(), of)))
                    .collect::<Map>(),
            )
        })
        .collect();
    let completed = messages.iter().find_map(|m| match m {
        SimpleQueryMessage::CommandComplete(count) => Some(*count),
        _ => None,
    });
    let count = completed.unwrap_or_default();
    let (status, changed) = status(&words, statement.text, count);
    Ok(Answer { rows, status, count, changed, milliseconds: start.elapsed().as_secs_f64() * 1000.0 })
}

/// The server's word on a statement, and whether that means a change. The protocol's own word does not get
/// through tokio-postgres, which keeps the count alone.
fn status(words: &[&str], text: &str, count: u64) -> (String, bool) {
    let first = words.first().copied().unwrap_or_default();
    let verb = match first {
        "WITH" => {
            let upper = text.to_ascii_uppercase();
            let found = ["INSERT INTO ", "UPDATE ", "DELETE FROM ", "MERGE INTO "]
                .into_iter()
                .find(|v| upper.contains(v));
            found.and_then(|v| v.split(' ').next()).unwrap_or("SELECT").to_owned()
        }
        "VALUES" | "TABLE" | "" => "SELECT".to_owned(),
        other => other.to_owned(),
    };
    match verb.as_str() {
        "SELECT" | "FETCH" | "MOVE" => (format!("{verb} {count}"), false),
        "INSERT" => (format!("INSERT 0 {count}"), count > 0),
        "UPDATE" | "DELETE" | "MERGE" | "COPY" => (format!("{verb} {count}"), count > 0),
        "SHOW" | "EXPLAIN" | "SET" | "RESET" | "BEGIN" | "COMMIT" | "ROLLBACK" | "DISCARD" | "LISTEN"
        | "CHECKPOINT" => (verb, false),
        "CREATE" | "ALTER" | "DROP" => {
            let noise = ["OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE", "UNLOGGED"];
            let kind = words.iter().skip(1).find(|w| !noise.contains(w)).copied().unwrap_or_default();
            (format!("{verb} {kind}").trim_end().to_owned(), true)
        }
        _ => (verb, true),
    }
}

fn report(queries: &[String], answers: Vec<Answer>) -> Outcome {
    let mut outcome = Outcome::changed(answers.iter().any(|a| a.changed));
    let last = answers.last();
    outcome.values = map! {
        "query" => queries.last().cloned(),
        "query_list" => queries.to_vec(),
        "statusmessage" => last.map(|a| a.status.clone()).unwrap_or_default(),
        "rowcount" => answers.iter().map(|a| a.count).sum::<u64>(),
        "query_result" => last.map(|a| a.rows.clone()).unwrap_or_default(),
        "query_all_results" => answers.iter().map(|a| Value::from(a.rows.clone())).collect::<Vec<_>>(),
        "execution_time_ms" => answers.iter().map(|a| Value::from(a.milliseconds)).collect::<Vec<_>>(),
    };
    outcome
}
