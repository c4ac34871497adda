//! db_migrate with Alembic and Django: with projects and commands of the tests' own, and with the real tools where
//! they are installed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::Command;

use common::*;
use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, Failure, Map, Outcome, Registry, TaskRunner, Value, map};
use tempfile::TempDir;

fn revision(id: &str, down: &str) -> String {
    format!(
        "from alembic import op\n\nrevision: str = '{id}'\ndown_revision = {down}\nbranch_labels = None\ndepends_on = None\n\n\ndef upgrade():\n    op.execute('CREATE TABLE t_{id} (id int)')\n\n\ndef downgrade():\n    op.execute('DROP TABLE t_{id}')\n"
    )
}

const ENV: &str = "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine, pool\n\nengine = create_engine(os.environ['DATABASE_URL'].replace('postgresql://', 'postgresql+psycopg2://'), poolclass=pool.NullPool)\nwith engine.connect() as connection:\n    context.configure(connection=connection)\n    with context.begin_transaction():\n        context.run_migrations()\n";

fn alembic_project() -> TempDir {
    let directory = TempDir::new().unwrap();
    write(
        directory.path(),
        &[
            ("alembic.ini", "[alembic]\nscript_location = %(here)s/migrations\n"),
            ("migrations/env.py", ENV),
            ("migrations/script.py.mako", ""),
            ("migrations/versions/a1.py", &revision("a1", "None")),
            ("migrations/versions/b2.py", &revision("b2", "'a1'")),
        ],
    );
    directory
}

async fn migrate(
    context: &Context,
    directory: &Path,
    database: &Database,
    more: Map,
) -> Result<Outcome, Failure> {
    let mut arguments = map! { "path" => directory.display().to_string(), "url" => database.url.as_str(), "tool" => "alembic" };
    arguments.extend(more);
    task(context, "db_migrate", arguments).await
}

/// A stand-in for `alembic upgrade head`: writes the version table through the URL it is given.
fn stand_in(sql: &str) -> Value {
    let script = format!(
        "psql -XAtq -v ON_ERROR_STOP=1 \"$DATABASE_URL\" -c \"{sql}\" && echo done for $DATABASE_URL"
    );
    vec!["sh", "-c", &script].into()
}

const UPGRADE: &str = "CREATE TABLE IF NOT EXISTS alembic_version (version_num text PRIMARY KEY); DELETE \
    FROM alembic_version; INSERT INTO alembic_version VALUES ('b2')";

#[tokio::test]
async fn a_command_runs_only_when_something_is_pending() {
    let (directory, database) = (alembic_project(), Database::new().await);
    let command = map! { "command" => stand_in(UPGRADE) };
    let before = database.dump();
    let outcome = migrate(&check(), directory.path(), &database, command.clone()).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(value(&outcome, "pending"), "['a1', 'b2']");
    assert_eq!(outcome.diff[0].after, Some("a1\nb2\n".into()));
    assert_eq!(database.dump(), before);
    let context = context();
    let outcome = migrate(&context, directory.path(), &database, command.clone()).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(value(&outcome, "version"), "['b2']");
    assert_eq!(value(&outcome, "rc"), "0");
    assert!(value(&outcome, "stdout").contains("done for ********"), "{}", value(&outcome, "stdout"));
    let fails = map! { "command" => "false" };
    assert!(!migrate(&context, directory.path(), &database, fails).await.unwrap().changed);
    // A new revision: now it runs again.
    write(directory.path(), &[("migrations/versions/c3.py", &revision("c3", "'b2'"))]);
    let failure = migrate(
        &context,
        directory.path(),
        &database,
        map! { "command" => "sh -c 'echo oh no >&2; exit 3'" },
    )
    .await
    .unwrap_err();
    assert!(failure.error.to_string().ends_with("failed with exit status 3: oh no"), "{}", failure.error);
    assert_eq!(value(&failure.outcome, "rc"), "3");
    assert!(!failure.outcome.changed);
    let failure =
        migrate(&context, directory.path(), &database, map! { "command" => "true" }).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("`true` succeeded, but c3 is still pending"),
        "{}",
        failure.error
    );
    let failure = migrate(&context, directory.path(), &database, map! { "command" => "no-such-program" })
        .await
        .unwrap_err();
    assert!(failure.error.to_string().starts_with("cannot run no-such-program"), "{}", failure.error);
}

