//! `postgresql_query`: runs SQL statements and returns their rows.

use std::time::Instant;

use playbook_api::{
    Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Map, Outcome, Value, map,
};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::foresee::{self, Verdict};
use crate::login::Login;
use crate::placeholders::{Fill, fill};
use crate::row::row;
use crate::session::{Session, ident, not_there_yet};
use crate::sql::effect::{self, Effect};
use crate::sql::statement::{self, Statement};
use crate::target::Target;
use crate::{cell, fault};

/// Runs SQL statements and returns their rows.
///
/// Several statements, in a list or in one string, run in one transaction unless `autocommit` is set.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["positional_args", "named_args"]]))]
pub(crate) struct PostgresqlQuery {
    /// The statement, or a list of them. The placeholders `%s` and `%(name)s` are replaced with values.
    #[schemars(extend("format" = "raw"))]
    query: serde_json::Value,
    /// The values for the `%s` placeholders, in order.
    #[schemars(extend("type" = "array", "items" = { "format": "raw" }))]
    positional_args: Option<Vec<serde_json::Value>>,
    /// The values for the `%(name)s` placeholders, by name.
    named_args: Option<serde_json::Map<String, serde_json::Value>>,
    /// Whether to run each statement outside of a transaction, as VACUUM and some others require.
    #[serde(default)]
    autocommit: bool,
    /// The schemas in which unqualified names are searched.
    search_path: Option<Vec<String>>,
    /// Ignored, since values are always returned as UTF-8. Accepted for compatibility.
    #[expect(dead_code, reason = "accepted for compatibility")]
    encoding: Option<String>,
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlQuery {
    const DOC: Doc = Doc {
        name: "postgresql_query",
        collection: "community.postgresql",
        short: "Run PostgreSQL queries",
        check_mode: "Statements that only read are executed, in a read-only transaction that is rolled \
            back. All others are not executed and are reported as a change, whether or not they would change a row.",
        returns: &[
            ("query", "str", "The last query"),
            ("statusmessage", "str", "The server's status message for the last query, such as SELECT 3"),
            ("rowcount", "int", "The total number of rows of all queries"),
            ("query_result", "list", "The rows of the last query, as dicts"),
            ("query_list", "list", "All queries"),
            ("query_all_results", "list", "The rows of all queries"),
            ("execution_time_ms", "list", "The execution time of each query, in milliseconds"),
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
        let mut statements = Vec::new();
        for query in &queries {
            statements.extend(statement::split(query, session.conforming_strings)?);
        }
        if let Some(copy) = statements.iter().find(|s| effect::copies_to_client(s.text)) {
            return Err(Failure::new(format!(
                "'{}' writes to the client, which is not supported",
                copy.text
            ))
            .with_help("Read the rows with SELECT, or run psql."));
        }
        let path = self.search_path.as_ref().map(|schemas| {
            let schemas: Vec<String> = schemas.iter().map(|schema| ident(schema)).collect();
            format!("search_path TO {}", schemas.join(", "))
        });
        let batch = Batch { session: &session, queries: &queries, statements: &statements, path };
        let mut outcome = match (context.check, self.autocommit) {
            (true, _) => batch.foresee().await?,
            (false, true) => batch.each_alone().await?,
            (false, false) => batch.in_one_transaction().await?,
        };
        outcome.warnings.extend(session.warnings());
        Ok(outcome)
    }
}

/// The statements of one task, and the session that they run in.
struct Batch<'a> {
    session: &'a Session,
    queries: &'a [String],
    statements: &'a [Statement<'a>],
    /// The value of search_path, as `SET` takes it.
    path: Option<String>,
}

