//! `postgresql_db`: creates, alters, renames or drops a database.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome};

use crate::commands::Commands;
use crate::fault::already_there;
use crate::login::Login;
use crate::row::Row;
use crate::session::{Session, ident, literal};
use crate::target::Target;

/// The state of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The database exists.
    #[default]
    Present,
    /// The database does not exist.
    Absent,
    /// The database is renamed to `target`.
    Rename,
}

/// Creates, alters, renames or drops a database.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "rename", ["target"]]]))]
pub(crate) struct PostgresqlDb {
    /// The name of the database.
    #[schemars(extend("aliases" = ["db"]))]
    name: String,
    #[serde(default)]
    state: State,
    /// The role that owns the database.
    owner: Option<String>,
    /// The template that the database is created from.
    template: Option<String>,
    /// The character encoding, which cannot be changed later.
    encoding: Option<String>,
    /// The collation order, which cannot be changed later.
    lc_collate: Option<String>,
    /// The character classification, which cannot be changed later.
    lc_ctype: Option<String>,
    /// The locale provider of a new database.
    locale_provider: Option<String>,
    /// The ICU locale of a new database.
    icu_locale: Option<String>,
    /// The tablespace of the database.
    tablespace: Option<String>,
    /// The number of connections that may be open at a time; -1 means no limit.
    conn_limit: Option<i64>,
    /// The comment on the database.
    comment: Option<String>,
    /// The new name, with `state: rename`.
    target: Option<String>,
    /// Whether to end all connections to the database before it is dropped.
    #[serde(default)]
    force: bool,
    /// The database to connect to while this one is managed.
    maintenance_db: Option<String>,
    #[serde(flatten)]
    login: Login,
}

impl ControllerModule for PostgresqlDb {
    const DOC: Doc = Doc {
        name: "postgresql_db",
        collection: "community.postgresql",
        short: "Create, alter or drop PostgreSQL databases",
        check_mode: "Full: lists the statements it would execute, in a session that cannot write.",
        returns: &[
            ("executed_commands", "list", "The statements executed"),
            ("db", "str", "The name of the database"),
        ],
        examples: "\
- name: The application's database exists
  community.postgresql.postgresql_db:
    name: shop
    owner: shop
    login_host: db.example.com
    login_password: \"{{ password }}\"
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let target = Target::resolve(&self.login, "postgres", context).await?;
        // A url or secret names the managed database, to which one cannot connect before it is created.
        let maintenance =
            self.maintenance_db.as_deref().or(self.login.login_db.as_deref()).unwrap_or("postgres");
        let session = Session::open(&target.with_database(maintenance), context).await?;
        let mut commands = Commands::new(&session, context);
        let found = self.find(&session, &self.name).await?;
        if self.state == State::Present {
            commands.expect_owner(self.owner.as_deref()).await?;
        }
        match (self.state, found) {
            (State::Present, None) => {
                if let Err(failure) = self.create(&mut commands).await {
                    match self.find(&session, &self.name).await? {
                        Some(row) if already_there(&failure) => {
                            self.alter(&row, &session, &mut commands).await?
                        }
                        _ => return Err(failure),
                    }
                }
            }
            (State::Present, Some(row)) => self.alter(&row, &session, &mut commands).await?,
            (State::Absent, Some(_)) => self.drop(&session, &mut commands).await?,
            (State::Absent, None) => {}
            (State::Rename, found) => self.rename(found.is_some(), &session, &mut commands).await?,
        }
        Ok(commands.outcome("executed_commands").with("db", self.name.as_str()))
    }
}

impl PostgresqlDb {
    async fn find(&self, session: &Session, name: &str) -> Result<Option<Row>, Error> {
        let sql = format!(
            "SELECT pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
                    d.datconnlimit, t.spcname, shobj_description(d.oid, 'pg_database')
             FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = {}",
            literal(name)
        );
        Ok(session.rows(&sql).await?.into_iter().next())
    }