#[tokio::test]
async fn two_deployments_run_the_command_once() {
    let (directory, database) = (alembic_project(), Database::new().await);
    let slow = format!("SELECT pg_sleep(1); {UPGRADE}");
    let context = context();
    let run = || migrate(&context, directory.path(), &database, map! { "command" => stand_in(&slow) });
    let (a, b) = tokio::join!(run(), run());
    assert_eq!([a.unwrap().changed, b.unwrap().changed].iter().filter(|c| **c).count(), 1);
}

#[tokio::test]
async fn broken_projects_are_named() {
    let (directory, database) = (alembic_project(), Database::new().await);
    let context = context();
    database
        .query("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('zz')");
    let failure = migrate(&context, directory.path(), &database, map! {}).await.unwrap_err();
    assert!(
        failure
            .error
            .to_string()
            .starts_with("the database is at revision 'zz', which is not in any file in "),
        "{}",
        failure.error
    );
    write(
        directory.path(),
        &[(
            "migrations/versions/001_initial.py",
            "\"\"\"Initial schema\n\nRevision ID: 001_initial\n\"\"\"\n",
        )],
    );
    let failure = migrate(&context, directory.path(), &database, map! {}).await.unwrap_err();
    assert!(
        failure.error.to_string().ends_with("001_initial.py has no `revision = '…'`, which Alembic needs"),
        "{}",
        failure.error
    );
    let failure = migrate(&context, Path::new("/"), &database, map! {}).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "/ has no directory of Alembic revisions");
}

/// An ECS that writes the version table when it is told to.
struct Ecs(String);

impl TaskRunner for Ecs {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn run<'a>(
        &'a self,
        command: &'a [String],
        options: &'a Map,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<(i64, String), Error>> {
        Box::pin(async move {
            assert_eq!(command, ["alembic", "upgrade", "head"]);
            assert_eq!(options.get("cluster"), Some(&"production".into()));
            assert_eq!(options.get("region"), Some(&"eu-central-1".into()));
            assert_eq!(
                Value::from(options.clone()).get("environment").unwrap().to_string(),
                "{'STAGE': 'live'}"
            );
            psql(&self.0, UPGRADE);
            Ok((0, "Running upgrade".into()))
        })
    }
}

#[tokio::test]
async fn as_an_ecs_task() {
    let (directory, database) = (alembic_project(), Database::new().await);
    let arguments = map! {
        "ecs" => map! { "cluster" => "production", "task_definition" => "web" },
        "env" => map! { "STAGE" => "live" },
        "region" => "eu-central-1",
    };
    let failure = migrate(&context(), directory.path(), &database, arguments.clone()).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "ecs: this build cannot run ECS tasks");
    let mut registry = Registry::default();
    playbook_postgres::register(&mut registry);
    registry.task_runners.push(Box::new(Ecs(database.url.clone())));
    let context = Context { registry: registry.into(), ..Context::default() };
    let outcome = migrate(&context, directory.path(), &database, arguments).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(value(&outcome, "stdout"), "Running upgrade");
}

#[tokio::test]
async fn a_container_is_given_names_and_not_values() {
    let (directory, database) = (alembic_project(), Database::new().await);
    let engine = directory.path().join("engine");
    let script = format!("#!/bin/sh\necho \"$@\"\npsql -Xq \"$DATABASE_URL\" -c \"{UPGRADE}\"\n");
    write(directory.path(), &[("engine", &script)]);
    Command::new("chmod").arg("+x").arg(&engine).status().unwrap();
    let container = map! { "image" => "web:1", "network" => "host", "engine" => engine.display().to_string(), "options" => vec!["--init"] };
    let outcome = migrate(
        &context(),
        directory.path(),
        &database,
        map! { "container" => container, "env" => map! { "A" => "b" } },
    )
    .await
    .unwrap();
    let line = value(&outcome, "stdout");
    assert!(line.starts_with("run --rm --network host -e DATABASE_URL -e PGHOST "), "{line}");
    assert!(line.trim_end().ends_with("-e A --init web:1 alembic upgrade head"), "{line}");
}

#[tokio::test]
async fn django_by_its_files() {
    let (directory, database) = (TempDir::new().unwrap(), Database::new().await);
    let migration = "class Migration:\n    pass\n";
    write(
        directory.path(),
        &[
            ("manage.py", ""),
            ("shop/migrations/__init__.py", ""),
            ("shop/migrations/0001_initial.py", migration),
            ("shop/migrations/0002_price.py", migration),
            ("venv/lib/other/migrations/0001_initial.py", migration),
        ],
    );
    let insert = "CREATE TABLE IF NOT EXISTS django_migrations (app text, name text); INSERT INTO \
        django_migrations VALUES ('shop', '0001_initial'), ('shop', '0002_price')";
    let django = map! { "tool" => "django", "command" => stand_in(insert) };
    let outcome = migrate(&check(), directory.path(), &database, django.clone()).await.unwrap();
    assert_eq!(value(&outcome, "pending"), "['shop.0001_initial', 'shop.0002_price']");
    let context = context();
    assert!(migrate(&context, directory.path(), &database, django.clone()).await.unwrap().changed);
    assert!(!migrate(&context, directory.path(), &database, django).await.unwrap().changed);
}

