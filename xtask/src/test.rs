//! Starts the servers that the tests need, tells the tests where they are, and runs them all.

use std::path::Path;
use std::process::Command;

use xtask::fleet::Fleet;
use xtask::moto::Moto;
use xtask::pgbouncer::PgBouncer;
use xtask::postgres::Postgres;
use xtask::{Doing, Result, aws, build, debian, python};

use crate::{preflight, upstream};

/// Everything; or, with arguments, what `cargo test` makes of them.
pub fn run(arguments: &[String]) -> Result<bool> {
    preflight::tests()?;
    let oracle = python::environment(&python::ORACLE)?;
    let sandbox = python::environment(&python::SANDBOX)?;
    let tools = python::environment(&python::TOOLS)?;
    if Fleet::impossible().is_none() {
        debian::root(&debian::HOST)?;
    }
    // Listings of its targets are compared with ansible-core's.
    upstream::source()?;
    let postgres = Postgres::start()?;
    let moto = Moto::start()?;
    let notes = tempfile::NamedTempFile::new().doing("making a temporary file")?;

    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(build::root()).arg("test");
    if arguments.is_empty() {
        cargo.arg("--workspace");
    }
    cargo.arg("--no-fail-fast").args(arguments);
    // Tests name the endpoint and the region themselves: what goes to none must not find one by chance.
    let unsaid = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"];
    cargo.envs(aws::environment(&moto.endpoint()).into_iter().filter(|(name, _)| !unsaid.contains(name)));
    // pg_dump must be the server's own; alembic and django-admin are found where a project would have them.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [postgres.bin.clone(), tools].into_iter().chain(std::env::split_paths(&path));
    cargo.env("PATH", std::env::join_paths(folders).doing("making a PATH")?);
    cargo.env("PLAYBOOK_TEST_AWS_ENDPOINT", moto.endpoint());
    cargo.env("PLAYBOOK_TEST_POSTGRES_URL", postgres.url("postgres"));
    cargo.env("PLAYBOOK_TEST_POSTGRES_BIN", &postgres.bin);
    match PgBouncer::find() {
        Ok(bouncer) => {
            cargo.env("PLAYBOOK_TEST_PGBOUNCER", &bouncer.program);
            cargo.envs(bouncer.libraries.map(|libraries| ("PLAYBOOK_TEST_PGBOUNCER_LIB", libraries)));
        }
        Err(why) => println!("no PgBouncer: {why}"),
    }
    cargo.env("PLAYBOOK_TEST_ORACLE", &oracle);
    for (variable, packages) in [
        ("PLAYBOOK_TEST_LINT", &python::LINT),
        ("PLAYBOOK_TEST_MOLECULE", &python::MOLECULE),
        ("PLAYBOOK_TEST_RUNNER", &python::RUNNER),
        ("PLAYBOOK_TEST_ARA", &python::ARA),
    ] {
        cargo.env(variable, python::environment(packages)?);
    }
    cargo.env("PLAYBOOK_TEST_PYTHON", &sandbox);
    cargo.env("PLAYBOOK_TEST_SKIPPED", notes.path());
    let mut passed = cargo.status().doing("running cargo test")?.success();
    drop((postgres, moto));

    if arguments.is_empty() {
        passed &= upstream::run(&["--fast".to_owned()])?;
    }
    Ok(none_skipped(notes.path())? && passed)
}

/// Says loudly what was skipped; where CI=true that is a failure.
fn none_skipped(notes: &Path) -> Result<bool> {
    let skipped = std::fs::read_to_string(notes).doing("reading what was skipped")?;
    for line in skipped.lines() {
        println!("SKIPPED: {line}");
    }
    Ok(skipped.is_empty() || !preflight::is_ci())
}
