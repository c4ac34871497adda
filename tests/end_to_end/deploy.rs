//! The reference deployment, end to end.

use std::process::Stdio;
use std::time::Duration;

use crate::support::project::Deployment;
use crate::support::servers;
use xtask::proxy::{Ending, Fault, FaultKind, Plan};
use xtask::sandbox::DATABASE_PASSWORD;

/// The password as the connection URL spells it.
fn encoded_password() -> String {
    xtask::aws::percent_encode(DATABASE_PASSWORD)
}

#[test]
fn a_deployment_ships_the_image_and_a_second_one_changes_nothing() {
    let Some(servers) = servers("a deployment") else { return };
    let deployment = Deployment::new(&servers);
    let secrets = [DATABASE_PASSWORD, &encoded_password()];

    let first = deployment.deploy("1.0.0", &["-v"]).ok().hides(&secrets);
    assert_eq!(first.sums().failed, 0, "{}", first.text());
    assert!(first.sums().changed >= 3, "{}", first.text());
    assert!(deployment.image().ends_with(":1.0.0"), "{}", deployment.image());
    let service = deployment.service();
    assert_eq!(service["runningCount"], service["desiredCount"]);
    assert_eq!(
        service["deployments"].as_array().map(Vec::len),
        Some(1),
        "the old tasks are gone: {service:#}"
    );
    assert_eq!(servers.sql(&deployment.database, "select count(*) from users"), "0");

    deployment.proxy.take_calls();
    let second = deployment.deploy("1.0.0", &["-v"]).ok().hides(&secrets);
    assert_eq!(second.sums().changed, 0, "{}", second.text());
    assert_eq!(writes(&deployment), Vec::<String>::new());

    let third = deployment.deploy("1.1.0", &[]).ok();
    assert_eq!(third.sums().changed, 2, "a task definition and the service: {}", third.text());
    assert!(deployment.image().ends_with(":1.1.0"), "{}", deployment.image());
}

#[test]
fn check_mode_says_what_would_change_and_touches_nothing() {
    let Some(servers) = servers("check mode") else { return };
    let deployment = Deployment::new(&servers);
    let before = servers.dump(&deployment.database);

    let check = deployment
        .deploy("1.0.0", &["--check", "--diff"])
        .ok()
        .hides(&[DATABASE_PASSWORD, &encoded_password()]);
    assert!(check.sums().changed >= 3, "{}", check.text());
    let check = check.says(&["001_initial_schema", "002_users_created_at_index"]);
    assert!(!writes_were_made(&deployment), "{}", check.text());
    assert_eq!(servers.dump(&deployment.database), before);

    // The same where everything is in place already.
    deployment.deploy("1.0.0", &[]).ok();
    deployment.proxy.take_calls();
    let before = servers.dump(&deployment.database);
    let check = deployment.deploy("1.0.0", &["--check", "--diff"]).ok();
    assert_eq!(check.sums().changed, 0, "{}", check.text());
    assert!(!writes_were_made(&deployment));
    assert_eq!(servers.dump(&deployment.database), before);
}

#[test]
fn the_database_is_set_up_as_the_role_has_it() {
    let Some(servers) = servers("setting up the database") else { return };
    let deployment = Deployment::new(&servers);
    let set_up = |options: &[&str]| {
        let mut command =
            deployment.project.command(&["run", "database-setup.yml", "-i", "sandbox.yml", "-v"]);
        command.args(options).envs(xtask::aws::environment(&deployment.proxy.endpoint()));
        crate::support::Ended::of(&mut command).ok().hides(&[DATABASE_PASSWORD, &encoded_password()])
    };
    assert_eq!(set_up(&[]).sums().changed, 0, "Terraform has made it so");
    let more = ["-e", "db_backup_retention_period=14"];
    deployment.proxy.take_calls();
    assert_eq!(set_up(&["--check", more[0], more[1]]).sums().changed, 1);
    assert!(!writes_were_made(&deployment));
    assert_eq!(set_up(&more).sums().changed, 1);
    assert_eq!(set_up(&more).sums().changed, 0);
}

