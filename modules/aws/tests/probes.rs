//! Probes, the inventory source and the task runner against an emulator.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "this file uses a part of it")]
mod common;

use aws_sdk_elasticloadbalancingv2 as elb;
use aws_sdk_s3 as s3;
use common::*;
use playbook_api::{Map, ProbeState, Value, map};

fn look(probe: &str, options: Map) -> ProbeState {
    wait_for(registry().probe(probe).unwrap().look(&with_connection(options), &context()))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn definition(family: &str) {
    let containers = json(r#"[{"name": "web", "image": "app:1", "memory": 128, "cpu": 1}]"#);
    let arguments = map! { "state" => "present", "family" => family, "containers" => containers,
    "network_mode" => "awsvpc", "launch_type" => "FARGATE", "cpu" => "256", "memory" => "512" };
    run("ecs_taskdefinition", arguments, &context());
}

fn cluster() -> String {
    let name = unique("cluster");
    run("ecs_cluster", map! { "name" => name.clone(), "state" => "present" }, &context());
    name
}

fn sdk() -> s3::config::Builder {
    s3::config::Builder::new()
        .behavior_version_latest()
        .region(s3::config::Region::new("us-east-1"))
        .credentials_provider(s3::config::Credentials::new("AKIATEST", "x", None, None, "test"))
        .endpoint_url(endpoint())
        .force_path_style(true)
}

#[test]
fn a_service_is_waited_for() {
    let (cluster, family) = (cluster(), unique("web"));
    definition(&family);
    let options = map! { "name" => "web", "cluster" => cluster.clone() };
    assert!(matches!(look("ecs_service", options.clone()), ProbeState::Missing(_)));
    let service = map! { "name" => "web", "cluster" => cluster.clone(), "task_definition" => family.clone(), "desired_count" => 1 };
    run("ecs_service", service, &context());
    let ProbeState::Waiting(words, found) = look("ecs_service", options.clone()) else {
        panic!("not waiting")
    };
    assert_eq!(words, "0 of 1 tasks running, 1 pending; rollout IN_PROGRESS");
    assert_eq!(found.get("service").unwrap().get("desiredCount"), Some(&Value::from(1)));
    wait_for(registry().probe("ecs_service").unwrap().explain(&with_connection(options.clone()), &context()));

    let empty = map! { "name" => "empty", "cluster" => cluster.clone(), "task_definition" => family.clone(), "desired_count" => 0 };
    run("ecs_service", empty, &context());
    let mut options = map! { "name" => "empty", "cluster" => cluster.clone() };
    assert!(matches!(look("ecs_service", options.clone()), ProbeState::Met(_)));
    options.insert("task_definition".into(), format!("{family}:7").into());
    assert!(matches!(look("ecs_service", options), ProbeState::Never(..)));
    run(
        "ecs_service",
        map! { "name" => "empty", "cluster" => cluster.clone(), "state" => "absent" },
        &context(),
    );
    let gone = look("ecs_service", map! { "name" => "empty", "cluster" => cluster });
    assert!(!matches!(gone, ProbeState::Met(_)), "{gone:?}");
}

#[test]
fn a_task_is_waited_for() {
    let (cluster, family) = (cluster(), unique("job"));
    definition(&family);
    let subnet =
        between(&raw("ec2", "Action=DescribeSubnets&Version=2016-11-15"), "<subnetId>", "</subnetId>");
    let network = json(&format!(r#"{{"subnets": ["{subnet}"], "security_groups": []}}"#));
    let begun = run(
        "ecs_task",
        map! { "operation" => "run", "cluster" => cluster.clone(), "task_definition" => family.clone(),
        "launch_type" => "FARGATE", "network_configuration" => network.clone() },
        &context(),
    );
    // The emulator moves a task on with each look.
    let options = map! { "cluster" => cluster.clone(), "task" => at(&begun, "task.0.taskArn") };
    let ended = (0..10).any(|_| matches!(look("ecs_task", options.clone()), ProbeState::Met(_)));
    assert!(ended, "{:?}", look("ecs_task", options));
    let unknown = map! { "cluster" => cluster.clone(), "task" => "0123456789abcdef0123456789abcdef" };
    assert!(matches!(look("ecs_task", unknown), ProbeState::Never(..)));

    let runner = map! { "cluster" => cluster, "task_definition" => family, "container" => "db" };
    let registry = registry();
    let run = |options: &Map| {
        wait_for(registry.task_runner("ecs").unwrap().run(
            &["true".into()],
            &with_connection(options.clone()),
            &context(),
        ))
    };
    assert!(run(&runner).unwrap_err().message().contains("has no container 'db'"));
    let mut runner = runner;
    runner.insert("container".into(), "web".into());
    runner.insert("timeout".into(), 0.into());
    runner.insert("launch_type".into(), "FARGATE".into());
    runner.insert("network_configuration".into(), network);
    assert!(run(&runner).unwrap_err().message().contains("was still"));
}

#[test]
fn an_instance_is_waited_for() {
    let id = unique("db");
    assert!(matches!(look("rds_instance", map! { "id" => id.clone() }), ProbeState::Missing(_)));
    assert!(matches!(
        look("rds_instance", map! { "id" => id.clone(), "status" => "absent" }),
        ProbeState::Met(_)
    ));
    run(
        "rds_instance",
        map! { "id" => id.clone(), "engine" => "postgres", "db_instance_class" => "db.t4g.micro",
        "allocated_storage" => 20, "username" => "app", "password" => "correct-horse" },
        &context(),
    );
    let ProbeState::Met(found) = look("rds_instance", map! { "id" => id }) else { panic!("not met") };
    assert_eq!(found.get("instance").unwrap().get("db_instance_status"), Some(&Value::from("available")));
}

#[test]
fn a_target_group_is_waited_for() {
    let name = unique("tg");
    let options = map! { "name" => name.clone() };
    assert!(matches!(look("target_group", options.clone()), ProbeState::Missing(_)));
    let vpc = between(&raw("ec2", "Action=DescribeVpcs&Version=2016-11-15"), "<vpcId>", "</vpcId>");
    let config = elb::config::Builder::new()
        .behavior_version_latest()
        .region(elb::config::Region::new("us-east-1"))
        .credentials_provider(elb::config::Credentials::new("AKIATEST", "x", None, None, "test"))
        .endpoint_url(endpoint());
    let client = elb::Client::from_conf(config.build());
    let arn = wait_for(async {
        let protocol = elb::types::ProtocolEnum::Http;
        let group = client.create_target_group().name(&name).protocol(protocol).port(80).vpc_id(vpc);
        let group = group.target_type(elb::types::TargetTypeEnum::Ip).send().await.unwrap();
        let arn = group.target_groups()[0].target_group_arn().unwrap().to_owned();
        let target = elb::types::TargetDescription::builder().id("10.0.0.7").port(8080).build();
        client.register_targets().target_group_arn(&arn).targets(target).send().await.unwrap();
        arn
    });
    let state = look("target_group", map! { "arn" => arn });
    let more = look("target_group", with_healthy(options, 2));
    assert!(matches!(state, ProbeState::Met(_) | ProbeState::Waiting(..)), "{state:?}");
    let ProbeState::Waiting(words, _) = more else { panic!("{more:?}") };
    assert!(words.ends_with("of 2 targets healthy"), "{words}");
}

fn with_healthy(mut options: Map, n: i64) -> Map {
    options.insert("healthy".into(), n.into());
    options
}

#[test]
fn a_state_comes_from_a_bucket() {
    let bucket = unique("states");
    let client = s3::Client::from_conf(sdk().build());
    wait_for(async {
        client.create_bucket().bucket(&bucket).send().await.unwrap();
        let body = s3::primitives::ByteStream::from_static(br#"{"version": 4}"#);
        client.put_object().bucket(&bucket).key("prod/terraform.tfstate").body(body).send().await.unwrap();
    });
    let registry = registry();
    let source = &registry.inventory_sources[0];
    assert_eq!(source.scheme(), "s3");
    let fetch = |key: &str| {
        let location = format!("s3://{bucket}/{key}");
        wait_for(source.fetch(&location, &connection(), &check()))
    };
    assert_eq!(fetch("prod/terraform.tfstate").unwrap(), r#"{"version": 4}"#);
    assert!(fetch("prod/none").unwrap_err().message().contains("there is no s3://"));
}
