//! `postgresql_user`: a role is there as wanted, or is not.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome, Value};

use crate::commands::Commands;
use crate::fault::already_there;
use crate::login::{Login, Target};
use crate::password;
use crate::session::{Row, Session, ident, literal};

/// What is wanted of the role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It exists.
    #[default]
    Present,
    /// It does not.
    Absent,
}

/// Creates, alters or drops a role that can log in.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlUser {
    /// Name of the role.
    #[schemars(extend("aliases" = ["user"]))]
    name: String,
    #[serde(default)]
    state: State,
    /// Its password, plain or as PostgreSQL stores it (`SCRAM-SHA-256$…`, `md5…`). It is hashed before it is sent.
    /// An empty one takes the password away.
    #[schemars(extend("no_log" = true))]
    password: Option<String>,
    /// Leave the password of a role that exists alone.
    #[serde(default)]
    no_password_changes: bool,
    /// Attributes, separated by commas: SUPERUSER, CREATEROLE, CREATEDB, INHERIT, LOGIN, REPLICATION, BYPASSRLS,
    /// each with NO in front for the contrary.
    role_attr_flags: Option<String>,
    /// When the password stops working, as a timestamp, or `infinity`.
    expires: Option<String>,
    /// How many connections it may have at a time, -1 for any number.
    conn_limit: Option<i64>,
    /// Comment on it.
    comment: Option<String>,
    /// Settings of its sessions: `search_path: app`.
    #[serde(default)]
    configuration: serde_json::Map<String, serde_json::Value>,
    /// Also reset the settings that `configuration` does not name.
    #[serde(default)]
    reset_unspecified_configuration: bool,
    /// Fail when it cannot be dropped because it owns something.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["fail_on_role"]))]
    fail_on_user: bool,
    /// Ignored: the password is always stored hashed. For compatibility.
    #[expect(dead_code, reason = "playbooks give it, nothing hangs on it")]
    encrypted: Option<bool>,
    #[serde(flatten)]
    login: Login,
}

fn yes() -> bool {
    true
}

/// The attributes, in the order that the query of `find` asks for them.
const FLAGS: [&str; 7] =
    ["SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS"];

impl ControllerModule for PostgresqlUser {
    const DOC: Doc = Doc {
        name: "postgresql_user",
        collection: "community.postgresql",
        short: "Create, alter or drop PostgreSQL roles",
        check_mode: "Full: lists the statements it would execute, in a session that cannot write.",
        returns: &[
            ("queries", "list", "The statements executed, passwords hidden"),
            ("user", "str", "The role"),
        ],
        examples: "\
- name: The application's role exists
  community.postgresql.postgresql_user:
    name: shop
    password: \"{{ lookup('amazon.aws.secretsmanager_secret', 'prod/shop', nested=true) }}\"
    role_attr_flags: NOSUPERUSER,NOCREATEDB
    login_host: db.example.com
    login_password: \"{{ password }}\"
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let flags = self.flags()?;
        let target = Target::resolve(&self.login, "postgres", context).await?;
        let session = Session::open(&target, context).await?;
        let mut commands = Commands::new(&session, context);
        let found = self.find(&session).await?;
        let mut removed = None;
        match (self.state, found) {
            (State::Present, None) => {
                if let Err(failure) = self.create(&flags, &session, &mut commands).await {
                    match self.find(&session).await? {
                        Some(row) if already_there(&failure) => {
                            self.alter(&row, &flags, &session, context, &mut commands).await?;
                        }
                        _ => return Err(failure),
                    }
                }
            }
            (State::Present, Some(row)) => {
                self.alter(&row, &flags, &session, context, &mut commands).await?;
            }
            (State::Absent, None) => removed = Some(false),
            (State::Absent, Some(_)) => {
                removed = Some(true);
                if let Err(failure) = commands.run(&format!("DROP ROLE {}", ident(&self.name))).await {
                    if self.fail_on_user {
                        return Err(failure.with_help(
                            "give what it owns to another role first: REASSIGN OWNED BY … TO …, then DROP OWNED BY …; fail_on_user: false lets it be",
                        ));
                    }
                    removed = Some(false);
                }
            }
        }
        let outcome = commands.outcome("queries").with("user", self.name.as_str());
        Ok(match removed {
            Some(removed) => outcome.with("user_removed", removed),
            None => outcome,
        })
    }
}

