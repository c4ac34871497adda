//! `postgresql_user`: creates, alters or drops a role that can log in.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome, Value};

use crate::commands::Commands;
use crate::fault::already_there;
use crate::login::Login;
use crate::password;
use crate::row::Row;
use crate::session::{Session, ident, literal};
use crate::state::State;
use crate::target::Target;

/// Creates, alters or drops a role that can log in.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlUser {
    /// The name of the role.
    #[schemars(extend("aliases" = ["user"]))]
    name: String,
    /// The state of the role.
    #[serde(default)]
    state: State,
    /// The role's password, in plain text or as PostgreSQL stores it (`SCRAM-SHA-256$…`, `md5…`). A plain password is
    /// hashed before it is sent. An empty one removes the password.
    #[schemars(extend("no_log" = true))]
    password: Option<String>,
    /// Whether to leave the password of an existing role unchanged.
    #[serde(default)]
    no_password_changes: bool,
    /// The role's attributes, separated by commas: SUPERUSER, CREATEROLE, CREATEDB, INHERIT, LOGIN, REPLICATION and
    /// BYPASSRLS. The prefix NO removes an attribute.
    role_attr_flags: Option<String>,
    /// The time at which the password expires, as a timestamp, or `infinity`.
    expires: Option<String>,
    /// The number of connections that the role may have at a time; -1 means no limit.
    conn_limit: Option<i64>,
    /// The comment on the role.
    comment: Option<String>,
    /// The settings of the role's sessions, such as `search_path: app`.
    #[serde(default)]
    configuration: serde_json::Map<String, serde_json::Value>,
    /// Whether to reset the settings that `configuration` does not name.
    #[serde(default)]
    reset_unspecified_configuration: bool,
    /// Whether to fail if the role cannot be dropped because it owns objects.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["fail_on_role"]))]
    fail_on_user: bool,
    /// Ignored, since the password is always stored hashed. Accepted for compatibility.
    #[expect(dead_code, reason = "accepted for compatibility")]
    encrypted: Option<bool>,
    #[serde(flatten)]
    login: Login,
}

fn yes() -> bool {
    true
}

/// The attributes, in the order of the columns of the query in `find`.
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
            ("user", "str", "The name of the role"),
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
                            "Give what it owns to another role first: REASSIGN OWNED BY … TO …, then DROP \
                            OWNED BY …; or keep the role with fail_on_user: false.",
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
    /// Returns the attributes that the task names, each with whether the role should have it.
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
                        .with_help(format!("Use one of {}, with or without the prefix NO.", FLAGS.join(", ")))
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

    /// Returns the password clause as it is sent and as it is shown; both are empty if no password is given.
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

    /// Returns whether the role already has the given password.
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
        // Managed services do not let anyone read the stored passwords, so try to log in.
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

    /// Sets and resets the settings of the role. `settings` are its present ones, as `name=value`.
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

/// Returns the value of a setting as SQL. A list of names is several values, not one string with commas.
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
