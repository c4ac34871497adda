//! `db_migrate`: brings a database's schema to where the application wants it.

mod alembic;
mod alembic_config;
mod command;
mod directory;
mod django;
mod history;
mod lock;
mod marker;
mod migrator;
mod name;
mod plan;
mod python;
mod report;
mod script;
mod tool;
mod version;

use std::path::{Path, PathBuf};

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome};

use crate::login::{Login, Target, variable};
use history::History;

/// What the migrations are written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tool {
    /// Files of SQL, run by this module itself.
    #[default]
    Sql,
    /// A project of Alembic's: `command` is run when a revision is missing in the database.
    Alembic,
    /// A project of Django's: `command` is run when a migration is missing in the database.
    Django,
}

/// How to find out what is pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Detect {
    /// Compare the project's files with the version table, and ask the tool where the files are not enough.
    #[default]
    Auto,
    /// Compare the project's files with the version table, and fail where they are not enough.
    Files,
    /// Ask the tool.
    Tool,
}

/// Applies the migrations that a database lacks, each once, however many deployments run at a time.
///
/// With `tool: sql` (the default) the folder holds files named `001_name.sql`, `V1__name.sql` or
/// `001_name.up.sql`, with `001_name.down.sql` beside them for the way back. They are applied in the order of
/// their versions, each in a transaction of its own together with its entry in the history table. A file that
/// holds a statement that cannot run in a transaction begins with the comment `-- playbook: no-transaction`.
/// Needs a direct connection (or a pooler in session mode): migrations are guarded by an advisory lock.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["container", "ecs"], ["url", "secret"]]))]
pub(crate) struct DbMigrate {
    /// Folder of the migrations; for Alembic and Django the folder of the project.
    #[schemars(extend("aliases" = ["folder", "directory", "migrations"], "format" = "path"))]
    path: Option<String>,
    /// What the migrations are written for.
    #[serde(default)]
    tool: Tool,
    /// Table that records the applied migrations: `playbook_migrations`, and with Alembic and Django their own,
    /// `alembic_version` and `django_migrations`.
    table: Option<String>,
    /// Schema of that table; it is created when it is missing.
    #[serde(default = "public")]
    schema: String,
    /// The version to end at, upward or downward: a migration's number, `latest` (the default) or `zero`. With Alembic a
    /// revision, `head`, `heads`, `base`, or a number of steps such as `+1` and `-1`, in quotes.
    target: Option<String>,
    /// Version that a database in use already has when it has no history yet: migrations up to it are recorded
    /// and not run. Ignored for an empty database and where there is a history.
    baseline: Option<String>,
    /// Bring the history in line with the files: take over checksums of edited migrations, forget those whose
    /// file is gone and those that failed half-way outside a transaction.
    #[serde(default)]
    repair: bool,
    /// Also apply migrations that are older than the newest applied one.
    #[serde(default)]
    out_of_order: bool,
    /// Whether subdirectories hold migrations as well, as Flyway has it.
    #[serde(default)]
    recursive: bool,
    /// How long a statement may wait for a lock, as PostgreSQL takes it: `5s`; a bare number is milliseconds.
    lock_timeout: Option<String>,
    /// How long a statement may run.
    statement_timeout: Option<String>,
    /// Role to take on, so that it owns what the migrations create.
    role: Option<String>,
    /// With Alembic and Django: the command that migrates, as text or as a list; `alembic upgrade head` and
    /// `python manage.py migrate --noinput` unless given. It runs here, in the folder `chdir`, or where
    /// `container` or `ecs` says.
    #[schemars(extend("format" = "raw"))]
    command: Option<serde_json::Value>,
    /// How to find out what is pending. `files` compares the project's files with the version table, and fails where
    /// they are not enough; `tool` asks `alembic current` and `alembic heads`, or `manage.py migrate --check`. `auto` (the
    /// default) reads the files and asks the tool where they are not enough; Django is always asked, since the files of a
    /// project do not show the migrations of installed applications, unless `command` does not contain `migrate` or runs
    /// as an ECS task, of which a warning tells.
    #[serde(default)]
    detect: Detect,
    /// Folder that the command runs in; `path` unless given.
    #[schemars(extend("format" = "path"))]
    chdir: Option<String>,
    /// Variables for the command. It also gets the URL of the database, and libpq's PGHOST, PGPASSWORD and so on;
    /// only an ECS task does not, since what it is given can be read in the API: let its task definition say.
    env: Option<serde_json::Map<String, serde_json::Value>>,
    /// Name of the variable that holds the URL.
    #[serde(default = "database_url")]
    url_variable: String,
    /// Run the command in a container.
    container: Option<command::Container>,
    /// Run the command as a task of Amazon ECS: cluster, task_definition, container, network_configuration,
    /// launch_type and so on.
    ecs: Option<serde_json::Map<String, serde_json::Value>>,
    /// Seconds to wait for another deployment that migrates the same database.
    #[serde(default = "ten_minutes")]
    wait_timeout: u64,
    #[serde(flatten)]
    login: Login,
}

