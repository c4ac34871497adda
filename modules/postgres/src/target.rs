//! A database to connect to: resolves the connection arguments, secrets and libpq's variables.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use playbook_api::{Context, Error, Map, Value};
use tokio_postgres::config::TargetSessionAttrs;

use crate::credentials::Credentials;
use crate::host::{self, Environment};
use crate::login::{Login, SslMode};
use crate::url::{Url, encode};
use crate::{passfile, service};

/// The parameters that have an effect here.
const PARAMS: [&str; 24] = [
    "sslmode",
    "ssl",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "application_name",
    "options",
    "target_session_attrs",
    "fallback_application_name",
    "gssencmode",
    "hostaddr",
    "channel_binding",
    "sslnegotiation",
    "load_balance_hosts",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "client_encoding",
    "service",
    "servicefile",
    "passfile",
];

/// Other libpq parameters, which are ignored.
const IDLE: [&str; 9] = [
    "sslcompression",
    "sslsni",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "sslkeylogfile",
    "min_protocol_version",
    "max_protocol_version",
    "ssl_min_protocol_version",
];

/// libpq parameters that restrict the connection in a way that is not supported. They are rejected.
const UNKEPT: [(&str, &str); 9] = [
    (
        "require_auth",
        "Remove it. The server's pg_hba.conf decides how a role logs in, and channel_binding=require \
        allows only SCRAM over TLS.",
    ),
    ("requirepeer", "Remove it, or connect over TLS with sslmode=verify-full."),
    ("sslcrl", "Remove it. Revocation lists are not supported."),
    ("sslcrldir", "Remove it. Revocation lists are not supported."),
    ("sslcertmode", "Remove it, and set sslcert and sslkey if the server requires a certificate."),
    ("sslpassword", "Remove it, and decrypt the key with `openssl pkey`."),
    ("ssl_max_protocol_version", "Remove it. TLS 1.2 and 1.3 are supported."),
    ("replication", "Remove it. Replication connections do not execute statements."),
    ("oauth_issuer", "Log in with a password or a certificate."),
];

/// A database to connect to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) role: Option<String>,
    /// The environment of the host that connects.
    pub(crate) environment: Environment,
}

impl Target {
    /// Resolves all parameters of the connection, and registers its secrets with the redactor.
    /// `database` is the default database.
    pub(crate) async fn resolve(login: &Login, database: &str, context: &Context) -> Result<Target, Error> {
        let target = Target::gather(login, database, context).await?;
        target.register_secrets(context);
        Ok(target)
    }

    async fn gather(login: &Login, database: &str, context: &Context) -> Result<Target, Error> {
        if login.url.is_some() && login.secret.is_some() {
            return Err(Error::new("parameters are mutually exclusive: url|secret"));
        }
        let from_login = login.url.is_none() && login.secret.is_none();
        let mut url = match (&login.url, &login.secret) {
            (Some(text), _) => Url::parse(text)?,
            (None, Some(id)) => from_secret(id, login, context).await?,
            (None, None) => Url { scheme: "postgresql".into(), ..Url::default() },
        };
        check_params(&url.params)?;
        let named =
            login.connect_params.iter().flatten().find(|(name, _)| *name == "service").map(|(_, v)| text(v));
        let environment = Environment::of(context).await?;
        let service = named
            .or_else(|| url.param("service").map(str::to_owned))
            .or_else(|| from_login.then(|| environment.get("PGSERVICE")).flatten());
        if let Some(name) = service {
            let file = url.param("servicefile").map(str::to_owned);
            let found = service::Service::find(&name, file.as_deref(), &environment, context).await?;
            found.complete(&mut url)?;
        }
        let libpq = |name: &str| from_login.then(|| environment.get(name)).flatten();
        let socket = login.login_unix_socket.clone().filter(|s| !s.is_empty());
        let host = login.login_host.clone().filter(|h| !h.is_empty());
        // As in community.postgresql, a socket replaces localhost but no other host.
        let host = host.filter(|host| host != "localhost" || socket.is_none()).or(socket);
        if let Some(host) = host.or_else(|| libpq("PGHOST")) {
            url.hosts = host.split(',').map(|h| (h.trim().to_owned(), None)).collect();
        }
        let port = login.login_port.or(url.port).or_else(|| libpq("PGPORT").and_then(|p| p.parse().ok()));
        if url.hosts.is_empty() {
            if let Some(id) = &login.secret {
                return Err(Error::new(format!("the secret '{id}' has no host")).with_help(
                    "Set login_host and login_db. A secret that RDS manages holds only the user name and password.",
                ));
            }
            url.hosts = vec![(local_host(port.unwrap_or(5432), context).await?, None)];
        }
        for (_, own) in &mut url.hosts {
            *own = Some(login.login_port.or(*own).or(port).unwrap_or(5432));
        }
        url.user = login.login_user.clone().or(url.user).or_else(|| libpq("PGUSER"));
        url.user.get_or_insert_with(|| "postgres".into());
        url.password =
            login.login_password.clone().or(url.password).or_else(|| environment.get("PGPASSWORD"));
        url.dbname = login.login_db.clone().or(url.dbname).or_else(|| libpq("PGDATABASE"));
        if url.dbname.is_none() {
            if let (Some(id), "") = (&login.secret, database) {
                return Err(Error::new(format!("the secret '{id}' has no dbname")).with_help(
                    "Set login_host and login_db. A secret that RDS manages holds only the user name and password.",
                ));
            }
            url.dbname =
                Some(database).filter(|d| !d.is_empty()).map(str::to_owned).or_else(|| url.user.clone());
        }
        for (name, value) in login.connect_params.iter().flatten() {
            let value = text(value);
            match name.as_str() {
                "host" => url.hosts.iter_mut().for_each(|(host, _)| host.clone_from(&value)),
                name => {
                    check_param(name)?;
                    if !PARAMS.contains(&name) && !IDLE.contains(&name) && url.param(name).is_none() {
                        return Err(Error::new(format!("connect_params has an unknown parameter '{name}'"))
                            .with_help(format!("The parameters are {}.", PARAMS.join(", "))));
                    }
                    url.set_param(name, value);
                }
            }
        }
        let mode = login.ssl_mode.map(|m| m.name().to_owned());
        for (name, value, variable) in [
            ("sslmode", mode.as_ref(), "PGSSLMODE"),
            ("sslrootcert", login.ca_cert.as_ref(), "PGSSLROOTCERT"),
            ("sslcert", login.ssl_cert.as_ref(), "PGSSLCERT"),
            ("sslkey", login.ssl_key.as_ref(), "PGSSLKEY"),
        ] {
            let unset = url.param(name).is_none();
            if let Some(value) = value.cloned().or_else(|| unset.then(|| libpq(variable)).flatten()) {
                url.set_param(name, value);
            }
        }
        if url.password.is_none() {
            url.password = passfile::password(&url, &environment, context).await?;
        }
        let target = Target { url, role: login.session_role.clone(), environment };
        target.session_attributes()?;
        target.host_addresses()?;
        Ok(target)
    }

