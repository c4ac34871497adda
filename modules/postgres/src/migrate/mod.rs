//! `db_migrate`: applies the migrations that a database lacks, and undoes those above a target.

mod alembic;
mod alembic_config;
mod ask;
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
mod step;
mod tool;
mod version;

use std::path::{Path, PathBuf};

use playbook_api::{Context, ControllerModule, Deserialize, Doc, Error, Failure, JsonSchema, Outcome};

use crate::login::Login;
use crate::target::{Target, variable};
use history::History;

/// The tool that the migrations are written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tool {
    /// SQL files, which this module runs itself.
    #[default]
    Sql,
    /// An Alembic project: `command` is run when the database lacks a revision.
    Alembic,
    /// A Django project: `command` is run when the database lacks a migration.
    Django,
}

/// The way in which pending migrations are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Detect {
    /// Compare the project's files with the version table, and run the tool if the files are not sufficient.
    #[default]
    Auto,
    /// Compare the project's files with the version table, and fail if they are not sufficient.
    Files,
    /// Run the tool.
    Tool,
}

/// Applies the migrations that a database lacks, each exactly once, even if several deployments run at a time.
///
/// With `tool: sql` (the default) the directory holds files named `001_name.sql`, `V1__name.sql` or
/// `001_name.up.sql`. A file `001_name.down.sql` undoes the migration of the same version. Migrations are applied in
/// the order of their versions, each in its own transaction, which also adds its row to the history table. A file with
/// a statement that cannot run in a transaction must begin with the comment `-- playbook: no-transaction`.
/// The connection must be direct, or go through a pooler in session mode: an advisory lock guards the migrations.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["container", "ecs"], ["url", "secret"]]))]
pub(crate) struct DbMigrate {
    /// The directory of the migrations; for Alembic and Django the directory of the project.
    #[schemars(extend("aliases" = ["folder", "directory", "migrations"], "format" = "path"))]
    path: Option<String>,
    /// The tool that the migrations are written for.
    #[serde(default)]
    tool: Tool,
    /// The table that records the applied migrations. The default depends on `tool`: `playbook_migrations`,
    /// `alembic_version` or `django_migrations`.
    table: Option<String>,
    /// The schema of that table. With `tool: sql` it is created if it is missing.
    #[serde(default = "public")]
    schema: String,
    /// The version to migrate up or down to: a migration's number, `latest` (the default) or `zero`. With Alembic, a
    /// revision, `head`, `heads`, `base`, or a quoted number of steps such as `+1` or `-1`.
    target: Option<String>,
    /// The version that an existing database without a history already has: migrations up to it are recorded
    /// but not run. It is ignored if the database is empty or already has a history.
    baseline: Option<String>,
    /// Whether to bring the history in line with the files: to record the new checksums of edited migrations, and to
    /// remove migrations whose file is missing and those that failed half-way outside a transaction.
    #[serde(default)]
    repair: bool,
    /// Whether to apply migrations that are older than the newest applied one.
    #[serde(default)]
    out_of_order: bool,
    /// Whether to look for migrations in subdirectories as well, as Flyway does.
    #[serde(default)]
    recursive: bool,
    /// The time for which a statement may wait for a lock, in PostgreSQL's notation, such as `5s`. A number without a
    /// unit is in milliseconds.
    lock_timeout: Option<String>,
    /// The time for which a statement may run, in the same notation. There is no limit by default.
    statement_timeout: Option<String>,
    /// The role to switch to, which then owns the objects that the migrations create.
    role: Option<String>,
    /// The command that migrates, with Alembic and Django, as a string or a list. The defaults are
    /// `alembic upgrade head` and `python manage.py migrate --noinput`. It runs on the controller in the directory
    /// `chdir`, or as `container` or `ecs` says.
    #[schemars(extend("format" = "raw"))]
    command: Option<serde_json::Value>,
    /// The way in which pending migrations are found. `files` compares the project's files with the version table, and
    /// fails if they are not sufficient. `tool` runs `alembic current` and `alembic heads`, or `manage.py migrate
    /// --check`. `auto` (the default) reads the files and runs the tool only if they are not sufficient. It always runs
    /// Django, since a project's files do not show the migrations of installed applications, unless `command` does not
    /// contain `migrate` or runs as an ECS task; then it reads the files and warns.
    #[serde(default)]
    detect: Detect,
    /// The directory that the command runs in. The default is `path`.
    #[schemars(extend("format" = "path"))]
    chdir: Option<String>,
    /// Environment variables for the command. The command also gets the URL of the database and libpq's variables
    /// (PGHOST, PGPASSWORD and so on), unless it runs as an ECS task, whose variables can be read through the API:
    /// set them as secrets in the task definition.
    env: Option<serde_json::Map<String, serde_json::Value>>,
    /// The name of the environment variable that holds the URL of the database.
    #[serde(default = "database_url")]
    url_variable: String,
    /// The container to run the command in. Without it, the command runs directly on the controller.
    container: Option<command::Container>,
    /// The Amazon ECS task to run the command in: `cluster`, `task_definition`, `container`, `network_configuration`,
    /// `launch_type` and so on.
    ecs: Option<serde_json::Map<String, serde_json::Value>>,
    /// The number of seconds to wait for another deployment that migrates the same database.
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
    fn directory(&self, context: &Context) -> Result<PathBuf, Error> {
        let Some(path) = &self.path else {
            return Err(Error::new("missing required arguments: path"));
        };
        let path = match (path.strip_prefix("~/"), variable(context, "HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => PathBuf::from(path),
        };
        if !path.is_dir() {
            let what = if path.exists() { "is not a directory" } else { "does not exist" };
            return Err(Error::new(format!("path: {} {what}", path.display())).with_help(
                "Give the directory that holds the migrations; with {{ playbook_dir }} it does not depend \
                on where playbook is started.",
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
            ("repaired", "list", "The changes that repair made to the history"),
            ("version", "str", "The newest version applied now; with Alembic and Django a list"),
            ("version_before", "str", "The newest version applied before"),
            (
                "rc",
                "int",
                "With Alembic and Django: the command's exit status, with its output in stdout and stderr",
            ),
            (
                "file",
                "str",
                "On failure: the file, with details in line, statement, sqlstate, detail and hint",
            ),
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

- name: Migrate with the Alembic in the new image, if anything is pending
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
