//! `postgresql_ping`: whether the server answers.

use playbook_api::{
    Context, ControllerModule, Deserialize, Doc, Error, ErrorKind, Failure, JsonSchema, Map, Outcome, map,
};

use crate::login::{Login, Target};
use crate::session::Session;

/// Checks whether a PostgreSQL server answers, and which version it is. An unreachable server is no failure.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlPing {
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlPing {
    const DOC: Doc = Doc {
        name: "postgresql_ping",
        collection: "community.postgresql",
        short: "Check whether a PostgreSQL server answers",
        check_mode: "Full: it only ever looks.",
        returns: &[
            ("is_available", "bool", "Whether it answers"),
            ("server_version", "dict", "major, minor, full, raw"),
            ("conn_err_msg", "str", "Why it does not"),
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
                // That is the managed host's trouble, and not the server's.
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
