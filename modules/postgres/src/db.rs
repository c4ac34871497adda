//! `postgresql_db`: a database is there, is not, or has another name.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome};

use crate::commands::Commands;
use crate::fault::already_there;
use crate::login::{Login, Target};
use crate::session::{Row, Session, ident, literal};

/// What is wanted of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It exists.
    #[default]
    Present,
    /// It does not.
    Absent,
    /// It is called `target`.
    Rename,
}

/// Creates, alters, renames or drops a database.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "rename", ["target"]]]))]
pub(crate) struct PostgresqlDb {
    /// Name of the database.
    #[schemars(extend("aliases" = ["db"]))]
    name: String,
    #[serde(default)]
    state: State,
    /// Role that owns it.
    owner: Option<String>,
    /// Template it is created from.
    template: Option<String>,
    /// Character encoding; it cannot be changed later.
    encoding: Option<String>,
    /// Collation order; it cannot be changed later.
    lc_collate: Option<String>,
    /// Character classification; it cannot be changed later.
    lc_ctype: Option<String>,
    /// Provider of the locale, of a new database.
    locale_provider: Option<String>,
    /// ICU locale, of a new database.
    icu_locale: Option<String>,
    /// Tablespace it is in.
    tablespace: Option<String>,
    /// How many connections may be open at a time, -1 for any number.
    conn_limit: Option<i64>,
    /// Comment on it.
    comment: Option<String>,
    /// New name, with `state: rename`.
    target: Option<String>,
    /// Disconnect everybody before dropping it.
    #[serde(default)]
    force: bool,
    /// Database to connect to for all this.
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
        returns: &[("executed_commands", "list", "The statements executed"), ("db", "str", "The database")],
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
        // A url or secret names the database itself, which cannot be where it is created from.
        let maintenance =
            self.maintenance_db.as_deref().or(self.login.login_db.as_deref()).unwrap_or("postgres");
        let session = Session::open(&target.with_database(maintenance), context).await?;
        let mut commands = Commands::new(&session, context);
        let found = self.find(&session, &self.name).await?;
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
        .with_help("dump it and restore it into a new database")
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
                true => failure.with_help("somebody is connected to it: force: true disconnects them"),
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
                .with_help("drop one of them first")),
            (false, true) => Ok(()),
            (false, false) => Err(Failure::new(format!("there is no database '{}' to rename", self.name))),
            (true, false) => {
                commands.run(&format!("ALTER DATABASE {} RENAME TO {}", ident(&self.name), ident(new))).await
            }
        }
    }
}
