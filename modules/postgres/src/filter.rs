//! `postgresql_url`: converts a database secret to the URL that applications expect.

use playbook_api::nearest;
use playbook_api::{Error, Filter, Map, Value};

use crate::credentials::Credentials;
use crate::url::Url;

/// `{{ lookup('aws_secret', 'prod/db') | postgresql_url(sslmode='require') }}`
///
/// Takes the secret as a dict or as JSON. `host`, `port`, `dbname`, `username`, `password` and `sslmode`
/// override or complete it (an RDS-managed secret has neither host nor dbname), and `scheme` is `postgresql` by
/// default. Everything is percent-encoded, and the URL is a secret.
#[derive(Debug)]
pub(crate) struct PostgresqlUrl;

const OPTIONS: [&str; 7] = ["host", "port", "dbname", "username", "password", "sslmode", "scheme"];

impl Filter for PostgresqlUrl {
    fn names(&self) -> &'static [&'static str] {
        &["postgresql_url", "playbook.postgres.postgresql_url"]
    }

    fn run(&self, input: &Value, arguments: &[Value], options: &Map) -> Result<Value, Error> {
        if !arguments.is_empty() {
            return Err(Error::new("postgresql_url has only named arguments")
                .with_help("write postgresql_url(host='…', dbname='…')"));
        }
        for name in options.keys().map(Value::to_text) {
            if !OPTIONS.contains(&&*name) {
                let help = match nearest(&name, OPTIONS) {
                    Some(near) => format!("Did you mean '{near}'?"),
                    None => format!("it takes {}", OPTIONS.join(", ")),
                };
                return Err(Error::new(format!("postgresql_url has no argument '{name}'")).with_help(help));
            }
        }
        let text = |name: &str| match options.get(name) {
            Some(Value::Undefined(reason)) => Err(Error::undefined(reason.to_string())),
            Some(Value::Null | Value::Omit) | None => Ok(None),
            Some(value) => Ok(Some(value.to_text().into_owned()).filter(|t| !t.is_empty())),
        };
        let secret = Credentials::read(input, "the secret given to postgresql_url")?;
        let port = match text("port")? {
            Some(port) => Some(port.parse().map_err(|_| {
                Error::new(format!("postgresql_url: the port '{port}' is not a number between 1 and 65535"))
            })?),
            None => secret.port,
        };
        let user = text("username")?.or(secret.username);
        let password = text("password")?.or(secret.password);
        let host = text("host")?.or(secret.host);
        let dbname = text("dbname")?.or(secret.dbname);
        let parts = [("username", &user), ("password", &password), ("host", &host), ("dbname", &dbname)];
        let missing: Vec<&str> = parts.iter().filter(|(_, v)| v.is_none()).map(|(n, _)| *n).collect();
        if !missing.is_empty() {
            let arguments: Vec<String> = missing.iter().map(|n| format!("{n}=…")).collect();
            return Err(Error::new(format!(
                "the secret given to postgresql_url lacks {}",
                missing.join(", ")
            ))
            .with_help(format!("Add the missing values: postgresql_url({}).", arguments.join(", "))));
        }
        let mut url = Url {
            scheme: text("scheme")?.unwrap_or_else(|| "postgresql".into()),
            user,
            password,
            hosts: host.into_iter().map(|h| (h, Some(port.unwrap_or(5432)))).collect(),
            dbname,
            ..Url::default()
        };
        if let Some(mode) = text("sslmode")? {
            url.set_param("sslmode", mode);
        }
        Ok(Value::secret(url.to_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_api::map;

    fn run(input: impl Into<Value>, options: Map) -> Result<Value, Error> {
        PostgresqlUrl.run(&input.into(), &[], &options)
    }

    #[test]
    fn builds_an_encoded_secret_url() {
        let secret = map! { "username" => "app", "password" => "p@ss/w:rd%", "host" => "db", "port" => 5432, "dbname" => "shop" };
        let url = run(secret.clone(), Map::default()).unwrap();
        assert!(url.is_secret());
        assert_eq!(url.to_text(), "postgresql://app:p%40ss%2Fw%3Ard%25@db:5432/shop");
        let options = map! { "scheme" => "postgresql+psycopg2", "sslmode" => "require", "port" => "6432" };
        let url = run(secret, options).unwrap();
        assert_eq!(
            url.to_text(),
            "postgresql+psycopg2://app:p%40ss%2Fw%3Ard%25@db:6432/shop?sslmode=require"
        );
    }

    #[test]
    fn an_rds_managed_secret_is_completed() {
        let json = r#"{"username":"app","password":"hunter22"}"#;
        let error = run(json, Map::default()).unwrap_err();
        assert_eq!(error.message(), "the secret given to postgresql_url lacks host, dbname");
        assert_eq!(error.help(), Some("Add the missing values: postgresql_url(host=…, dbname=…)."));
        let url = run(json, map! { "host" => "db", "dbname" => "shop" }).unwrap();
        assert_eq!(url.to_text(), "postgresql://app:hunter22@db:5432/shop");
    }

    #[test]
    fn bad_input_is_named_without_the_secret() {
        let error = run("hunter22", Map::default()).unwrap_err();
        assert_eq!(error.message(), "the secret given to postgresql_url is not JSON (line 1, column 1)");
        let error = run("{}", map! { "hots" => "x" }).unwrap_err();
        assert_eq!(error.help(), Some("Did you mean 'host'?"));
        assert!(run(Value::undefined("'x' is undefined"), Map::default()).unwrap_err().is_undefined());
    }
}
