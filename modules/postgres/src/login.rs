//! The connection arguments that every module of this crate shares.

use playbook_api::{Deserialize, Error, JsonSchema};

/// libpq's levels of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SslMode {
    /// Does not use TLS.
    Disable,
    /// Uses TLS only if the server requires it.
    Allow,
    /// Uses TLS if the server supports it. The certificate is not checked.
    Prefer,
    /// Requires TLS. The certificate is checked only if `ca_cert` is given.
    Require,
    /// Requires TLS and a certificate that an authority in `ca_cert` (or the system) has signed.
    VerifyCa,
    /// Requires TLS and such a certificate for this host's name.
    VerifyFull,
}

impl SslMode {
    pub(crate) fn parse(text: &str) -> Result<SslMode, Error> {
        serde_json::from_value(text.into()).map_err(|_| {
            Error::new(format!("'{text}' is not a valid sslmode"))
                .with_help("The values are disable, allow, prefer, require, verify-ca and verify-full.")
        })
    }

    pub(crate) fn name(self) -> &'static str {
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

/// The connection, given by `url`, `secret` or the login_* arguments, which also complete or override the other
/// two. The rest comes from libpq's environment variables (PGHOST, PGPASSWORD, …) and defaults.
#[derive(Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct Login {
    /// The URL of the database: `postgresql://user:password@host:port/dbname?sslmode=verify-full`. SQLAlchemy's
    /// schemes such as `postgresql+psycopg2://` are accepted too.
    #[schemars(extend("aliases" = ["database_url", "dsn"], "no_log" = true))]
    pub(crate) url: Option<String>,
    /// The name or ARN of a secret with `username`, `password`, `host`, `port` and `dbname`; for an RDS-managed
    /// secret, which has no host and dbname, set `login_host` and `login_db` too.
    #[schemars(extend("aliases" = ["secret_id", "secret_arn"]))]
    pub(crate) secret: Option<String>,
    /// The host that the database server runs on, as the managed host sees it, or the directory of its Unix socket.
    #[schemars(extend("aliases" = ["host"]))]
    pub(crate) login_host: Option<String>,
    /// The port of the database server, 5432 by default.
    #[schemars(extend("aliases" = ["port"]))]
    pub(crate) login_port: Option<u16>,
    /// The role to log in as, `postgres` by default.
    #[schemars(extend("aliases" = ["login"]))]
    pub(crate) login_user: Option<String>,
    /// The password of that role.
    #[schemars(extend("no_log" = true))]
    pub(crate) login_password: Option<String>,
    /// The database to connect to.
    #[schemars(extend("aliases" = ["db", "dbname", "database"]))]
    pub(crate) login_db: Option<String>,
    /// The directory of the server's Unix socket on the managed host. It is used if `login_host` is missing or
    /// `localhost`.
    #[schemars(extend("aliases" = ["unix_socket"]))]
    pub(crate) login_unix_socket: Option<String>,
    /// Whether the connection uses TLS, and how the server's certificate is checked; `prefer` by default.
    #[schemars(extend("aliases" = ["sslmode"]))]
    pub(crate) ssl_mode: Option<SslMode>,
    /// The file with the certificates of the authorities to trust, or `system`. For Amazon RDS this is the bundle
    /// https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem.
    #[schemars(extend("aliases" = ["ssl_rootcert", "sslrootcert"]))]
    pub(crate) ca_cert: Option<String>,
    /// The file with the client's certificate.
    #[schemars(extend("aliases" = ["sslcert"]))]
    pub(crate) ssl_cert: Option<String>,
    /// The file with the key of the client's certificate.
    #[schemars(extend("aliases" = ["sslkey"]))]
    pub(crate) ssl_key: Option<String>,
    /// Further libpq parameters, as in a URL: connect_timeout (10 seconds by default), application_name, options,
    /// target_session_attrs, service, keepalives and so on. Parameters that restrict a connection and cannot be kept
    /// are refused.
    pub(crate) connect_params: Option<serde_json::Map<String, serde_json::Value>>,
    /// The role to switch to after logging in.
    pub(crate) session_role: Option<String>,
    /// The AWS region of the secret.
    #[schemars(extend("aliases" = ["aws_region"]))]
    pub(crate) region: Option<String>,
    /// The AWS profile to read the secret with.
    #[schemars(extend("aliases" = ["aws_profile"]))]
    pub(crate) profile: Option<String>,
    /// The endpoint to read the secret from.
    #[schemars(extend("aliases" = ["aws_endpoint_url"]))]
    pub(crate) endpoint_url: Option<String>,
    /// The AWS access key to read the secret with.
    #[schemars(extend("aliases" = ["aws_access_key", "aws_access_key_id"]))]
    pub(crate) access_key: Option<String>,
    /// The secret half of the access key.
    #[schemars(extend("aliases" = ["aws_secret_key", "aws_secret_access_key"], "no_log" = true))]
    pub(crate) secret_key: Option<String>,
    /// The session token of temporary AWS credentials.
    #[schemars(extend("aliases" = ["aws_session_token"], "no_log" = true))]
    pub(crate) session_token: Option<String>,
    /// Ignored, since names and values are always quoted. Accepted for compatibility.
    #[expect(dead_code, reason = "accepted for compatibility")]
    trust_input: Option<bool>,
}

impl Login {
    /// The AWS connection, as far as it is given.
    pub(crate) fn aws(&self) -> Vec<(&'static str, &str)> {
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
