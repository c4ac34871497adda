//! Where the database is and who asks: the arguments that every module of this crate shares.

use std::path::Path;
use std::time::Duration;

use playbook_api::{Context, Deserialize, Error, JsonSchema, Map, Value};

use crate::credentials::Credentials;
use crate::host::{self, Environment};
use crate::passfile;
use crate::url::{Url, encode};

/// How much TLS, as libpq means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never.
    Disable,
    /// Only when the server insists.
    Allow,
    /// When the server offers it; the certificate is not checked.
    Prefer,
    /// Always; the certificate is checked only when `ca_cert` is given.
    Require,
    /// Always, with a certificate that `ca_cert` (or the system) vouches for.
    VerifyCa,
    /// Always, with a certificate that is vouched for and names this host.
    VerifyFull,
}

impl SslMode {
    fn parse(text: &str) -> Result<SslMode, Error> {
        serde_json::from_value(text.into()).map_err(|_| {
            Error::new(format!("'{text}' is no sslmode"))
                .with_help("it is one of disable, allow, prefer, require, verify-ca, verify-full")
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            SslMode::Disable => "disable",
            SslMode::Allow => "allow",
            SslMode::Prefer => "prefer",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        }
    }
}

/// The connection, by `url`, by `secret` or by the login_* arguments, which also complete or override the other
/// two. What nobody says comes from libpq's variables (PGHOST, PGPASSWORD, …) and defaults.
#[derive(Clone, Default, Deserialize, JsonSchema)]
pub struct Login {
    /// URL of the database: `postgresql://user:password@host:port/dbname?sslmode=verify-full`. SQLAlchemy's
    /// `postgresql+psycopg2://` and the like are taken too.
    #[schemars(extend("aliases" = ["database_url", "dsn"], "no_log" = true))]
    pub url: Option<String>,
    /// Name or ARN of a secret with `username`, `password`, `host`, `port` and `dbname`; for an RDS-managed
    /// secret, which has no host and dbname, give `login_host` and `login_db` too.
    #[schemars(extend("aliases" = ["secret_id", "secret_arn"]))]
    pub secret: Option<String>,
    /// The host that the database server runs on, as the managed host sees it, or the directory of its Unix socket.
    #[schemars(extend("aliases" = ["host"]))]
    pub login_host: Option<String>,
    /// Port of the database server, 5432 unless given.
    #[schemars(extend("aliases" = ["port"]))]
    pub login_port: Option<u16>,
    /// Role to log in as, `postgres` unless given.
    #[schemars(extend("aliases" = ["login"]))]
    pub login_user: Option<String>,
    /// Password of that role.
    #[schemars(extend("no_log" = true))]
    pub login_password: Option<String>,
    /// Database to connect to.
    #[schemars(extend("aliases" = ["db", "dbname", "database"]))]
    pub login_db: Option<String>,
    /// The directory of the server's Unix socket on the managed host. It is used if `login_host` is missing or
    /// `localhost`.
    #[schemars(extend("aliases" = ["unix_socket"]))]
    pub login_unix_socket: Option<String>,
    /// How much TLS, `prefer` unless given.
    #[schemars(extend("aliases" = ["sslmode"]))]
    pub ssl_mode: Option<SslMode>,
    /// File with the certificates of the authorities to trust, or `system`. For Amazon RDS this is the bundle
    /// https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem.
    #[schemars(extend("aliases" = ["ssl_rootcert", "sslrootcert"]))]
    pub ca_cert: Option<String>,
    /// File with the client's certificate.
    #[schemars(extend("aliases" = ["sslcert"]))]
    pub ssl_cert: Option<String>,
    /// File with the key of the client's certificate.
    #[schemars(extend("aliases" = ["sslkey"]))]
    pub ssl_key: Option<String>,
    /// Further libpq parameters: connect_timeout (10 seconds unless given), application_name, options,
    /// target_session_attrs.
    pub connect_params: Option<serde_json::Map<String, serde_json::Value>>,
    /// Role to take on after logging in.
    pub session_role: Option<String>,
    /// AWS region of the secret.
    #[schemars(extend("aliases" = ["aws_region"]))]
    pub region: Option<String>,
    /// AWS profile to read the secret with.
    #[schemars(extend("aliases" = ["aws_profile"]))]
    pub profile: Option<String>,
    /// Endpoint to read the secret from.
    #[schemars(extend("aliases" = ["aws_endpoint_url"]))]
    pub endpoint_url: Option<String>,
    /// AWS access key to read the secret with.
    #[schemars(extend("aliases" = ["aws_access_key", "aws_access_key_id"]))]
    pub access_key: Option<String>,
    /// The secret half of the access key.
    #[schemars(extend("aliases" = ["aws_secret_key", "aws_secret_access_key"], "no_log" = true))]
    pub secret_key: Option<String>,
    /// Session token of temporary AWS credentials.
    #[schemars(extend("aliases" = ["aws_session_token"], "no_log" = true))]
    pub session_token: Option<String>,
    /// Ignored: statements and names are quoted, never trusted. For compatibility.
    #[expect(dead_code, reason = "playbooks give it, nothing hangs on it")]
    trust_input: Option<bool>,
}

impl Login {
    /// The AWS connection, as far as it is given.
    pub fn aws(&self) -> Vec<(&'static str, &str)> {
        [
            ("region", &self.region),
            ("profile", &self.profile),
            ("endpoint_url", &self.endpoint_url),
            ("access_key", &self.access_key),
            ("secret_key", &self.secret_key),
            ("session_token", &self.session_token),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|v| (name, v)))
        .collect()
    }
}

/// The parameters of a URL that are for this program; others are the application's own business.
const PARAMS: [&str; 9] = [
    "sslmode",
    "ssl",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "application_name",
    "options",
    "target_session_attrs",
];