impl Batch<'_> {
    /// Executes the statements that only read, in a read-only transaction that is rolled back, and reports the others.
    /// A statement that reads after a change is not executed, since it may read what the change would have created.
    async fn foresee(&self) -> Result<Outcome, Failure> {
        let session = self.session;
        self.begin().await?;
        let (mut answers, mut foreseen) = (Vec::new(), Vec::new());
        for statement in self.statements {
            let verdict = foresee::judge(session, statement).await?;
            match verdict {
                Verdict::Foresee => foreseen.push(statement.text),
                Verdict::Skip => answers.push(Answer::default()),
                Verdict::Send if !foreseen.is_empty() => {}
                Verdict::Send => match ask(session, statement).await {
                    Ok(answer) => answers.push(answer),
                    // The statement calls a user-defined function that writes.
                    Err(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                        foreseen.push(statement.text);
                    }
                    Err(error) => return Err(refused(session, statement, &error)),
                },
            }
        }
        session.pause().await;
        let mut outcome = report(self.queries, answers);
        if !foreseen.is_empty() {
            outcome.changed = true;
            outcome = outcome.msg(session.shown(&format!("would run: {}", foreseen.join("; "))));
        }
        Ok(outcome)
    }

    async fn in_one_transaction(&self) -> Result<Outcome, Failure> {
        let session = self.session;
        self.begin().await?;
        let (mut answers, mut set) = (Vec::new(), Vec::new());
        for statement in self.statements {
            answers.push(self.answer(statement).await?);
            set.extend(effect::leaves_set(statement.text, session.conforming_strings));
            tell_of_pooler(session, statement);
        }
        session.commit(&set).await.map_err(|e| fault::failure("cannot commit", &e))?;
        Ok(report(self.queries, answers))
    }

    /// Runs each statement outside of a transaction.
    async fn each_alone(&self) -> Result<Outcome, Failure> {
        let session = self.session;
        if let Some(path) = &self.path {
            needs_own_session(session, "search_path")?;
            session.run(&format!("SET {path}")).await?;
        }
        if session.target.role.is_some() {
            needs_own_session(session, "session_role")?;
        }
        let mut answers = Vec::new();
        for statement in self.statements {
            // The column types are fetched by a separate request, which a pooler may send to another server session.
            let together = session.pooled && has_rows(statement) && effect::verb(statement.text) != "CALL";
            if together {
                session.begin().await?;
            }
            answers.push(self.answer(statement).await?);
            if together {
                session.commit(&[]).await.map_err(|e| fault::failure("cannot commit", &e))?;
            }
            if session.pooled && effect::leaves_set(statement.text, session.conforming_strings).is_some() {
                session.warn(stays_behind(session, "what it sets", statement));
            }
            tell_of_pooler(session, statement);
        }
        Ok(report(self.queries, answers))
    }

    /// Begins a transaction with the task's search_path.
    async fn begin(&self) -> Result<(), Failure> {
        self.session.begin().await?;
        if let Some(path) = &self.path {
            self.session.run(&format!("SET LOCAL {path}")).await?;
        }
        Ok(())
    }

    /// Returns the result of a statement, or rolls back and fails.
    async fn answer(&self, statement: &Statement<'_>) -> Result<Answer, Failure> {
        match ask(self.session, statement).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let failure = refused(self.session, statement, &error);
                self.session.rollback().await;
                Err(failure)
            }
        }
    }
}

fn needs_own_session(session: &Session, option: &str) -> Result<(), Error> {
    match session.pooled {
        false => Ok(()),
        true => Err(Error::new(format!(
            "{option} with autocommit needs a session of its own, and {} is reached through a connection pooler",
            session.target.describe()
        ))
        .with_help("Connect to the server directly, or remove autocommit.")),
    }
}

/// Warns about what a statement leaves in a session that the pooler gives to other clients.
fn tell_of_pooler(session: &Session, statement: &Statement<'_>) {
    if let Some(what) = effect::leaves_behind(statement.text).filter(|_| session.pooled) {
        session.warn(stays_behind(session, what, statement));
    }
}

fn stays_behind(session: &Session, what: &str, statement: &Statement<'_>) -> String {
    session.shown(&format!(
        "{} is reached through a connection pooler: {what} stays in the server's session after '{}', and \
        the next client of that session gets it",
        session.target.describe(),
        statement.text
    ))
}