    async fn create(&self, commands: &mut Commands<'_>) -> Result<(), Failure> {
        let mut sql = format!("CREATE DATABASE {}", ident(&self.name));
        for (word, name) in
            [("OWNER", &self.owner), ("TEMPLATE", &self.template), ("TABLESPACE", &self.tablespace)]
        {
            sql += &name.iter().map(|name| format!(" {word} {}", ident(name))).collect::<String>();
        }
        for (word, text) in [
            ("ENCODING", &self.encoding),
            ("LOCALE_PROVIDER", &self.locale_provider),
            ("ICU_LOCALE", &self.icu_locale),
            ("LC_COLLATE", &self.lc_collate),
            ("LC_CTYPE", &self.lc_ctype),
        ] {
            sql += &text.iter().map(|text| format!(" {word} {}", literal(text))).collect::<String>();
        }
        sql += &self.conn_limit.iter().map(|n| format!(" CONNECTION LIMIT {n}")).collect::<String>();
        commands.run(&sql).await?;
        match &self.comment {
            Some(comment) => self.set_comment(comment, commands).await,
            None => Ok(()),
        }
    }

    async fn alter(&self, row: &Row, session: &Session, commands: &mut Commands<'_>) -> Result<(), Failure> {
        let column = |i: usize| row.get(i).and_then(Option::as_deref).unwrap_or_default();
        if let Some(encoding) = &self.encoding {
            let sql = format!(
                "SELECT pg_char_to_encoding({}) = pg_char_to_encoding({})",
                literal(encoding),
                literal(column(1))
            );
            if session.value(&sql).await?.as_deref() != Some("t") {
                return Err(self.fixed("encoding", column(1), encoding));
            }
        }
        for (name, wanted, is) in
            [("lc_collate", &self.lc_collate, column(2)), ("lc_ctype", &self.lc_ctype, column(3))]
        {
            if let Some(wanted) = wanted.as_ref().filter(|w| *w != is) {
                return Err(self.fixed(name, is, wanted));
            }
        }
        let name = ident(&self.name);
        if let Some(owner) = self.owner.as_ref().filter(|o| *o != column(0)) {
            commands.run(&format!("ALTER DATABASE {name} OWNER TO {}", ident(owner))).await?;
        }
        if let Some(limit) = self.conn_limit.filter(|n| n.to_string() != column(4)) {
            commands.run(&format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}")).await?;
        }
        if let Some(space) = self.tablespace.as_ref().filter(|t| *t != column(5)) {
            commands.run(&format!("ALTER DATABASE {name} SET TABLESPACE {}", ident(space))).await?;
        }
        match self.comment.as_ref().filter(|c| *c != column(6)) {
            Some(comment) => self.set_comment(comment, commands).await,
            None => Ok(()),
        }
    }

    async fn set_comment(&self, comment: &str, commands: &mut Commands<'_>) -> Result<(), Failure> {
        commands.run(&format!("COMMENT ON DATABASE {} IS {}", ident(&self.name), literal(comment))).await
    }

    fn fixed(&self, what: &str, is: &str, wanted: &str) -> Failure {
        Failure::new(format!(
            "{what} of the database '{}' is {is} and cannot be changed to {wanted}",
            self.name
        ))
        .with_help("Dump it and restore it into a new database.")
    }

    async fn drop(&self, session: &Session, commands: &mut Commands<'_>) -> Result<(), Failure> {
        let name = ident(&self.name);
        if self.force && session.version().await? >= 130_000 {
            return commands.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        if self.force {
            let others = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid()",
                literal(&self.name)
            );
            commands.run(&others).await?;
        }
        commands.run(&format!("DROP DATABASE {name}")).await.map_err(|failure| {
            match failure.error.to_string().contains("55006") {
                true => failure.with_help("End the open connections to it with force: true."),
                false => failure,
            }
        })
    }

    async fn rename(
        &self,
        exists: bool,
        session: &Session,
        commands: &mut Commands<'_>,
    ) -> Result<(), Failure> {
        let new = self.target.as_deref().unwrap_or_default();
        let taken = self.find(session, new).await?.is_some();
        match (exists, taken) {
            (true, true) => Err(Failure::new(format!("both '{}' and '{new}' exist", self.name))
                .with_help("Drop one of them first.")),
            (false, true) => Ok(()),
            (false, false) => Err(Failure::new(format!("there is no database '{}' to rename", self.name))),
            (true, false) => {
                commands.run(&format!("ALTER DATABASE {} RENAME TO {}", ident(&self.name), ident(new))).await
            }
        }
    }
}