#[tokio::test]
async fn an_interrupt_ends_the_command() {
    let (directory, database) = (alembic_project(), Database::new().await);
    let context = context();
    let (cancel, marker) = (context.cancel.clone(), directory.path().join("ended"));
    let begun = directory.path().join("begun");
    let script = format!(
        "trap 'echo bye > {}; exit 1' TERM; : > {}; sleep 30 & wait",
        marker.display(),
        begun.display()
    );
    let stop = async move {
        while !begun.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        cancel.set();
    };
    let command = map! { "command" => vec!["sh", "-c", &script] };
    let (result, ()) = tokio::join!(migrate(&context, directory.path(), &database, command), stop);
    assert_eq!(result.unwrap_err().error.to_string(), "interrupted while sh ran");
    assert!(marker.exists());
}

/// Whether a program is there; otherwise the run tells that its test was skipped.
fn installed(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        skip(&format!("{program} is not on the PATH (pip install {package})"));
    }
    found
}

#[tokio::test]
async fn the_real_alembic() {
    if !installed("alembic", "alembic psycopg2-binary") {
        return;
    }
    let context = context();
    for detect in ["auto", "files", "tool"] {
        let (directory, database) = (alembic_project(), Database::new().await);
        let before = database.dump();
        let detect = map! { "detect" => detect };
        let outcome = migrate(&check(), directory.path(), &database, detect.clone()).await.unwrap();
        assert!(outcome.changed);
        assert_eq!(database.dump(), before);
        let outcome = migrate(&context, directory.path(), &database, detect.clone()).await.unwrap();
        assert_eq!(value(&outcome, "version"), "['b2']");
        assert!(!migrate(&context, directory.path(), &database, detect).await.unwrap().changed);
        assert_eq!(database.query("SELECT to_regclass('t_b2') IS NOT NULL"), "t");
        let outcome =
            migrate(&context, directory.path(), &database, map! { "target" => "a1" }).await.unwrap();
        assert_eq!(value(&outcome, "version"), "['a1']");
    }
}

#[tokio::test]
async fn the_real_django() {
    if !installed("django-admin", "django psycopg2-binary") {
        return;
    }
    let context = context();
    for detect in ["auto", "files", "tool"] {
        let (directory, database) = (TempDir::new().unwrap(), Database::new().await);
        let settings = "import os\nSECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\n\
            DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE'], 'USER': os.environ['PGUSER'], 'PASSWORD': os.environ['PGPASSWORD'], 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT']}}\nUSE_TZ = True\n";
        let manage = "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n\
            from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n";
        let migration = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n    operations = [migrations.RunSQL('CREATE TABLE shop_item (id int)', 'DROP TABLE shop_item')]\n";
        write(
            directory.path(),
            &[
                ("settings.py", settings),
                ("manage.py", manage),
                ("shop/__init__.py", ""),
                ("shop/migrations/__init__.py", ""),
                ("shop/migrations/0001_initial.py", migration),
            ],
        );
        let before = database.dump();
        let arguments = map! { "tool" => "django", "detect" => detect };
        let outcome = migrate(&check(), directory.path(), &database, arguments.clone()).await.unwrap();
        assert!(outcome.changed);
        assert_eq!(database.dump(), before);
        let outcome = migrate(&context, directory.path(), &database, arguments.clone()).await.unwrap();
        assert_eq!(value(&outcome, "version"), "['shop.0001_initial']");
        assert!(!migrate(&context, directory.path(), &database, arguments).await.unwrap().changed);
    }
}

