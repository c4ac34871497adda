//! Reading a secret's value, and marking it as one.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use playbook_api::{Error, Map, Redactor, Value};
use serde_json::Value as Json;

use crate::client::Aws;
use crate::error::Explain;

/// Which version of a secret.
#[derive(Clone, Debug, Default)]
pub struct Version {
    pub id: Option<String>,
    pub stage: Option<String>,
}

/// Why there is no value, where the caller decides what that means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Absent {
    Missing,
    Deleted,
    Denied,
}

/// The value, or why there is none.
pub async fn read(
    aws: &Aws,
    id: &str,
    version: &Version,
) -> Result<Result<GetSecretValueOutput, Absent>, Error> {
    let answer = aws
        .secrets()
        .get_secret_value()
        .secret_id(id)
        .set_version_id(version.id.clone())
        .set_version_stage(version.stage.clone())
        .send()
        .await;
    let Err(e) = &answer else { return answer.explain("secretsmanager:GetSecretValue").map(Ok) };
    let message = e.as_service_error().and_then(|s| s.meta().message()).unwrap_or_default().to_lowercase();
    match crate::error::code(e) {
        Some("ResourceNotFoundException") => Ok(Err(Absent::Missing)),
        Some("InvalidRequestException") if message.contains("delet") => Ok(Err(Absent::Deleted)),
        Some(code) if code.starts_with("AccessDenied") => Ok(Err(Absent::Denied)),
        _ => answer.explain("secretsmanager:GetSecretValue").map(Ok),
    }
}

/// The text of a secret, or its bytes where it is binary and no text.
pub fn text(output: &GetSecretValueOutput) -> Value {
    if let Some(text) = output.secret_string() {
        return Value::secret(text);
    }
    let bytes = output.secret_binary().map_or(&[][..], |b| b.as_ref());
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::secret(text),
        Err(_) => Value::Bytes(bytes.into()),
    }
}

/// Members of a secret that say where something is and as whom, and not how to get in, in lower case. They are told:
/// an error can name the host, and a user called `admin` does not blank that word in every report. Everything else in
/// a secret is one.
const NOT_SECRET: &[&str] = &[
    "engine",
    "host",
    "hostname",
    "endpoint",
    "port",
    "username",
    "user",
    "dbname",
    "database",
    "schema",
    "sslmode",
    "dbinstanceidentifier",
    "dbclusteridentifier",
    "masterarn",
    "region",
];

/// A secret in JSON as values, marked.
pub fn parsed(text: &str) -> Option<Value> {
    let json: Json = serde_json::from_str(text).ok()?;
    let Json::Object(members) = json else { return None };
    let value = |name: &str, json: Json| match NOT_SECRET.contains(&name.to_lowercase().as_str()) {
        true => Value::from_json(json),
        false => Value::from_json(json).into_secret(),
    };
    Some(members.into_iter().map(|(k, v)| (Value::from(&k), value(&k, v))).collect::<Map>().into())
}

/// Keeps the secret out of every report: the whole text and, of a secret in JSON, each secret member.
pub fn register(redactor: &Redactor, value: &Value) {
    redactor.register_value(value);
    if let Some(Value::Map(members)) = value.as_str().and_then(parsed) {
        members.values().filter(|v| v.is_secret()).for_each(|v| redactor.register_value(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_secret_and_the_host_is_told() {
        let value = parsed(
            r#"{"username": "app_user", "password": "p4ss/word", "host": "db.example", "port": 5432}"#,
        )
        .unwrap();
        assert!(value.get("password").unwrap().is_secret());
        assert!(!value.get("host").unwrap().is_secret());
        assert!(!value.get("username").unwrap().is_secret());
        assert_eq!(value.get("port"), Some(&Value::from(5432)));
        let redactor = Redactor::default();
        register(&redactor, &Value::secret(r#"{"password": "p4ss/word", "host": "db.example"}"#));
        assert_eq!(redactor.text("p4ss/word at db.example"), "******** at db.example");
    }
}