#[test]
fn alembic_migrates_where_the_role_is_told_so() {
    let Some(servers) = servers("alembic") else { return };
    let deployment = Deployment::new(&servers);
    let deploy = |options: &[&str]| {
        let mut command = deployment.command("1.0.0", &["-e", "app_migrations=alembic"]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(servers.python_bin.clone()).chain(std::env::split_paths(&path));
        command.args(options).env("PATH", std::env::join_paths(path).expect("a PATH"));
        crate::support::Ended::of(&mut command)
    };
    deploy(&["--check"]).ok();
    let exists = "select to_regclass('public.users') is not null";
    assert_eq!(servers.sql(&deployment.database, exists), "f");
    let first = deploy(&[]).ok().hides(&[DATABASE_PASSWORD, &encoded_password()]);
    assert!(first.sums().changed >= 3, "{}", first.text());
    assert_eq!(
        servers.sql(&deployment.database, "select version_num from alembic_version"),
        "002_created_at"
    );
    let second = deploy(&[]).ok();
    assert_eq!(second.sums().changed, 0, "{}", second.text());
}

#[test]
fn two_deployments_at_once_apply_each_migration_once() {
    let Some(servers) = servers("two deployments at once") else { return };
    let deployment = Deployment::new(&servers);
    // One that takes a moment, one that cannot run in a transaction.
    let directory = "app/migrations/sql";
    deployment
        .project
        .write(&format!("{directory}/003_slow.sql"), "select pg_sleep(1);\ncreate table slow (id int);\n");
    let index =
        "-- playbook: no-transaction\ncreate index concurrently users_email_lower on users (lower(email));\n";
    deployment.project.write(&format!("{directory}/004_index.sql"), index);
    let start = || {
        let mut command = deployment.command("1.0.0", &[]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    };
    let both = [start(), start()];
    let mut changed = Vec::new();
    for run in both {
        let output = run.wait_with_output().expect("the run ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        changed.push(text);
    }
    let count = "select count(*) from playbook_migrations";
    assert_eq!(servers.sql(&deployment.database, count), "4", "{changed:?}");
    let valid = "select indisvalid from pg_index where indexrelid = 'users_email_lower'::regclass";
    assert_eq!(servers.sql(&deployment.database, valid), "t");
}

#[test]
fn a_rollout_that_fails_is_told_at_once_with_its_events() {
    let Some(servers) = servers("a failed rollout") else { return };
    let deployment = Deployment::new(&servers);
    deployment.proxy.plan(Plan { looks: 2, ending: Ending::Failed });
    let started = std::time::Instant::now();
    deployment.deploy("1.0.0", &[]).fails(2).says(&["circuit breaker", "failed container health checks"]);
    assert!(started.elapsed() < Duration::from_secs(60), "it waited for what could not come");
}

#[test]
fn a_rollout_that_never_ends_runs_into_the_timeout_with_its_state() {
    let Some(servers) = servers("an endless rollout") else { return };
    let deployment = Deployment::new(&servers);
    deployment.proxy.plan(Plan { looks: 2, ending: Ending::Never });
    deployment
        .deploy("1.0.0", &["-e", "app_rollout_timeout=10"])
        .fails(2)
        .says(&["1 of 2 tasks running", "has started 2 tasks"]);
}

#[test]
fn throttling_faults_and_slow_answers_are_ridden_out() {
    let Some(servers) = servers("throttling") else { return };
    let deployment = Deployment::new(&servers);
    for (operation, kind) in [
        ("DescribeServices", FaultKind::Throttled),
        ("GetSecretValue", FaultKind::ServerError),
        ("RegisterTaskDefinition", FaultKind::Throttled),
        ("UpdateService", FaultKind::Slow(Duration::from_secs(2))),
        ("DescribeTargetHealth", FaultKind::Dropped),
    ] {
        deployment.proxy.fault(Fault { operation, times: 1, kind });
    }
    let run = deployment.deploy("1.0.0", &[]).ok();
    assert_eq!(run.sums().failed, 0, "{}", run.text());
}

/// The names of the calls since the last look that are not in the written table of read-only operations.
fn writes(deployment: &Deployment) -> Vec<String> {
    let calls = deployment.proxy.take_calls();
    assert!(!calls.is_empty(), "the run asked AWS nothing at all");
    calls.iter().filter(|call| !call.is_read_only()).map(|call| call.name()).collect()
}

fn writes_were_made(deployment: &Deployment) -> bool {
    !writes(deployment).is_empty()
}