#[tokio::test]
async fn real_layouts_of_alembic_miss_nothing() {
    if !installed("alembic", "alembic psycopg2-binary") {
        return;
    }
    let ini = |settings: &str| format!("[alembic]\n{settings}");
    let toml = "[tool.alembic]\nscript_location = \"%(here)s/mig\"\n";
    for (name, files) in [
        (
            "dated directories",
            vec![
                ("alembic.ini", ini("script_location = mig\nrecursive_version_locations = true\n")),
                ("mig/env.py", ENV.into()),
                ("mig/versions/a1.py", revision("a1", "None")),
                ("mig/versions/2026/11/b2.py", revision("b2", "'a1'")),
            ],
        ),
        (
            "pyproject.toml",
            vec![
                ("pyproject.toml", toml.into()),
                ("alembic.ini", ini("")),
                ("mig/env.py", ENV.into()),
                ("mig/versions/a1.py", revision("a1", "None")),
                ("mig/versions/b2.py", revision("b2", "'a1'")),
            ],
        ),
        (
            "a package",
            vec![
                ("alembic.ini", ini("script_location = myapp:mig\nprepend_sys_path = .\n")),
                ("myapp/__init__.py", String::new()),
                ("myapp/mig/__init__.py", String::new()),
                ("myapp/mig/env.py", ENV.into()),
                ("myapp/mig/versions/a1.py", revision("a1", "None")),
                ("myapp/mig/versions/b2.py", revision("b2", "'a1'")),
            ],
        ),
        (
            "a list of directories",
            vec![
                (
                    "alembic.ini",
                    ini(
                        "script_location = mig\npath_separator = newline\nversion_locations =\n  one\n  %(here)s/two\n",
                    ),
                ),
                ("mig/env.py", ENV.into()),
                ("one/a1.py", revision("a1", "None")),
                ("two/b2.py", revision("b2", "'a1'")),
            ],
        ),
        (
            "a package elsewhere",
            vec![
                ("alembic.ini", ini("script_location = myapp:mig\nprepend_sys_path = lib/python\n")),
                ("lib/python/myapp/__init__.py", String::new()),
                ("lib/python/myapp/mig/env.py", ENV.into()),
                ("lib/python/myapp/mig/versions/a1.py", revision("a1", "None")),
                ("lib/python/myapp/mig/versions/b2.py", revision("b2", "'a1'")),
            ],
        ),
        (
            "computed ids",
            vec![
                ("alembic.ini", ini("script_location = mig\n")),
                ("mig/env.py", ENV.into()),
                ("mig/versions/a1.py", revision("a1", "None").replace("'a1'", "'a' + '1'")),
                ("mig/versions/b2.py", revision("b2", "'a1'")),
            ],
        ),
    ] {
        let (directory, database) = (TempDir::new().unwrap(), Database::new().await);
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
        write(directory.path(), &files);
        let context = context();
        let dry = migrate(&check(), directory.path(), &database, map! {})
            .await
            .unwrap_or_else(|f| panic!("{name}: {}", shown(&f)));
        assert!(dry.changed, "{name}");
        assert_eq!(
            database.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
            "0",
            "{name}"
        );
        let outcome = migrate(&context, directory.path(), &database, map! {})
            .await
            .unwrap_or_else(|f| panic!("{name}: {}", shown(&f)));
        assert_eq!(value(&outcome, "version"), "['b2']", "{name}");
        let again = migrate(&context, directory.path(), &database, map! {})
            .await
            .unwrap_or_else(|f| panic!("{name}: {}", shown(&f)));
        assert!(!again.changed, "{name}");
        let back = migrate(&context, directory.path(), &database, map! { "target" => -1 })
            .await
            .unwrap_or_else(|f| panic!("{name}: {}", shown(&f)));
        assert_eq!(value(&back, "version"), "['a1']", "{name}");
        let base =
            migrate(&context, directory.path(), &database, map! { "target" => "zero", "detect" => "tool" })
                .await;
        assert_eq!(
            value(&base.unwrap_or_else(|f| panic!("{name}: {}", shown(&f))), "version"),
            "[]",
            "{name}"
        );
        let up =
            migrate(&context, directory.path(), &database, map! { "target" => "a1", "detect" => "tool" })
                .await;
        assert_eq!(
            value(&up.unwrap_or_else(|f| panic!("{name}: {}", shown(&f))), "version"),
            "['a1']",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_project_of_alembic_without_an_answer_is_an_error() {
    let (directory, database) = (TempDir::new().unwrap(), Database::new().await);
    write(
        directory.path(),
        &[("alembic.ini", "[alembic]\nscript_location = mig\n"), ("mig/versions/README", "")],
    );
    let failure = migrate(&context(), directory.path(), &database, map! {}).await.unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        format!("there is no Alembic revision in {}/mig/versions", directory.path().display())
    );
    write(directory.path(), &[("alembic.ini", "[alembic]\nscript_location = nowhere:mig\n")]);
    let failure =
        migrate(&context(), directory.path(), &database, map! { "detect" => "files" }).await.unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "the project's files are not sufficient: script_location 'nowhere:mig' is not a directory of the project"
    );
    assert!(failure.error.help().unwrap().contains("detect: tool"));
    write(
        directory.path(),
        &[
            ("alembic.ini", "[alembic]\nscript_location = mig\n"),
            ("mig/versions/a1.py", &revision("a1", "None")),
            ("mig/env.py", "context.configure(version_table='app_version', version_table_schema=\"app\")\n"),
        ],
    );
    let failure = migrate(&context(), directory.path(), &database, map! {}).await.unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "the project's env.py names the table 'app_version' for its versions, not 'alembic_version'"
    );
    assert_eq!(failure.error.help(), Some("Set table: app_version."));
}