fn public() -> String {
    "public".into()
}

fn database_url() -> String {
    "DATABASE_URL".into()
}

fn ten_minutes() -> u64 {
    600
}

impl DbMigrate {
    fn folder(&self, context: &Context) -> Result<PathBuf, Error> {
        let Some(path) = &self.path else {
            return Err(Error::new("missing required arguments: path"));
        };
        let path = match (path.strip_prefix("~/"), variable(context, "HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => PathBuf::from(path),
        };
        if !path.is_dir() {
            let what = if path.exists() { "is not a folder" } else { "does not exist" };
            return Err(Error::new(format!("path: {} {what}", path.display())).with_help(
                "give the folder that holds the migrations; {{ playbook_dir }} makes it independent of where playbook is started",
            ));
        }
        Ok(path)
    }

    fn history(&self) -> History {
        let table = self.table.clone().unwrap_or_else(|| {
            match self.tool {
                Tool::Sql => "playbook_migrations",
                Tool::Alembic => "alembic_version",
                Tool::Django => "django_migrations",
            }
            .into()
        });
        History { schema: self.schema.clone(), table }
    }

    fn role(&self) -> Option<&str> {
        self.role.as_deref().or(self.login.session_role.as_deref())
    }
}

impl ControllerModule for DbMigrate {
    const DOC: Doc = Doc {
        name: "db_migrate",
        collection: "playbook.postgres",
        short: "Apply a database's pending migrations",
        check_mode: "Full: lists what is pending, in a session that cannot write.",
        returns: &[
            ("applied", "list", "The migrations applied: version, name, file, duration_ms"),
            ("reverted", "list", "The migrations undone, newest first"),
            ("pending", "list", "The migrations that would be applied, in check mode"),
            ("baselined", "list", "The migrations recorded without running them"),
            ("repaired", "list", "What was put right in the history"),
            ("version", "str", "The newest version applied now; with Alembic and Django a list"),
            ("version_before", "str", "The newest version applied before"),
            ("rc", "int", "With Alembic and Django: the command's exit code; stdout and stderr beside it"),
            ("file", "str", "On failure: the file; line, statement, sqlstate, detail and hint say more"),
        ],
        examples: "\
- name: Bring the schema up to date
  db_migrate:
    path: \"{{ playbook_dir }}/../app/migrations\"
    secret: prod/app/database
    ssl_mode: verify-full
    ca_cert: /etc/ssl/rds-global-bundle.pem
    lock_timeout: 5s

- name: Adopt a database that already has the first three migrations
  db_migrate:
    path: migrations
    url: \"{{ database_url }}\"
    baseline: \"003\"

- name: Go back to version 7
  db_migrate:
    path: migrations
    url: \"{{ database_url }}\"
    target: 7

- name: Let the new image's own Alembic migrate, if there is something to do
  db_migrate:
    tool: alembic
    path: \"{{ playbook_dir }}/../app\"
    secret: prod/app/database
    command: alembic upgrade head
    container:
      image: \"{{ ecr_repo }}/{{ app_name }}:{{ image_tag }}\"
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let mut target = Target::resolve(&self.login, "", context).await?;
        target.role = self.role().map(str::to_owned);
        match self.tool {
            Tool::Sql => migrator::run(&self, &target, context).await,
            Tool::Alembic | Tool::Django => tool::run(&self, &target, context).await,
        }
    }
}
