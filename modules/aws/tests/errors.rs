//! The errors that a user sees when AWS cannot be reached.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "this file uses a part of it")]
mod common;

use common::*;
use playbook_api::module::Run;
use playbook_api::{Arguments, Context, Failure, Map, Outcome, map};

/// Runs with these arguments alone, and an environment that has no AWS in it.
fn bare(arguments: Map, environment: &[(&str, &str)]) -> Result<Outcome, Failure> {
    let hide = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"];
    let mut all: Vec<(String, String)> = hide.iter().map(|n| ((*n).to_owned(), String::new())).collect();
    for (name, value) in [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
    ] {
        all.push((name.into(), value.into()));
    }
    all.retain(|(name, _)| name != "AWS_CA_BUNDLE");
    all.extend(environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    let context = Context { environment: all, ..context() };
    let entry = registry().module("ecs_service_info").unwrap().clone();
    let Run::Controller(run) = entry.run else { unreachable!() };
    wait_for(run(entry, Arguments::from(arguments), context))
}

fn message(result: Result<Outcome, Failure>) -> (String, String) {
    let failure = result.err().unwrap();
    (failure.error.to_string(), failure.error.help().unwrap_or_default().to_owned())
}

#[test]
fn no_region() {
    let (message, help) = message(bare(map! { "access_key" => "a", "secret_key" => "b" }, &[]));
    assert_eq!(message, "no AWS region is known");
    assert!(help.contains("AWS_REGION"), "{help}");
}

#[test]
fn no_credentials() {
    let (message, help) = message(bare(map! { "region" => "us-east-1", "endpoint_url" => endpoint() }, &[]));
    assert!(message.contains("ecs:ListServices: no AWS credentials were found"), "{message}");
    assert!(help.contains("aws sso login"), "{help}");
}

#[test]
fn no_such_profile() {
    let (message, _) = message(bare(map! { "region" => "us-east-1", "profile" => "ops" }, &[]));
    assert_eq!(message, "there is no AWS profile 'ops'");
}

#[test]
fn an_endpoint_that_is_not_there() {
    let arguments = map! { "region" => "us-east-1", "endpoint_url" => "http://127.0.0.1:9", "access_key" => "a",
    "secret_key" => "b", "aws_config" => json(r#"{"retries": {"max_attempts": 0}}"#) };
    let (message, help) = message(bare(arguments, &[]));
    assert!(message.contains("ecs:ListServices: cannot reach the endpoint"), "{message}");
    assert!(help.contains("endpoint_url"), "{help}");
}

#[test]
fn the_environment_of_the_task_counts() {
    let url = endpoint();
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", url.as_str()),
    ];
    let name = unique("cluster");
    run("ecs_cluster", map! { "name" => name.clone(), "state" => "present" }, &context());
    let listed = bare(map! { "cluster" => name, "debug_botocore_endpoint_logs" => true }, &environment)
        .unwrap_or_else(|f| panic!("{}", f.error));
    assert_eq!(at(&listed, "resource_actions"), list(&["ecs:ListServices"]));
}

#[test]
fn certificates_are_verified() {
    let arguments = map! { "region" => "us-east-1", "validate_certs" => false };
    let (message, help) = message(bare(arguments, &[]));
    assert!(
        message.contains("`validate_certs: false` is not supported") && help.contains("aws_ca_bundle"),
        "{message}"
    );
}