#[tokio::test]
async fn a_failed_tool_s_own_message_is_shown() {
    if !installed("alembic", "alembic psycopg2-binary") {
        return;
    }
    let (directory, database) = (alembic_project(), Database::new().await);
    let broken = revision("c3", "'b2'").replace("CREATE TABLE t_c3 (id int)", "DROP TABLE t_c3");
    write(directory.path(), &[("migrations/versions/c3.py", &broken)]);
    let failure = migrate(&context(), directory.path(), &database, map! {}).await.unwrap_err();
    let message = failure.error.to_string();
    assert!(
        message.starts_with(
            "`alembic upgrade head` failed with exit status 1: sqlalchemy.exc.ProgrammingError: "
        ),
        "{message}"
    );
    assert!(message.contains("does not exist") && !message.contains("Background on this error"), "{message}");
}

#[tokio::test]
async fn applications_of_django_that_are_installed_and_labeled() {
    if !installed("django-admin", "django psycopg2-binary") {
        return;
    }
    let settings = "import os\nSECRET_KEY = 'x'\n\
        INSTALLED_APPS = ['django.contrib.contenttypes', 'apps.orders.apps.OrdersConfig']\n\
        DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE'], 'USER': os.environ['PGUSER'], 'PASSWORD': os.environ['PGPASSWORD'], 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT']}}\nUSE_TZ = True\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n";
    let manage = "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n\
        from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n";
    let migration = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n    operations = [migrations.RunSQL('CREATE TABLE sales (id int)')]\n";
    let (directory, database) = (TempDir::new().unwrap(), Database::new().await);
    write(
        directory.path(),
        &[
            ("settings.py", settings),
            ("manage.py", manage),
            ("apps/__init__.py", ""),
            ("apps/orders/__init__.py", ""),
            (
                "apps/orders/apps.py",
                "from django.apps import AppConfig\n\n\nclass OrdersConfig(AppConfig):\n    name = 'apps.orders'\n    label = 'sales'\n",
            ),
            ("apps/orders/migrations/__init__.py", ""),
            ("apps/orders/migrations/0001_initial.py", migration),
        ],
    );
    let context = context();
    let django = map! { "tool" => "django" };
    let outcome = migrate(&check(), directory.path(), &database, django.clone())
        .await
        .unwrap_or_else(|f| panic!("{}", shown(&f)));
    assert!(
        value(&outcome, "pending").contains("'sales.0001_initial'")
            && value(&outcome, "pending").contains("contenttypes"),
        "{}",
        value(&outcome, "pending")
    );
    assert!(migrate(&context, directory.path(), &database, django.clone()).await.unwrap().changed);
    assert!(!migrate(&context, directory.path(), &database, django.clone()).await.unwrap().changed);
    let files = map! { "tool" => "django", "detect" => "files" };
    assert!(!migrate(&context, directory.path(), &database, files).await.unwrap().changed);
    // An upgrade, or another application, is seen although no file of the project changes.
    let more = settings.replace(
        "'django.contrib.contenttypes', ",
        "'django.contrib.contenttypes', 'django.contrib.sites', ",
    );
    write(directory.path(), &[("settings.py", &more)]);
    let outcome = migrate(&check(), directory.path(), &database, django.clone()).await.unwrap();
    assert!(outcome.changed);
    assert!(value(&outcome, "pending").contains("sites.0001_initial"), "{}", value(&outcome, "pending"));
    let fails =
        map! { "tool" => "django", "command" => "python manage.py migrate --noinput --database nosuch" };
    let failure = migrate(&context, directory.path(), &database, fails).await.unwrap_err();
    assert!(failure.error.to_string().contains("failed with exit status"), "{}", failure.error);
}
