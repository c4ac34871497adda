//! What AWS and PostgreSQL refuse, break or lack: a message that says what to do, and no secret in it.

use crate::support::project::Deployment;
use crate::support::{Ended, Project, Servers, servers};
use xtask::proxy::{Fault, FaultKind};
use xtask::sandbox::{DATABASE_PASSWORD, DATABASE_USER};

/// Runs tasks with an AWS of the test's own.
fn run(text: &str, environment: &[(&str, &str)]) -> Ended {
    let mut book = String::from("- hosts: localhost\n  gather_facts: false\n  tasks:\n");
    for line in text.lines() {
        book.push_str(&format!("    {line}\n"));
    }
    let project = Project::new(&[("site.yml", &book)]);
    let mut command = project.command(&["run", "site.yml", "-i", "localhost,"]);
    command.envs(environment.iter().copied());
    Ended::of(&mut command)
}

const DESCRIBE: &str = "- ecs_cluster:\n    name: prod\n    state: present\n    region: eu-central-1\n";

#[test]
fn no_credentials() {
    let environment = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    run(DESCRIBE, &environment).fails(2).says(&["credentials", "AWS_ACCESS_KEY_ID"]);
}

#[test]
fn an_unreachable_endpoint() {
    let environment = xtask::aws::environment("http://127.0.0.1:9");
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run(DESCRIBE, &environment).fails(2).says(&["cannot reach the endpoint", "endpoint_url"]);
}

fn with_fault(servers: &Servers, operation: &'static str, times: usize, kind: FaultKind) -> Ended {
    let deployment = Deployment::new(servers);
    deployment.proxy.fault(Fault { operation, times, kind });
    deployment.deploy("1.0.0", &[]).hides(&[DATABASE_PASSWORD])
}

#[test]
fn access_denied() {
    let Some(servers) = servers("access denied") else { return };
    with_fault(&servers, "UpdateService", 100, FaultKind::AccessDenied)
        .fails(2)
        .says(&["not authorized", "ecs:UpdateService"]);
    with_fault(&servers, "GetSecretValue", 100, FaultKind::AccessDenied)
        .fails(2)
        .says(&["AccessDenied", "secretsmanager:GetSecretValue"]);
}

#[test]
fn throttling_without_end() {
    let Some(servers) = servers("endless throttling") else { return };
    with_fault(&servers, "RegisterTaskDefinition", 1000, FaultKind::Throttled).fails(2).says(&["Throttling"]);
}

#[test]
fn a_secret_without_the_key() {
    let Some(servers) = servers("a secret without the key") else { return };
    let deployment = Deployment::new(&servers);
    let broken =
        format!(r#"{{"username": "{DATABASE_USER}", "password": "{DATABASE_PASSWORD}", "port": 5432}}"#);
    let body = serde_json::json!({"SecretId": deployment.output("db_secret_arn"), "SecretString": broken});
    servers.emulator.secrets("PutSecretValue", &body).expect("the secret changes");
    deployment
        .deploy("1.0.0", &[])
        .fails(2)
        .says(&["host", "dbname", "postgresql_url"])
        .hides(&[DATABASE_PASSWORD]);
}

fn migrate(url: &str, path: &str) -> String {
    format!("- db_migrate:\n    url: \"{url}\"\n    path: {path}\n")
}

#[test]
fn an_unreachable_database() {
    run(&migrate("postgresql://webapp:hunter2@127.0.0.1:9/webapp", "'{{ playbook_dir }}'"), &[])
        .fails(2)
        .says(&["127.0.0.1", "9"])
        .hides(&["hunter2"]);
}

#[test]
fn a_wrong_password() {
    let Some(servers) = servers("a wrong password") else { return };
    let url = format!("postgresql://postgres:hunter2@127.0.0.1:{}/postgres", servers.port());
    run(&migrate(&url, "'{{ playbook_dir }}'"), &[])
        .fails(2)
        .says(&["password authentication failed"])
        .hides(&["hunter2"]);
}

/// A database of the test's own, and a project that migrates it.
fn migrations(servers: &Servers, files: &[(&str, &str)]) -> (Project, String) {
    let database = crate::support::servers::unique("bad");
    servers.sql("postgres", &format!("create database \"{database}\""));
    let book = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - db_migrate:\n        url: \"{{ url }}\"\n        path: \"{{ playbook_dir }}/migrations\"\n";
    let project = Project::new(files);
    project.write("site.yml", book);
    (project, database)
}

fn migrate_again(servers: &Servers, project: &Project, database: &str) -> Ended {
    let url = format!("url={}", servers.url(database));
    project.run(&["run", "site.yml", "-i", "localhost,", "-e", &url])
}

#[test]
fn a_migration_that_fails_half_way_leaves_nothing_of_itself() {
    let Some(servers) = servers("a failing migration") else { return };
    let bad = "create table two (id int);\n\ninsert into nowhere values (1);\n";
    let files = [("migrations/001_one.sql", "create table one (id int);\n"), ("migrations/002_two.sql", bad)];
    let (project, database) = migrations(&servers, &files);
    migrate_again(&servers, &project, &database).fails(2).says(&["002_two.sql:3", "nowhere"]);
    let tables = "select to_regclass('one') is not null, to_regclass('two') is not null";
    assert_eq!(servers.sql(&database, tables), "t|f");
    project.write("migrations/002_two.sql", "create table two (id int);\n");
    migrate_again(&servers, &project, &database).ok();
    assert_eq!(servers.sql(&database, tables), "t|t");
}

#[test]
fn an_edited_migration_is_named() {
    let Some(servers) = servers("an edited migration") else { return };
    let (project, database) =
        migrations(&servers, &[("migrations/001_one.sql", "create table one (id int);\n")]);
    migrate_again(&servers, &project, &database).ok();
    project.write("migrations/001_one.sql", "create table one (id bigint);\n");
    migrate_again(&servers, &project, &database).fails(2).says(&["001_one.sql", "repair"]);
}