impl PostgresqlUser {
    /// The attributes asked for, each with whether it is wanted.
    fn flags(&self) -> Result<Vec<(&'static str, bool)>, Error> {
        let text = self.role_attr_flags.as_deref().unwrap_or_default();
        text.split([',', ' '])
            .map(|flag| flag.trim().to_ascii_uppercase())
            .filter(|flag| !flag.is_empty())
            .map(|flag| {
                let (name, wanted) = match flag.strip_prefix("NO") {
                    Some(name) => (name, false),
                    None => (flag.as_str(), true),
                };
                let known = FLAGS.into_iter().find(|known| *known == name);
                known.map(|name| (name, wanted)).ok_or_else(|| {
                    Error::new(format!("role_attr_flags: there is no attribute '{flag}'"))
                        .with_help(format!("there are {}, each also with NO in front", FLAGS.join(", ")))
                })
            })
            .collect()
    }

    async fn find(&self, session: &Session) -> Result<Option<Row>, Error> {
        let until = match &self.expires {
            Some(expires) => format!("rolvaliduntil IS NOT DISTINCT FROM {}::timestamptz", literal(expires)),
            None => "true".into(),
        };
        let sql = format!(
            "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
                    rolconnlimit, {until}, shobj_description(oid, 'pg_authid'), to_json(rolconfig)
             FROM pg_roles WHERE rolname = {}",
            literal(&self.name)
        );
        Ok(session.rows(&sql).await?.into_iter().next())
    }

    async fn create(
        &self,
        flags: &[(&str, bool)],
        session: &Session,
        commands: &mut Commands<'_>,
    ) -> Result<(), Failure> {
        let head = format!("CREATE USER {}", ident(&self.name));
        let mut tail: String = flags.iter().map(|flag| format!(" {}", spelled(*flag))).collect();
        tail += &self.conn_limit.iter().map(|n| format!(" CONNECTION LIMIT {n}")).collect::<String>();
        tail += &self.expires.iter().map(|t| format!(" VALID UNTIL {}", literal(t))).collect::<String>();
        let (sent, shown) = self.password_clause(session).await?;
        commands.run_shown_as(&format!("{head}{sent}{tail}"), &format!("{head}{shown}{tail}")).await?;
        if let Some(comment) = &self.comment {
            self.set_comment(comment, commands).await?;
        }
        self.configure(&[], commands).await
    }

    /// The password as it is sent and as it is shown; nothing where none is given.
    async fn password_clause(&self, session: &Session) -> Result<(String, &'static str), Error> {
        Ok(match self.password.as_deref() {
            None => (String::new(), ""),
            Some("") => (" PASSWORD NULL".into(), " PASSWORD NULL"),
            Some(password) => {
                let encryption = session.value("SHOW password_encryption").await?.unwrap_or_default();
                let hashed = password::hashed(password, &self.name, &encryption);
                (format!(" PASSWORD {}", literal(&hashed)), " PASSWORD '********'")
            }
        })
    }

