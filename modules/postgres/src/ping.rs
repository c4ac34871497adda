//! `postgresql_ping`: checks whether the server responds.

use playbook_api::{
    Context, ControllerModule, Deserialize, Doc, Error, ErrorKind, Failure, JsonSchema, Map, Outcome, map,
};

use crate::login::Login;
use crate::session::Session;
use crate::target::Target;

/// Checks whether a PostgreSQL server responds, and returns its version. An unreachable server is not a failure.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlPing {
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlPing {
    const DOC: Doc = Doc {
        name: "postgresql_ping",
        collection: "community.postgresql",
        short: "Check whether a PostgreSQL server responds",
        check_mode: "Full: it never changes anything.",
        returns: &[
            ("is_available", "bool", "Whether the server responds"),
            ("server_version", "dict", "The server's version, as major, minor, full and raw"),
            ("conn_err_msg", "str", "The error of the connection, if the server does not respond"),
        ],
        examples: "\
- name: See whether the database is there
  community.postgresql.postgresql_ping:
    login_host: db.example.com
    login_password: \"{{ password }}\"
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let target = Target::resolve(&self.login, "postgres", context).await?;
        let answer = async {
            let session = Session::open(&target, context).await?;
            Ok((session.version().await?, session.value("SELECT version()").await?.unwrap_or_default()))
        };
        let (number, raw) = match answer.await {
            Ok(answer) => answer,
            Err(error) => {
                let error: Error = error;
                // The managed host is unreachable, not the server.
                if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Connection) {
                    return Err(error.into());
                }
                return Ok(Outcome::default()
                    .with("is_available", false)
                    .with("server_version", Map::default())
                    .with("conn_err_msg", error.to_string())
                    .warn(format!("PostgreSQL server is unavailable: {error}")));
            }
        };
        let (major, minor) = (number / 10_000, number % 100);
        let version = map! {
            "major" => major,
            "minor" => minor,
            "full" => format!("{major}.{minor}"),
            "raw" => raw,
        };
        Ok(Outcome::default()
            .with("is_available", true)
            .with("server_version", version)
            .with("conn_err_msg", ""))
    }
}