fn refused(session: &Session, statement: &Statement<'_>, error: &tokio_postgres::Error) -> Failure {
    let what = format!("cannot execute SQL '{}'", session.shown(statement.text));
    session.explain(fault::failure(&what, error), error)
}

impl PostgresqlQuery {
    fn queries(&self) -> Result<Vec<String>, Error> {
        let wrong = || Error::new("query is neither a string nor a list of strings");
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

/// The result of one statement.
#[derive(Default)]
struct Answer {
    rows: Vec<Value>,
    status: String,
    count: u64,
    changed: bool,
    milliseconds: f64,
}

/// Returns whether a statement may return rows, whose types have to be fetched.
fn has_rows(statement: &Statement<'_>) -> bool {
    let verb = effect::verb(statement.text);
    matches!(
        verb.as_str(),
        "SELECT" | "WITH" | "VALUES" | "TABLE" | "SHOW" | "EXPLAIN" | "FETCH" | "EXECUTE" | "CALL"
    ) || statement.text.to_ascii_uppercase().contains("RETURNING")
        || statement.text.starts_with('(')
}

async fn ask(session: &Session, statement: &Statement<'_>) -> Result<Answer, tokio_postgres::Error> {
    let start = Instant::now();
    let elapsed = |start: Instant| start.elapsed().as_secs_f64() * 1000.0;
    if let Some(rows) = statement.rows {
        let count = session.copy(statement.text, rows).await?;
        let status = format!("COPY {count}");
        return Ok(Answer {
            status,
            count,
            changed: count > 0,
            milliseconds: elapsed(start),
            ..Answer::default()
        });
    }
    let typed = has_rows(statement) && session.can_prepare();
    let mut columns = if typed { session.columns(statement.text).await? } else { Vec::new() };
    let messages = session.execute(statement.text).await?;
    if !typed {
        let names = messages.iter().find_map(|m| match m {
            SimpleQueryMessage::RowDescription(columns) => Some(columns),
            _ => None,
        });
        columns = names.iter().flat_map(|c| c.iter()).map(|c| (c.name().to_owned(), Type::TEXT)).collect();
    }
    let rows: Vec<Value> = messages
        .iter()
        .filter_map(row)
        .map(|row| {
            let named = columns.iter().zip(&row);
            let cells = named.map(|((name, of), text)| (name.into(), cell::value(text.as_deref(), of)));
            Value::from(cells.collect::<Map>())
        })
        .collect();
    let completed = messages.iter().find_map(|m| match m {
        SimpleQueryMessage::CommandComplete(count) => Some(*count),
        _ => None,
    });
    let count = completed.unwrap_or_default();
    let (status, changed) = status(statement, count, session.conforming_strings);
    Ok(Answer { rows, status, count, changed, milliseconds: elapsed(start) })
}

/// Returns the status message of a statement, and whether it changed anything. tokio-postgres keeps only the count of
/// the server's own message.
fn status(statement: &Statement<'_>, count: u64, conforming: bool) -> (String, bool) {
    let verb = match effect::verb(statement.text) {
        verb if matches!(verb.as_str(), "VALUES" | "TABLE" | "") => "SELECT".to_owned(),
        verb => verb,
    };
    let acts = Effect::of(statement.text, conforming) == Effect::Acts;
    match verb.as_str() {
        "SELECT" | "FETCH" | "MOVE" => (format!("{verb} {count}"), acts),
        "INSERT" => (format!("INSERT 0 {count}"), count > 0),
        "UPDATE" | "DELETE" | "MERGE" | "COPY" => (format!("{verb} {count}"), count > 0),
        "CREATE" | "ALTER" | "DROP" => {
            let noise = ["OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE", "UNLOGGED"];
            let words = statement.words(6);
            let kind =
                words.iter().skip(1).find(|w| !noise.contains(&w.as_str())).cloned().unwrap_or_default();
            (format!("{verb} {kind}").trim_end().to_owned(), true)
        }
        _ => (verb, acts),
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
