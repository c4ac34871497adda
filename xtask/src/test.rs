//! Starts the servers that the tests need, and runs the tests.

use std::path::Path;

use xtask::fleet::Fleet;
use xtask::moto::Moto;
use xtask::pgbouncer::PgBouncer;
use xtask::postgres::Postgres;
use xtask::{Doing, Result, aws, build, debian, python};

use crate::total::Total;
use crate::{preflight, upstream};

/// Runs the tests that act on machines of a Debian release on each release, and not only on the first.
const EVERY_RELEASE: &str = "--every-release";

/// Runs all tests, or `cargo test` with these arguments, and returns whether all of them passed.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let every_release = arguments.iter().any(|argument| argument == EVERY_RELEASE);
    let arguments: Vec<String> =
        arguments.iter().filter(|argument| *argument != EVERY_RELEASE).cloned().collect();
    preflight::tests()?;
    let releases = if every_release { &debian::RELEASES[..] } else { &debian::RELEASES[..1] };
    let oracle = python::environment(&python::ORACLE)?;
    let sandbox = python::environment(&python::SANDBOX)?;
    let tools = python::environment(&python::TOOLS)?;
    if Fleet::impossible().is_none() {
        debian::root(&debian::HOST)?;
        debian::root(&debian::EQUIPPED)?;
        for release in releases {
            debian::root(&debian::booted(release))?;
        }
    }
    // The tests compare listings of its targets with ansible-core's.
    upstream::source()?;
    let postgres = Postgres::start()?;
    let moto = Moto::start()?;
    let notes = tempfile::NamedTempFile::new().doing("creating a temporary file")?;

    let mut cargo = build::cargo();
    cargo.arg("test");
    if arguments.is_empty() {
        cargo.arg("--workspace");
    }
    cargo.arg("--no-fail-fast").args(&arguments);
    // Tests set the endpoint and the region themselves: a test that forgets to must fail.
    let unsaid = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"];
    cargo.envs(aws::environment(&moto.endpoint()).into_iter().filter(|(name, _)| !unsaid.contains(name)));
    // pg_dump must have the server's version. Projects have alembic and django-admin on PATH.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = [postgres.bin.clone(), tools].into_iter().chain(std::env::split_paths(&path));
    cargo.env("PATH", std::env::join_paths(directories).doing("joining PATH")?);
    cargo.env("PLAYBOOK_TEST_AWS_ENDPOINT", moto.endpoint());
    cargo.env("PLAYBOOK_TEST_POSTGRES_URL", postgres.url("postgres"));
    cargo.env("PLAYBOOK_TEST_POSTGRES_BIN", &postgres.bin);
    match PgBouncer::find() {
        Ok(bouncer) => {
            cargo.env("PLAYBOOK_TEST_PGBOUNCER", &bouncer.program);
            cargo.envs(bouncer.libraries.map(|libraries| ("PLAYBOOK_TEST_PGBOUNCER_LIB", libraries)));
        }
        Err(why) => println!("the tests with PgBouncer are skipped: {why}"),
    }
    cargo.env("PLAYBOOK_TEST_ORACLE", &oracle);
    for (variable, packages) in [
        ("PLAYBOOK_TEST_LINT", &python::LINT),
        ("PLAYBOOK_TEST_MOLECULE", &python::MOLECULE),
        ("PLAYBOOK_TEST_RUNNER", &python::RUNNER),
        ("PLAYBOOK_TEST_ARA", &python::ARA),
        ("PLAYBOOK_TEST_NAMESAKES", &python::NAMESAKES),
    ] {
        cargo.env(variable, python::environment(packages)?);
    }
    cargo.env("PLAYBOOK_TEST_COLLECTIONS", python::collections()?);
    cargo.env("PLAYBOOK_TEST_RELEASES", releases.join(" "));
    cargo.env("PLAYBOOK_TEST_PYTHON", &sandbox);
    cargo.env("PLAYBOOK_TEST_SKIPPED", notes.path());
    let mut total = Total::default();
    total.follow(&mut cargo)?;
    if arguments.is_empty() && !total.failed.is_empty() {
        // Machines and networks depend on the load of this machine as no other test does.
        total.retry(cargo.args(["--test", "fleet"]))?;
    }
    drop((postgres, moto));

    let mut complete = true;
    if arguments.is_empty() {
        complete &= upstream::add_to(&mut total, &["--fast".to_owned()])?;
    }
    complete &= none_skipped(notes.path())?;
    if !every_release {
        let left_out = debian::RELEASES[1..].join(", ");
        println!("tests of roles are for {} only: {EVERY_RELEASE} adds {left_out}", releases.join(", "));
    }
    total.print();
    Ok(complete && total.failed.is_empty())
}

/// Prints the skipped tests. Returns false if there are any in CI.
fn none_skipped(notes: &Path) -> Result<bool> {
    let skipped = std::fs::read_to_string(notes).doing("reading what was skipped")?;
    for line in skipped.lines() {
        println!("SKIPPED: {line}");
    }
    Ok(skipped.is_empty() || !preflight::is_ci())
}
