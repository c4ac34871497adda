//! Reading the value of a secret and marking it as one.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use playbook_api::{Error, Map, Redactor, Value};
use serde_json::Value as Json;

use crate::client::Aws;
use crate::error::Explain;

/// The version of a secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct Version {
    pub id: Option<String>,
    pub stage: Option<String>,
}

/// The reason why there is no value, if the caller decides what that means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Absent {
    Missing,
    Deleted,
    Denied,
}

/// Returns the value, or the reason why there is none.
pub(crate) async fn read(
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

/// Returns the text of a secret, or its bytes if it is binary and not text.
pub(crate) fn text(output: &GetSecretValueOutput) -> Value {
    if let Some(text) = output.secret_string() {
        return Value::secret(text);
    }
    let bytes = output.secret_binary().map_or(&[][..], |b| b.as_ref());
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::secret(text),
        Err(_) => Value::Bytes(bytes.into()),
    }
}

/// The members of a secret that are not secret, in lower case: they name a service or a user, and do not give access. They
/// are not masked, so that an error can name the host and a user called `admin` does not mask that word in every report.
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

/// Returns a secret in JSON as values that are marked.
pub(crate) fn parsed(text: &str) -> Option<Value> {
    let json: Json = serde_json::from_str(text).ok()?;
    let Json::Object(members) = json else { return None };
    let value = |name: &str, json: Json| match NOT_SECRET.contains(&name.to_lowercase().as_str()) {
        true => Value::from_json(json),
        false => Value::from_json(json).into_secret(),
    };
    Some(members.into_iter().map(|(k, v)| (Value::from(&k), value(&k, v))).collect::<Map>().into())
}

/// Registers a secret for masking: the whole text and, for a secret in JSON, each secret member.
pub(crate) fn register(redactor: &Redactor, value: &Value) {
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
