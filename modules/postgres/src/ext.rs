//! `postgresql_ext`: installs, updates or removes an extension of a database.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Failure, JsonSchema, Outcome};

use crate::commands::Commands;
use crate::login::Login;
use crate::session::{Session, ident, literal, not_there_yet};
use crate::state::State;
use crate::target::Target;

/// Installs, updates or removes an extension of a database.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlExt {
    /// The name of the extension.
    #[schemars(extend("aliases" = ["ext"]))]
    name: String,
    /// The state of the extension.
    #[serde(default)]
    state: State,
    /// The schema that the extension is installed in.
    schema: Option<String>,
    /// The version of the extension, or `latest`. By default a new extension gets the default version, and an installed
    /// one is not updated.
    version: Option<String>,
    /// Whether to install the extensions that it requires, or remove the objects that depend on it.
    #[serde(default)]
    cascade: bool,
    /// The comment on the extension.
    comment: Option<String>,
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlExt {
    const DOC: Doc = Doc {
        name: "postgresql_ext",
        collection: "community.postgresql",
        short: "Install, update or remove PostgreSQL extensions",
        check_mode: "Full: lists the statements it would execute, in a session that cannot write.",
        returns: &[
            ("queries", "list", "The statements executed"),
            ("prev_version", "str", "The installed version before the task"),
            ("version", "str", "The installed version after the task"),
        ],
        examples: "\
- name: The application needs pgcrypto
  community.postgresql.postgresql_ext:
    name: pgcrypto
    login_db: shop
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let target = Target::resolve(&self.login, "postgres", context).await?;
        let Some(session) = Session::open_or_foresee(&target, context).await? else {
            return Ok(not_there_yet(&target));
        };
        let mut commands = Commands::new(&session, context);
        let (name, quoted) = (ident(&self.name), literal(&self.name));
        let installed = format!(
            "SELECT e.extversion, n.nspname, obj_description(e.oid, 'pg_extension')
             FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = {quoted}"
        );
        let found = session.rows(&installed).await?.into_iter().next();
        let column = |i: usize| found.as_ref().and_then(|row| row.get(i)).and_then(Option::as_deref);
        let before = column(0).map(str::to_owned);
        let cascade = if self.cascade { " CASCADE" } else { "" };
        match (self.state, &found) {
            (State::Absent, None) => {}
            (State::Absent, Some(_)) => commands.run(&format!("DROP EXTENSION {name}{cascade}")).await?,
            (State::Present, None) => {
                let available = format!("SELECT 1 FROM pg_available_extensions WHERE name = {quoted}");
                commands.expect(&format!("the extension '{}' on the server", self.name), &available).await?;
                let latest = |v: &&String| v.as_str() != "latest";
                let mut sql = format!("CREATE EXTENSION {name}");
                sql += &self.schema.iter().map(|s| format!(" SCHEMA {}", ident(s))).collect::<String>();
                sql += &self
                    .version
                    .iter()
                    .filter(latest)
                    .map(|v| format!(" VERSION {}", literal(v)))
                    .collect::<String>();
                commands.run(&format!("{sql}{cascade}")).await?;
            }
            (State::Present, Some(_)) => {
                let wanted = match self.version.as_deref() {
                    Some("latest") => {
                        let sql = format!(
                            "SELECT default_version FROM pg_available_extensions WHERE name = {quoted}"
                        );
                        session.value(&sql).await?
                    }
                    other => other.map(str::to_owned),
                };
                if let Some(version) = wanted.filter(|v| Some(v.as_str()) != column(0)) {
                    commands.run(&format!("ALTER EXTENSION {name} UPDATE TO {}", literal(&version))).await?;
                }
                if let Some(schema) = self.schema.as_ref().filter(|s| Some(s.as_str()) != column(1)) {
                    commands.run(&format!("ALTER EXTENSION {name} SET SCHEMA {}", ident(schema))).await?;
                }
            }
        }
        if let (State::Present, Some(comment)) = (self.state, &self.comment)
            && Some(comment.as_str()) != column(2)
        {
            commands.run(&format!("COMMENT ON EXTENSION {name} IS {}", literal(comment))).await?;
        }
        let after = session.value(&installed).await?;
        Ok(commands
            .outcome("queries")
            .with("ext", self.name.as_str())
            .with("prev_version", before)
            .with("version", after))
    }
}