/// A database to connect to.
#[derive(Clone)]
pub struct Target {
    pub url: Url,
    pub role: Option<String>,
    /// The environment of the host that connects.
    pub environment: Environment,
}

impl Target {
    /// Settles everything about the connection, and tells the redactor what must not be shown.
    /// `database` is the one to use where nobody names one.
    pub async fn resolve(login: &Login, database: &str, context: &Context) -> Result<Target, Error> {
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
        for (name, _) in &url.params {
            if let Some(near) = playbook_api::nearest(name, PARAMS.into_iter())
                && !PARAMS.contains(&name.as_str())
            {
                return Err(Error::new(format!("the database URL has an unknown parameter '{name}'"))
                    .with_help(format!("did you mean '{near}'?")));
            }
        }
        let environment = Environment::of(context).await?;
        let libpq = |name: &str| from_login.then(|| environment.get(name)).flatten();
        let socket = login.login_unix_socket.clone().filter(|s| !s.is_empty());
        let host = login.login_host.clone().filter(|h| !h.is_empty());
        // So it is in community.postgresql: a socket takes the place of localhost, and of no other host.
        let host = host.filter(|host| host != "localhost" || socket.is_none()).or(socket);
        if let Some(host) = host.or_else(|| libpq("PGHOST")) {
            url.hosts = host.split(',').map(|h| (h.trim().to_owned(), None)).collect();
        }
        let port = login.login_port.or_else(|| libpq("PGPORT").and_then(|p| p.parse().ok()));
        if url.hosts.is_empty() {
            if let Some(id) = &login.secret {
                return Err(Error::new(format!("the secret '{id}' has no host")).with_help(
                    "an RDS-managed secret holds user name and password alone: give login_host and login_db",
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
                    "an RDS-managed secret holds user name and password alone: give login_host and login_db",
                ));
            }
            url.dbname =
                Some(database).filter(|d| !d.is_empty()).map(str::to_owned).or_else(|| url.user.clone());
        }
        for (name, value) in login.connect_params.iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "host" | "hostaddr" => url.hosts.iter_mut().for_each(|(h, _)| h.clone_from(&value)),
                name if PARAMS.contains(&name) => url.set_param(name, value),
                name if url.param(name).is_none() && !name.starts_with("keepalives") => {
                    return Err(Error::new(format!("connect_params has an unknown parameter '{name}'"))
                        .with_help(format!("known are {}", PARAMS.join(", "))));
                }
                _ => {}
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
        Ok(Target { url, role: login.session_role.clone(), environment })
    }

    /// The password in every form it may turn up in.
    fn register_secrets(&self, context: &Context) {
        let (Some(user), Some(password)) = (&self.url.user, &self.url.password) else { return };
        for (user, password) in [(user.clone(), password.clone()), (encode(user), encode(password))] {
            context.redactor.register(&password);
            context.redactor.register(&format!("{user}:{password}@"));
        }
        context.redactor.register(&self.url.to_text());
    }

    /// The same server and role, another database.
    pub fn with_database(&self, name: &str) -> Target {
        let mut target = self.clone();
        target.url.dbname = Some(name.to_owned());
        target
    }

    pub fn dbname(&self) -> &str {
        self.url.dbname.as_deref().unwrap_or_default()
    }

    pub fn user(&self) -> &str {
        self.url.user.as_deref().unwrap_or_default()
    }

    pub fn ssl_mode(&self) -> Result<SslMode, Error> {
        match self.url.param("sslmode").or(self.url.param("ssl")) {
            Some("true") => Ok(SslMode::Require),
            Some("false") => Ok(SslMode::Disable),
            Some(text) => SslMode::parse(text),
            None => Ok(SslMode::Prefer),
        }
    }

    pub fn connect_timeout(&self) -> Duration {
        let seconds = self.url.param("connect_timeout").and_then(|s| s.parse().ok()).filter(|s| *s > 0);
        Duration::from_secs(seconds.unwrap_or(10))
    }

    /// `database 'shop' on db:5432 as 'app'`
    pub fn describe(&self) -> String {
        let hosts: Vec<String> =
            (self.url.hosts.iter()).map(|(host, port)| format!("{host}:{}", port.unwrap_or(5432))).collect();
        format!("database '{}' on {} as '{}'", self.dbname(), hosts.join(","), self.user())
    }
}

async fn from_secret(id: &str, login: &Login, context: &Context) -> Result<Url, Error> {
    let Some(source) = context.registry.secret_sources.first() else {
        return Err(Error::new(format!(
            "cannot read the secret '{id}': this build has no source of secrets"
        ))
        .with_help("build with the feature `aws`, or give url or the login_* arguments"));
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
            keys.map_or_else(|| "add it to the secret".into(), |keys| format!("its keys are: {keys}")),
        ));
    }
    Ok(Url {
        scheme: "postgresql".into(),
        user: secret.username,
        password: secret.password,
        hosts: secret.host.map(|h| (h, secret.port)).into_iter().collect(),
        dbname: secret.dbname,
        params: Vec::new(),
    })
}

/// A variable of the task's environment, or of the process's.
pub fn variable(context: &Context, name: &str) -> Option<String> {
    let own = context.environment.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    own.or_else(|| std::env::var(name).ok()).filter(|v| !v.is_empty())
}

/// Without a host libpq uses the server's Unix socket; where there is none, localhost.
async fn local_host(port: u16, context: &Context) -> Result<String, Error> {
    for directory in ["/var/run/postgresql", "/tmp"] {
        let socket = Path::new(directory).join(format!(".s.PGSQL.{port}"));
        if host::exists(&socket, context).await? {
            return Ok(directory.to_owned());
        }
    }
    Ok("localhost".to_owned())
}