    /// Registers the password with the redactor, in every form in which it may appear.
    fn register_secrets(&self, context: &Context) {
        let (Some(user), Some(password)) = (&self.url.user, &self.url.password) else { return };
        for (user, password) in [(user.clone(), password.clone()), (encode(user), encode(password))] {
            context.redactor.register(&password);
            context.redactor.register(&format!("{user}:{password}@"));
        }
        context.redactor.register(&self.url.to_text());
    }

    /// Returns a target with the same server and role, but another database.
    pub(crate) fn with_database(&self, name: &str) -> Target {
        let mut target = self.clone();
        target.url.dbname = Some(name.to_owned());
        target
    }

    pub(crate) fn dbname(&self) -> &str {
        self.url.dbname.as_deref().unwrap_or_default()
    }

    pub(crate) fn user(&self) -> &str {
        self.url.user.as_deref().unwrap_or_default()
    }

    pub(crate) fn ssl_mode(&self) -> Result<SslMode, Error> {
        match self.url.param("sslmode").or(self.url.param("ssl")) {
            Some("true") => Ok(SslMode::Require),
            Some("false") => Ok(SslMode::Disable),
            Some(text) => SslMode::parse(text),
            None => Ok(SslMode::Prefer),
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        let seconds = self.url.param("connect_timeout").and_then(|s| s.parse().ok()).filter(|s| *s > 0);
        Duration::from_secs(seconds.unwrap_or(10))
    }

    /// Returns the kinds of session to try in turn.
    pub(crate) fn session_attributes(&self) -> Result<&'static [TargetSessionAttrs], Error> {
        session_attributes(self.url.param("target_session_attrs"))
    }

    /// Returns the addresses that `hostaddr` gives for the hosts.
    pub(crate) fn host_addresses(&self) -> Result<Vec<IpAddr>, Error> {
        let Some(list) = self.url.param("hostaddr").filter(|list| !list.is_empty()) else {
            return Ok(Vec::new());
        };
        let addresses: Vec<IpAddr> = list
            .split(',')
            .map(|a| a.trim().parse().map_err(|_| Error::new(format!("hostaddr '{a}' is not an IP address"))))
            .collect::<Result<_, _>>()?;
        if addresses.len() != self.url.hosts.len() {
            return Err(Error::new(format!(
                "hostaddr has {} addresses for {} hosts",
                addresses.len(),
                self.url.hosts.len()
            )));
        }
        Ok(addresses)
    }

