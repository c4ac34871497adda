//! `postgresql_schema`: creates, alters or drops a schema.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Failure, JsonSchema, Outcome};

use crate::commands::Commands;
use crate::login::Login;
use crate::session::{Session, ident, literal, not_there_yet};
use crate::state::State;
use crate::target::Target;

/// Creates, alters or drops a schema.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlSchema {
    /// The name of the schema.
    #[schemars(extend("aliases" = ["schema"]))]
    name: String,
    /// The state of the schema.
    #[serde(default)]
    state: State,
    /// The role that owns the schema.
    owner: Option<String>,
    /// The comment on the schema.
    comment: Option<String>,
    /// Whether to drop the objects in the schema as well.
    #[serde(default)]
    cascade_drop: bool,
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlSchema {
    const DOC: Doc = Doc {
        name: "postgresql_schema",
        collection: "community.postgresql",
        short: "Create, alter or drop PostgreSQL schemas",
        check_mode: "Full: lists the statements it would execute, in a session that cannot write.",
        returns: &[
            ("queries", "list", "The statements executed"),
            ("schema", "str", "The name of the schema"),
        ],
        examples: "\
- name: The application has a schema of its own
  community.postgresql.postgresql_schema:
    name: shop
    owner: shop
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
        let name = ident(&self.name);
        let sql = format!(
            "SELECT pg_get_userbyid(nspowner), obj_description(oid, 'pg_namespace') FROM pg_namespace \
            WHERE nspname = {}",
            literal(&self.name)
        );
        let found = session.rows(&sql).await?.into_iter().next();
        match (self.state, &found) {
            (State::Absent, Some(_)) => {
                let cascade = if self.cascade_drop { " CASCADE" } else { "" };
                commands.run(&format!("DROP SCHEMA {name}{cascade}")).await?;
            }
            (State::Absent, None) => {}
            (State::Present, found) => {
                commands.expect_owner(self.owner.as_deref()).await?;
                let column = |i: usize| found.as_ref().and_then(|row| row.get(i)).and_then(Option::as_deref);
                if found.is_none() {
                    let owner = self.owner.iter().map(|o| format!(" AUTHORIZATION {}", ident(o)));
                    commands.run(&format!("CREATE SCHEMA {name}{}", owner.collect::<String>())).await?;
                } else if let Some(owner) = self.owner.as_ref().filter(|o| Some(o.as_str()) != column(0)) {
                    commands.run(&format!("ALTER SCHEMA {name} OWNER TO {}", ident(owner))).await?;
                }
                if let Some(comment) = self.comment.as_ref().filter(|c| Some(c.as_str()) != column(1)) {
                    commands.run(&format!("COMMENT ON SCHEMA {name} IS {}", literal(comment))).await?;
                }
            }
        }
        Ok(commands.outcome("queries").with("schema", self.name.as_str()))
    }
}