    async fn alter(
        &self,
        row: &Row,
        flags: &[(&str, bool)],
        session: &Session,
        context: &Context,
        commands: &mut Commands<'_>,
    ) -> Result<(), Failure> {
        let column = |i: usize| row.get(i).and_then(Option::as_deref);
        let name = ident(&self.name);
        let is = |flag: &str| FLAGS.iter().position(|f| *f == flag).and_then(column) == Some("t");
        let mut clauses: Vec<String> =
            flags.iter().filter(|(flag, wanted)| is(flag) != *wanted).map(|flag| spelled(*flag)).collect();
        if let Some(limit) = self.conn_limit.filter(|n| Some(n.to_string().as_str()) != column(7)) {
            clauses.push(format!("CONNECTION LIMIT {limit}"));
        }
        if let Some(expires) = self.expires.as_ref().filter(|_| column(8) != Some("t")) {
            clauses.push(format!("VALID UNTIL {}", literal(expires)));
        }
        if !clauses.is_empty() {
            commands.run(&format!("ALTER ROLE {name} {}", clauses.join(" "))).await?;
        }
        if !self.no_password_changes && !self.has_password(session, context).await? {
            let (sent, shown) = self.password_clause(session).await?;
            commands
                .run_shown_as(&format!("ALTER ROLE {name}{sent}"), &format!("ALTER ROLE {name}{shown}"))
                .await?;
        }
        if let Some(comment) = self.comment.as_ref().filter(|c| Some(c.as_str()) != column(9)) {
            self.set_comment(comment, commands).await?;
        }
        let settings: Vec<String> =
            column(10).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        self.configure(&settings, commands).await
    }

    /// Whether the wanted password is the one the role has.
    async fn has_password(&self, session: &Session, context: &Context) -> Result<bool, Error> {
        let Some(wanted) = &self.password else { return Ok(true) };
        let readable = "SELECT has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT')";
        if session.value(readable).await?.as_deref() == Some("t") {
            let sql = format!(
                "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = {}",
                literal(&self.name)
            );
            let stored = session.value(&sql).await?;
            return Ok(match stored {
                Some(stored) => !wanted.is_empty() && password::matches(&stored, wanted, &self.name),
                None => wanted.is_empty(),
            });
        }
        // A managed service keeps the stored passwords to itself: logging in shows whether it is right.
        if wanted.is_empty() || password::is_hashed(wanted) {
            return Ok(false);
        }
        let mut target = session.target.clone();
        target.role = None;
        target.url.user = Some(self.name.clone());
        target.url.password = Some(wanted.clone());
        Ok(Session::open(&target, context).await.is_ok())
    }

    async fn set_comment(&self, comment: &str, commands: &mut Commands<'_>) -> Result<(), Failure> {
        commands.run(&format!("COMMENT ON ROLE {} IS {}", ident(&self.name), literal(comment))).await
    }

    /// `settings` are those it has, as `name=value`.
    async fn configure(&self, settings: &[String], commands: &mut Commands<'_>) -> Result<(), Failure> {
        let name = ident(&self.name);
        let has: Vec<(&str, &str)> = settings.iter().filter_map(|s| s.split_once('=')).collect();
        for (setting, value) in &self.configuration {
            let value = match value {
                serde_json::Value::Bool(b) => if *b { "on" } else { "off" }.to_owned(),
                other => Value::from_json(other.clone()).to_text().into_owned(),
            };
            if !has.iter().any(|(n, v)| n.eq_ignore_ascii_case(setting) && *v == value) {
                commands
                    .run(&format!(
                        "ALTER ROLE {name} SET {} = {}",
                        ident(setting),
                        setting_value(setting, &value)
                    ))
                    .await?;
            }
        }
        if self.reset_unspecified_configuration {
            for (setting, _) in has {
                if !self.configuration.keys().any(|wanted| wanted.eq_ignore_ascii_case(setting)) {
                    commands.run(&format!("ALTER ROLE {name} RESET {}", ident(setting))).await?;
                }
            }
        }
        Ok(())
    }
}

/// Lists of names are several values, not one text with commas in it.
fn setting_value(setting: &str, value: &str) -> String {
    let lists = ["search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"];
    match lists.contains(&setting.to_ascii_lowercase().as_str()) {
        true => {
            value.split(',').map(|part| literal(part.trim().trim_matches('"'))).collect::<Vec<_>>().join(", ")
        }
        false => literal(value),
    }
}

fn spelled((flag, wanted): (&str, bool)) -> String {
    if wanted { flag.to_owned() } else { format!("NO{flag}") }
}
