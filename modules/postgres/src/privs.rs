//! `postgresql_privs`: grants and revokes privileges on databases, schemas, tables, sequences and functions.

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome};

use crate::commands::Commands;
use crate::login::Login;
use crate::session::{Session, ident, literal, not_there_yet};
use crate::state::State;
use crate::target::Target;

/// The kind of object that the privileges are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Tables and views.
    #[default]
    Table,
    Sequence,
    /// Functions, with the types of their arguments: `area(int, int)`.
    Function,
    Database,
    Schema,
    /// Roles; the privilege is membership in them.
    Group,
    /// Objects that are created in the schema later: `objs` are TABLES, SEQUENCES, FUNCTIONS, TYPES or SCHEMAS.
    DefaultPrivs,
}

/// Grants and revokes privileges.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostgresqlPrivs {
    /// The database to connect to.
    #[schemars(extend("aliases" = ["db", "dbname"]))]
    database: Option<String>,
    /// The state of the privileges.
    #[serde(default)]
    state: State,
    /// The privileges, separated by commas, or ALL. Not for `type: group`.
    #[schemars(extend("aliases" = ["priv"]))]
    privs: Option<String>,
    /// The kind of the objects.
    #[serde(default, rename = "type")]
    kind: Kind,
    /// The names of the objects, separated by commas, or ALL_IN_SCHEMA. With `type: database` the default is the
    /// database that the task connects to.
    #[schemars(extend("aliases" = ["obj"]))]
    objs: Option<String>,
    /// The schema of the objects.
    schema: Option<String>,
    /// The roles whose privileges are changed, separated by commas; PUBLIC stands for all roles.
    #[schemars(extend("aliases" = ["role"]))]
    roles: String,
    /// With `type: default_privs`, the roles whose future objects get the privileges.
    target_roles: Option<String>,
    /// Whether the roles may grant the privileges to others. If it is missing, this is not changed.
    #[schemars(extend("aliases" = ["admin_option"]))]
    grant_option: Option<bool>,
    /// Whether to fail if a role does not exist.
    #[serde(default = "yes")]
    fail_on_role: bool,
    #[serde(flatten)]
    login: Login,
}

fn yes() -> bool {
    true
}

/// An object on which privileges can be granted.
struct Object {
    /// The object as GRANT names it, such as `TABLE "public"."users"`.
    sql: String,
    /// The query for the object's privileges, with rows of grantee, privilege and whether it is grantable.
    acl: String,
}

impl ControllerModule for PostgresqlPrivs {
    const DOC: Doc = Doc {
        name: "postgresql_privs",
        collection: "community.postgresql",
        short: "Grant and revoke privileges on PostgreSQL objects",
        check_mode: "Full: lists the statements it would execute, in a session that cannot write.",
        returns: &[("queries", "list", "The statements executed")],
        examples: "\
- name: The application reads and writes all tables
  community.postgresql.postgresql_privs:
    login_db: shop
    roles: shop
    privs: SELECT,INSERT,UPDATE,DELETE
    objs: ALL_IN_SCHEMA
    schema: public
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let target = Target::resolve(&self.login, "postgres", context).await?;
        let target = self.database.as_ref().map_or(target.clone(), |name| target.with_database(name));
        let Some(session) = Session::open_or_foresee(&target, context).await? else {
            return Ok(not_there_yet(&target));
        };
        let mut commands = Commands::new(&session, context);
        let roles = self.existing_roles(&session).await?;
        if self.kind == Kind::Group {
            self.membership(&roles, &session, &mut commands).await?;
            return Ok(commands.outcome("queries"));
        }
        let privileges = names(self.privs.as_deref());
        if privileges.is_empty() {
            return Err(Failure::new("missing required arguments: privs"));
        }
        for object in self.objects(&session).await? {
            let wanted = self.privileges_of(&privileges, &session, &object).await?;
            let held = session.rows(&object.acl).await?;
            for role in &roles {
                let has = |privilege: &str, grantable: bool| {
                    held.iter().any(|row| match row.as_slice() {
                        [Some(grantee), Some(held), Some(option)] => {
                            grantee == role && held == privilege && (!grantable || option == "t")
                        }
                        _ => false,
                    })
                };
                let grantable = self.grant_option == Some(true);
                let open = |privilege: &&String| match self.state {
                    State::Present => !has(privilege, grantable),
                    State::Absent => has(privilege, false),
                };
                let open: Vec<&str> = wanted.iter().filter(open).map(String::as_str).collect();
                if !open.is_empty() {
                    commands.run(&self.statement(&open.join(", "), &object.sql, role)).await?;
                }
                let passes_on: Vec<&str> =
                    (wanted.iter().map(String::as_str)).filter(|p| has(p, true)).collect();
                if self.state == State::Present && self.grant_option == Some(false) && !passes_on.is_empty() {
                    let list = passes_on.join(", ");
                    let sql =
                        format!("REVOKE GRANT OPTION FOR {list} ON {} FROM {}", object.sql, role_sql(role));
                    commands.run(&sql).await?;
                }
            }
        }
        Ok(commands.outcome("queries"))
    }
}