    /// Returns a parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.url.param(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| Error::new(format!("{name} '{text}' is not a number")))
    }

    /// Describes the target: `database 'shop' on db:5432 as 'app'`.
    pub(crate) fn describe(&self) -> String {
        let hosts: Vec<String> =
            (self.url.hosts.iter()).map(|(host, port)| format!("{host}:{}", port.unwrap_or(5432))).collect();
        format!("database '{}' on {} as '{}'", self.dbname(), hosts.join(","), self.user())
    }
}

/// Returns the kinds of session to try in turn, for a value of `target_session_attrs`.
fn session_attributes(name: Option<&str>) -> Result<&'static [TargetSessionAttrs], Error> {
    Ok(match name {
        None | Some("any") => &[TargetSessionAttrs::Any],
        Some("read-write" | "primary") => &[TargetSessionAttrs::ReadWrite],
        Some("read-only" | "standby") => &[TargetSessionAttrs::ReadOnly],
        Some("prefer-standby") => &[TargetSessionAttrs::ReadOnly, TargetSessionAttrs::Any],
        Some(other) => {
            return Err(Error::new(format!("'{other}' is not a valid target_session_attrs")).with_help(
                "The values are any, read-write, read-only, primary, standby and prefer-standby.",
            ));
        }
    })
}

/// Returns a parameter's value as text.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Rejects parameters that are not supported or probably misspelled. Other names in a URL are meant for the
/// application.
fn check_params(params: &[(String, String)]) -> Result<(), Error> {
    for (name, value) in params {
        check_param(name)?;
        if name == "ssl_min_protocol_version" && value == "TLSv1.3" {
            return Err(Error::new("ssl_min_protocol_version=TLSv1.3 is not supported: TLS 1.2 is used too")
                .with_help("Set ssl_min_protocol_version on the server."));
        }
        if name == "gssencmode" && value == "require" {
            return Err(Error::new("gssencmode=require is not supported: there is no GSSAPI")
                .with_help("Use TLS: sslmode=verify-full."));
        }
        let known = || PARAMS.into_iter().chain(IDLE);
        if let Some(near) = playbook_api::nearest(name, known())
            && !known().any(|known| known == name)
        {
            return Err(Error::new(format!("the database URL has an unknown parameter '{name}'"))
                .with_help(format!("Did you mean '{near}'?")));
        }
    }
    Ok(())
}

fn check_param(name: &str) -> Result<(), Error> {
    match UNKEPT.iter().find(|(unkept, _)| *unkept == name) {
        Some((_, help)) => {
            Err(Error::new(format!("the parameter '{name}' is not supported")).with_help(*help))
        }
        None => Ok(()),
    }
}

async fn from_secret(id: &str, login: &Login, context: &Context) -> Result<Url, Error> {
    let Some(source) = context.registry.secret_sources.first() else {
        return Err(Error::new(format!("cannot read the secret '{id}': this build does not support AWS"))
            .with_help("Build with the feature `aws`, or set url or the login_* arguments."));
    };
    let options: Map = login.aws().into_iter().map(|(n, v)| (Value::from(n), Value::from(v))).collect();
    let value = source.read(id, &options, context).await?;
    let what = format!("the secret '{id}'");
    let secret = Credentials::read(&value, &what)?;
    if let Some(password) = &secret.password {
        context.redactor.register(password);
    }
    let missing: Vec<&str> = [
        ("username", secret.username.is_none() && login.login_user.is_none()),
        ("password", secret.password.is_none() && login.login_password.is_none()),
    ]
    .iter()
    .filter_map(|(name, missing)| missing.then_some(*name))
    .collect();
    if !missing.is_empty() {
        let keys = value.as_map().map(|m| m.keys().map(Value::to_text).collect::<Vec<_>>().join(", "));
        return Err(Error::new(format!("{what} lacks {}", missing.join(" and "))).with_help(
            keys.map_or_else(
                || "Add it to the secret.".into(),
                |keys| format!("The secret's keys are {keys}."),
            ),
        ));
    }
    Ok(Url {
        scheme: "postgresql".into(),
        user: secret.username,
        password: secret.password,
        hosts: secret.host.map(|h| (h, secret.port)).into_iter().collect(),
        dbname: secret.dbname,
        ..Url::default()
    })
}

/// Returns a variable of the task's environment, or of the process.
pub(crate) fn variable(context: &Context, name: &str) -> Option<String> {
    let own = context.environment.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    own.or_else(|| std::env::var(name).ok()).filter(|v| !v.is_empty())
}

/// Returns libpq's default host: the directory of the server's Unix socket, or localhost if there is none.
async fn local_host(port: u16, context: &Context) -> Result<String, Error> {
    for directory in ["/var/run/postgresql", "/tmp"] {
        let socket = Path::new(directory).join(format!(".s.PGSQL.{port}"));
        if host::exists(&socket, context).await? {
            return Ok(directory.to_owned());
        }
    }
    Ok("localhost".to_owned())
}
