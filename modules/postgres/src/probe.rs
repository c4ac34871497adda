//! The probe of `wait_until: { postgres: … }`.

use playbook_api::{
    Context, Deserialize, Error, ErrorKind, JsonSchema, Map, Observation, ProbeState, Value, map,
};
use tokio_postgres::error::SqlState;

use crate::foresee::{self, Verdict};
use crate::login::Login;
use crate::row::row;
use crate::session::{Access, Session};
use crate::sql::statement::{self, Statement};
use crate::target::Target;
use crate::{cell, fault, tls};

/// Waits until a PostgreSQL server accepts connections and a query returns the expected value.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Postgres {
    #[serde(flatten)]
    login: Login,
    /// The query whose first column of the first row is compared. It runs at each attempt, in a read-only transaction
    /// that is rolled back.
    query: Option<String>,
    /// The value that the query has to return. By default, any value but null, false, 0 and an empty string
    /// is accepted.
    #[schemars(extend("format" = "raw", "aliases" = ["value", "result"]))]
    expected: Option<serde_json::Value>,
}

impl Observation for Postgres {
    const NAME: &'static str = "postgres";
    const MAY_BE_MISSING: bool = true;

    async fn look(self, context: &Context) -> Result<ProbeState, Error> {
        let target = Target::resolve(&self.login, "postgres", context).await?;
        // Invalid options are an error; a server that does not respond yet is not.
        target.ssl_mode()?;
        tls::Tls::new(&target, context).await?;
        let session = match Session::open_to(Access::Read, &target, context).await {
            Ok(session) => session,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(ProbeState::Missing(error.to_string()));
            }
            // Waiting does not help against a wrong password.
            Err(error) if error.message().contains("(SQLSTATE 28P01)") => {
                return Ok(ProbeState::Never(error.to_string(), Map::default()));
            }
            Err(error) => return Ok(ProbeState::Waiting(error.to_string(), Map::default())),
        };
        let version = session.value("SHOW server_version").await?.unwrap_or_default();
        let mut values = map! { "server_version" => version };
        let Some(query) = &self.query else { return Ok(ProbeState::Met(values)) };
        let statements = statement::split(query, session.conforming_strings)?;
        let [statement] = statements.as_slice() else {
            return Err(Error::new(format!("query has {} statements, not one", statements.len()))
                .with_help("Give a single statement that returns the value to wait for."));
        };
        if foresee::judge(&session, statement).await? != Verdict::Send {
            return Err(Error::new(format!("the query does not only read: {}", session.shown(query)))
                .with_help("Change the database with postgresql_query, in another task."));
        }
        let result = match first_cell(&session, statement).await {
            Ok(result) => result,
            Err(error) => return Ok(failed(&error, values)),
        };
        session.pause().await;
        let met = match &self.expected {
            Some(expected) => {
                let expected = Value::from_json(expected.clone());
                expected == result || expected.to_text() == result.to_text()
            }
            None => result.is_true(),
        };
        values.insert("result".into(), result.clone());
        Ok(match met {
            true => ProbeState::Met(values),
            false => ProbeState::Waiting(format!("the query returns {result}"), values),
        })
    }
}

/// Interprets a failed query: a name that does not exist yet, a mistake in the query, or a temporary failure.
fn failed(error: &tokio_postgres::Error, values: Map) -> ProbeState {
    let words = fault::describe(error);
    let missing = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::INVALID_SCHEMA_NAME,
    ];
    match error.code() {
        Some(code) if missing.contains(code) => ProbeState::Missing(words),
        Some(code) if *code == SqlState::SYNTAX_ERROR || *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            ProbeState::Never(words, values)
        }
        _ => ProbeState::Waiting(words, values),
    }
}

async fn first_cell(session: &Session, query: &Statement<'_>) -> Result<Value, tokio_postgres::Error> {
    let columns = session.columns(query.text).await?;
    let messages = session.execute(query.text).await?;
    let text = messages.iter().find_map(row).and_then(|row| row.into_iter().next().flatten());
    Ok(columns.first().map_or(Value::Null, |(_, of)| cell::value(text.as_deref(), of)))
}
