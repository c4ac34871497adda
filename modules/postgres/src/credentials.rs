//! A database secret as Secrets Manager and RDS store it: a JSON object with `username`, `password`, `host`,
//! `port`, `dbname` and `engine`.

use playbook_api::{Error, Map, Value};

/// The contents of a secret. One that RDS manages holds only `username` and `password`.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) dbname: Option<String>,
}

impl Credentials {
    /// Reads a dict, or a dict as JSON. `what` names the secret in errors.
    pub(crate) fn read(secret: &Value, what: &str) -> Result<Credentials, Error> {
        let parsed;
        let map: &Map = match secret {
            Value::Undefined(reason) => return Err(Error::undefined(reason.to_string())),
            Value::Map(map) => map,
            Value::Str(text) => {
                parsed = serde_json::from_str(text).map(Value::from_json).map_err(|e| {
                    // serde_json's own message could quote the secret.
                    Error::new(format!("{what} is not JSON (line {}, column {})", e.line(), e.column()))
                        .with_help("Store an object with username, password, host, port and dbname.")
                })?;
                parsed.as_map().ok_or_else(|| not_an_object(what, &parsed))?
            }
            other => return Err(not_an_object(what, other)),
        };
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|n| map.get(*n)).filter(|v| !v.is_null());
            found.map(|v| v.to_text().into_owned()).filter(|t| !t.is_empty())
        };
        if let Some(engine) = text(&["engine"])
            && !engine.contains("postgres")
        {
            return Err(Error::new(format!("{what} is for the engine '{engine}', not PostgreSQL")));
        }
        let port = match text(&["port"]) {
            Some(port) => Some(port.trim().parse().map_err(|_| {
                Error::new(format!("the port in {what} is not a number between 1 and 65535"))
            })?),
            None => None,
        };
        Ok(Credentials {
            username: text(&["username", "user"]),
            password: text(&["password"]),
            host: text(&["host"]),
            port,
            dbname: text(&["dbname", "dbName", "database"]),
        })
    }
}

fn not_an_object(what: &str, value: &Value) -> Error {
    Error::new(format!("{what} is a {}, not an object", value.type_name()))
        .with_help("Store an object with username, password, host, port and dbname.")
}
