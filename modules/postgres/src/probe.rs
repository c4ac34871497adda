//! What `wait_until: { postgres: … }` looks at.

use playbook_api::extension::BoxFuture;
use playbook_api::{
    Arguments, Context, Deserialize, Error, JsonSchema, Map, Probe, ProbeState, Spec, Value, map,
};

use crate::login::{Login, Target};
use crate::session::Session;
use crate::{cell, fault};

/// Waits until a PostgreSQL server takes connections, and a query answers what is expected.
#[derive(Deserialize, JsonSchema)]
struct Options {
    #[serde(flatten)]
    login: Login,
    /// Query to run; the first column of its first row is compared.
    query: Option<String>,
    /// What the query has to answer; unless given, anything but nothing, false, 0 and an empty text.
    #[schemars(extend("format" = "raw", "aliases" = ["value", "result"]))]
    expected: Option<serde_json::Value>,
}

#[derive(Debug)]
pub struct PostgresProbe;

impl Probe for PostgresProbe {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn spec(&self) -> Spec {
        Spec::of::<Options>()
    }

    fn look<'a>(
        &'a self,
        options: &'a Map,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<ProbeState, Error>> {
        Box::pin(async move {
            let options: Options =
                Arguments::from(options.clone()).parse("postgres", &self.spec(), &context.redactor)?;
            let target = Target::resolve(&options.login, "postgres", context).await?;
            // Options that can never work are an error; a server that is not there yet is not.
            target.ssl_mode()?;
            crate::tls::Tls::new(&target, context).await?;
            let session = match Session::open(&target, context).await {
                Ok(session) => session,
                // A wrong password does not become right by waiting.
                Err(error) if error.message().contains("(SQLSTATE 28P01)") => {
                    return Ok(ProbeState::Never(error.to_string(), Map::default()));
                }
                Err(error) => return Ok(ProbeState::Waiting(error.to_string(), Map::default())),
            };
            let version = session.value("SHOW server_version").await?.unwrap_or_default();
            let mut values = map! { "server_version" => version };
            let Some(query) = &options.query else { return Ok(ProbeState::Met(values)) };
            let result = match first_cell(&session, query).await {
                Ok(result) => result,
                Err(error) => return Ok(ProbeState::Waiting(fault::describe(&error), values)),
            };
            let met = match &options.expected {
                Some(expected) => {
                    let expected = Value::from_json(expected.clone());
                    expected == result || expected.to_text() == result.to_text()
                }
                None => result.is_true(),
            };
            values.insert("result".into(), result.clone());
            Ok(match met {
                true => ProbeState::Met(values),
                false => ProbeState::Waiting(format!("the query answers {result}"), values),
            })
        })
    }
}

async fn first_cell(session: &Session, query: &str) -> Result<Value, tokio_postgres::Error> {
    let columns = session.columns(query).await?;
    let messages = session.execute(query).await?;
    let text = messages.iter().find_map(crate::session::row).and_then(|row| row.into_iter().next().flatten());
    Ok(columns.first().map_or(Value::Null, |(_, of)| cell::value(text.as_deref(), of)))
}