impl PostgresqlPrivs {
    async fn existing_roles(&self, session: &Session) -> Result<Vec<String>, Error> {
        let mut roles = Vec::new();
        for role in names(Some(&self.roles)) {
            if role.eq_ignore_ascii_case("public") {
                roles.push("PUBLIC".to_owned());
                continue;
            }
            let sql = format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(&role));
            match (session.value(&sql).await?.is_some(), self.fail_on_role) {
                (true, _) => roles.push(role),
                (false, true) => {
                    return Err(Error::new(format!("role '{role}' does not exist"))
                        .with_help("Create it first with postgresql_user."));
                }
                (false, false) => {}
            }
        }
        Ok(roles)
    }

    async fn membership(
        &self,
        members: &[String],
        session: &Session,
        commands: &mut Commands<'_>,
    ) -> Result<(), Failure> {
        let (verb, side) = if self.state == State::Present { ("GRANT", "TO") } else { ("REVOKE", "FROM") };
        let option = match (self.state, self.grant_option) {
            (State::Present, Some(true)) => " WITH ADMIN OPTION",
            _ => "",
        };
        for group in names(self.objs.as_deref()) {
            for member in members {
                let sql = format!(
                    "SELECT bool_or(m.admin_option) FROM pg_auth_members m
                     JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
                     WHERE g.rolname = {} AND u.rolname = {}",
                    literal(&group),
                    literal(member)
                );
                let held = session.value(&sql).await?;
                let done = match self.state {
                    State::Present => held.as_deref() == Some("t") || held.is_some() && option.is_empty(),
                    State::Absent => held.is_none(),
                };
                if !done {
                    commands
                        .run(&format!("{verb} {} {side} {}{option}", ident(&group), ident(member)))
                        .await?;
                }
            }
        }
        Ok(())
    }

    fn schema(&self) -> &str {
        self.schema.as_deref().unwrap_or("public")
    }

    async fn objects(&self, session: &Session) -> Result<Vec<Object>, Error> {
        if self.kind == Kind::DefaultPrivs {
            return self.default_objects(session);
        }
        let mut names = names(self.objs.as_deref());
        if names.is_empty() && self.kind == Kind::Database {
            names.push(session.target.dbname().to_owned());
        }
        if names == ["ALL_IN_SCHEMA"] {
            let sql = match self.kind {
                Kind::Table => {
                    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND relnamespace"
                }
                Kind::Sequence => "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace",
                Kind::Function => {
                    "SELECT oid::regprocedure FROM pg_proc WHERE prokind <> 'p' AND pronamespace"
                }
                _ => return Err(Error::new("ALL_IN_SCHEMA is for tables, sequences and functions")),
            };
            let sql = format!("{sql} = {}::regnamespace ORDER BY 1", literal(&ident(self.schema())));
            names = session
                .rows(&sql)
                .await?
                .into_iter()
                .filter_map(|row| row.into_iter().next().flatten())
                .collect();
            if self.kind == Kind::Function {
                return Ok(names.iter().map(|name| function(name)).collect());
            }
        } else if names.is_empty() {
            return Err(Error::new("missing required arguments: objs"));
        }
        let class = |name: &str, word: &str, letter: char| {
            let (schema, name) = name.split_once('.').unwrap_or((self.schema(), name));
            let full = format!("{}.{}", ident(schema), ident(name));
            let acl = explode(
                &format!("relacl, acldefault('{letter}', relowner)"),
                "pg_class",
                &format!("oid = {}::regclass", literal(&full)),
            );
            Object { sql: format!("{word} {full}"), acl }
        };
        let named =
            |name: &str, word: &str, letter: char, table: &str, acl: &str, owner: &str, column: &str| {
                Object {
                    sql: format!("{word} {}", ident(name)),
                    acl: explode(
                        &format!("{acl}, acldefault('{letter}', {owner})"),
                        table,
                        &format!("{column} = {}", literal(name)),
                    ),
                }
            };
        Ok(names
            .iter()
            .map(|name| match self.kind {
                Kind::Sequence => class(name, "SEQUENCE", 's'),
                Kind::Database => named(name, "DATABASE", 'd', "pg_database", "datacl", "datdba", "datname"),
                Kind::Schema => named(name, "SCHEMA", 'n', "pg_namespace", "nspacl", "nspowner", "nspname"),
                // A comma separates names, so the arguments of a function are separated by colons.
                Kind::Function => function(&format!("{}.{}", ident(self.schema()), name.replace(':', ","))),
                _ => class(name, "TABLE", 'r'),
            })
            .collect())
    }

    fn default_objects(&self, session: &Session) -> Result<Vec<Object>, Error> {
        let mut creators = names(self.target_roles.as_deref());
        if creators.is_empty() {
            creators.push(session.target.user().to_owned());
        }
        let mut objects = Vec::new();
        for kind in names(self.objs.as_deref()) {
            let kind = kind.to_ascii_uppercase();
            let letter = match kind.as_str() {
                "TABLES" => 'r',
                "SEQUENCES" => 'S',
                "FUNCTIONS" | "ROUTINES" => 'f',
                "TYPES" => 'T',
                "SCHEMAS" => 'n',
                _ => {
                    return Err(Error::new(format!("default_privs are not for '{kind}'"))
                        .with_help("Set objs to TABLES, SEQUENCES, FUNCTIONS, TYPES or SCHEMAS."));
                }
            };
            for creator in &creators {
                let schema = match &self.schema {
                    Some(schema) => format!("{}::regnamespace", literal(&ident(schema))),
                    None => "0".into(),
                };
                let acl = format!(
                    "SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, \
                    a.privilege_type, a.is_grantable
                     FROM pg_default_acl d, aclexplode(d.defaclacl) a
                     WHERE d.defaclobjtype = '{letter}' AND d.defaclnamespace = {schema} AND d.defaclrole \
                     = {}::regrole",
                    literal(&ident(creator))
                );
                let within =
                    self.schema.iter().map(|s| format!(" IN SCHEMA {}", ident(s))).collect::<String>();
                objects.push(Object { sql: format!("{kind}\0FOR ROLE {}{within}", ident(creator)), acl });
            }
        }
        Ok(objects)
    }

    fn statement(&self, privileges: &str, object: &str, role: &str) -> String {
        let (head, object) = match object.split_once('\0') {
            Some((kind, scope)) => (format!("ALTER DEFAULT PRIVILEGES {scope} "), kind),
            None => (String::new(), object),
        };
        let role = role_sql(role);
        match self.state {
            State::Present => {
                let option = if self.grant_option == Some(true) { " WITH GRANT OPTION" } else { "" };
                format!("{head}GRANT {privileges} ON {object} TO {role}{option}")
            }
            State::Absent => format!("{head}REVOKE {privileges} ON {object} FROM {role}"),
        }
    }

    /// Returns the privileges as the server spells them, with ALL replaced by their names.
    async fn privileges_of(
        &self,
        privileges: &[String],
        session: &Session,
        object: &Object,
    ) -> Result<Vec<String>, Error> {
        let upper: Vec<String> = privileges.iter().map(|p| p.to_ascii_uppercase()).collect();
        if !upper.iter().any(|p| p == "ALL" || p == "ALL PRIVILEGES") {
            return Ok(upper.into_iter().map(|p| if p == "TEMP" { "TEMPORARY".into() } else { p }).collect());
        }
        let letter = match self.kind {
            Kind::Sequence => 's',
            Kind::Function => 'f',
            Kind::Database => 'd',
            Kind::Schema => 'n',
            Kind::DefaultPrivs => match object.sql.chars().next() {
                Some('S') if object.sql.starts_with("SEQUENCES") => 's',
                Some('S') => 'n',
                Some('F' | 'R') => 'f',
                Some('T') if object.sql.starts_with("TYPES") => 'T',
                _ => 'r',
            },
            _ => 'r',
        };
        let sql = format!(
            "SELECT DISTINCT privilege_type FROM aclexplode(acldefault('{letter}', 10)) WHERE grantee = 10"
        );
        Ok(session.rows(&sql).await?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }
}

fn function(signature: &str) -> Object {
    let condition = format!("oid = {}::regprocedure", literal(signature));
    Object {
        sql: format!("FUNCTION {signature}"),
        acl: explode("proacl, acldefault('f', proowner)", "pg_proc", &condition),
    }
}

/// Returns the query for the privileges on one row of a catalog.
fn explode(acl: &str, table: &str, condition: &str) -> String {
    format!(
        "SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, \
        a.privilege_type, a.is_grantable
         FROM pg_catalog.{table}, aclexplode(coalesce({acl})) a WHERE {condition}"
    )
}

fn role_sql(role: &str) -> String {
    if role == "PUBLIC" { role.to_owned() } else { ident(role) }
}

fn names(text: Option<&str>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
