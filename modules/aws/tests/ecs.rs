//! The ECS modules against an emulator.

mod common;

use common::*;
use playbook_api::{Map, Value, map};

fn cluster() -> String {
    let name = unique("cluster");
    run("ecs_cluster", map! { "name" => name.clone(), "state" => "present" }, &context());
    name
}

fn definition(family: &str, image: &str) -> Map {
    map! {
        "state" => "present", "family" => family, "network_mode" => "awsvpc", "launch_type" => "FARGATE",
        "cpu" => "256", "memory" => "512",
        "containers" => json(&format!(r#"[{{"name": "web", "image": "{image}", "essential": true, "cpu": 10, "memory": 128,
            "portMappings": [{{"containerPort": "8080"}}],
            "environment": [{{"name": "B", "value": "2"}}, {{"name": "A", "value": 1}}],
            "logConfiguration": {{"logDriver": "awslogs", "options": {{"awslogs-group": "/ecs/x",
                "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}}}}}}]"#)),
    }
}

fn register(family: &str, image: &str) -> String {
    let outcome = run("ecs_taskdefinition", definition(family, image), &context());
    at(&outcome, "taskdefinition.taskDefinitionArn").to_text().into_owned()
}

fn service(cluster: &str, definition: &str) -> Map {
    map! { "name" => "web", "cluster" => cluster, "task_definition" => definition, "desired_count" => "2" }
}

/// A subnet of the emulator's default network.
fn subnet() -> String {
    let answer = raw("ec2", "Action=DescribeSubnets&Version=2016-11-15");
    between(&answer, "<subnetId>", "</subnetId>")
}

fn with(mut map: Map, name: &str, value: impl Into<Value>) -> Map {
    map.insert(name.into(), value.into());
    map
}

#[test]
fn a_cluster_converges_and_goes() {
    let name = unique("cluster");
    let arguments =
        map! { "name" => name.clone(), "state" => "present", "capacity_providers" => list(&["FARGATE"]) };
    let done = converges("ecs_cluster", arguments);
    assert_eq!(at(&done, "cluster.clusterName"), Value::from(name.clone()));
    let strategy = json(r#"[{"capacity_provider": "FARGATE", "weight": 1}]"#);
    let arguments =
        map! { "name" => name.clone(), "state" => "present", "capacity_provider_strategy" => strategy };
    converges("ecs_cluster", arguments);
    converges("ecs_cluster", map! { "name" => name, "state" => "absent" });
}

#[test]
fn a_definition_gets_a_revision_only_when_something_differs() {
    let family = unique("web");
    let first = converges("ecs_taskdefinition", definition(&family, "app:1"));
    assert_eq!(at(&first, "taskdefinition.revision"), Value::from(1));
    assert_eq!(
        at(&first, "taskdefinition.containerDefinitions.0.portMappings.0.containerPort"),
        Value::from(8080)
    );
    let second = converges("ecs_taskdefinition", definition(&family, "app:2"));
    assert_eq!(at(&second, "taskdefinition.revision"), Value::from(2));
    let forced =
        run("ecs_taskdefinition", with(definition(&family, "app:2"), "force_create", true), &context());
    assert_eq!(at(&forced, "taskdefinition.revision"), Value::from(3));

    let info = run("ecs_taskdefinition_info", map! { "task_definition" => family.clone() }, &context());
    assert_eq!(at(&info, "revision"), Value::from(3));
    assert_eq!(at(&info, "container_definitions.0.port_mappings.0.container_port"), Value::from(8080));
    assert_eq!(
        at(&info, "container_definitions.0.log_configuration.options.awslogs-group"),
        Value::from("/ecs/x")
    );

    let removal = map! { "state" => "absent", "family" => family.clone(), "revision" => 3 };
    converges("ecs_taskdefinition", removal);
    let misspelt =
        with(definition(&family, "x"), "containers", json(r#"[{"name": "a", "image": "b", "comand": []}]"#));
    let failure = fails("ecs_taskdefinition", misspelt, &context());
    assert!(
        failure.error.to_string().contains("has no member 'comand'. Did you mean 'command'?"),
        "{}",
        failure.error
    );
    // Playbooks test for existence with the module.
    let missing = run("ecs_taskdefinition_info", map! { "task_definition" => unique("none") }, &context());
    assert!(!missing.changed && missing.values.is_empty(), "{:?}", missing.values);
}

#[test]
fn a_service_is_created_updated_described_and_deleted() {
    let cluster = cluster();
    let family = unique("web");
    let first = register(&family, "app:1");
    let tagged = with(service(&cluster, &first), "tags", json(r#"{"team": "a", "env": "b"}"#));
    let created = converges("ecs_service", tagged);
    assert_eq!(at(&created, "service.serviceName"), Value::from("web"));
    assert_eq!(at(&created, "service.desiredCount"), Value::from(2));

    // Described, when nothing is asked.
    let described = run("ecs_service", map! { "name" => "web", "cluster" => cluster.clone() }, &context());
    assert!(!described.changed);
    assert_eq!(at(&described, "service.taskDefinition"), Value::from(first.clone()));
    assert!(at(&described, "service.deployments.0.createdAt").to_text().contains("+00:00"));

    // The same revision by other names.
    for same in [format!("{family}:1"), family.clone()] {
        assert!(!run("ecs_service", service(&cluster, &same), &context()).changed, "{same}");
    }
    let second = register(&family, "app:2");
    assert!(run("ecs_service", service(&cluster, &family), &check()).changed);
    let updated = converges("ecs_service", service(&cluster, &second));
    assert_eq!(at(&updated, "changes"), list(&["taskDefinition"]));
    assert_eq!(at(&updated, "service.taskDefinition"), Value::from(second));

    // A count that nobody asks for stays.
    converges("ecs_service", map! { "name" => "web", "cluster" => cluster.clone(), "desired_count" => 5 });
    let configuration =
        json(r#"{"maximum_percent": 150, "deployment_circuit_breaker": {"enable": true, "rollback": true}}"#);
    let arguments =
        map! { "name" => "web", "cluster" => cluster.clone(), "deployment_configuration" => configuration };
    let updated = converges("ecs_service", arguments);
    assert_eq!(at(&updated, "service.desiredCount"), Value::from(5));
    assert_eq!(at(&updated, "service.deploymentConfiguration.maximumPercent"), Value::from(150));

    // Tags come, and go only when purged.
    let tags = |text: &str| map! { "name" => "web", "cluster" => cluster.clone(), "tags" => json(text) };
    assert!(!run("ecs_service", tags(r#"{"team": "a"}"#), &context()).changed);
    converges("ecs_service", with(tags(r#"{"team": "b"}"#), "purge_tags", true));
    let info = map! { "cluster" => cluster.clone(), "service" => list(&["web", "nobody"]), "details" => true, "events" => false };
    let info = run("ecs_service_info", info, &context());
    assert_eq!(at(&info, "services.0.tags").as_list().unwrap().len(), 1);
    assert_eq!(at(&info, "services_not_running.0.service"), Value::from("nobody"));

    let force = map! { "name" => "web", "cluster" => cluster.clone(), "force_new_deployment" => true };
    assert!(run("ecs_service", force.clone(), &check()).changed);
    let forced = run("ecs_service", force, &context());
    assert!(forced.changed);
    assert_eq!(at(&forced, "changes"), list(&["forceNewDeployment"]));

    let gone = map! { "name" => "web", "cluster" => cluster.clone(), "state" => "absent" };
    let failure = fails("ecs_service", gone.clone(), &context());
    assert!(failure.error.message().contains("still has a desired count of 5"), "{}", failure.error);
    converges("ecs_service", with(gone, "force_deletion", true));
    let failure = fails("ecs_service", map! { "name" => "web", "cluster" => cluster }, &context());
    assert!(failure.error.message().contains("does not exist"), "{}", failure.error);
}

#[test]
fn a_service_waits_for_its_rollout() {
    let cluster = cluster();
    let definition = register(&unique("web"), "app:1");
    let arguments = with(with(service(&cluster, &definition), "wait", true), "delay", 1);
    // The emulator leaves the tasks of a new service pending, so only one without tasks is ever done.
    let done = run("ecs_service", with(arguments.clone(), "desired_count", 0), &context());
    assert_eq!(at(&done, "service.deployments.0.rolloutState"), Value::from("COMPLETED"));
    let other = with(with(arguments, "name", "slow"), "wait_timeout", 1);
    let failure = fails("ecs_service", other, &context());
    let message = failure.error.message();
    assert!(
        message.contains(
            "was not complete after 1 second: 0 of 2 tasks running, 2 pending; rollout IN_PROGRESS"
        ),
        "{message}"
    );
    assert!(failure.outcome.changed);
    assert_eq!(at(&failure.outcome, "service.desiredCount"), Value::from(2));
}

#[test]
fn codedeploy_keeps_its_deployments() {
    let cluster = cluster();
    let (family, blue) = (unique("web"), json(r#"{"type": "CODE_DEPLOY"}"#));
    let arguments = with(service(&cluster, &register(&family, "app:1")), "deployment_controller", blue);
    converges("ecs_service", arguments.clone());
    let second = register(&family, "app:2");
    let failure = fails("ecs_service", with(arguments.clone(), "task_definition", second), &check());
    assert!(failure.error.message().contains("performed by CODE_DEPLOY"), "{}", failure.error);
    assert!(failure.error.message().contains("taskDefinition"), "{}", failure.error);
    converges("ecs_service", with(arguments, "desired_count", 3));
}

#[test]
fn a_service_that_cannot_be_made_says_what_is_missing() {
    let cluster = cluster();
    let failure = fails(
        "ecs_service",
        map! { "name" => "x", "cluster" => cluster.clone(), "desired_count" => 1 },
        &context(),
    );
    assert!(failure.error.message().contains("creating it requires task_definition"), "{}", failure.error);
    let nowhere = fails("ecs_service", service("no-such-cluster", "x:1"), &context());
    assert!(nowhere.error.message().contains("the ECS cluster does not exist"), "{}", nowhere.error);
    // In check mode an earlier task may be what would create the cluster.
    assert!(run("ecs_service", service("no-such-cluster", "x:1"), &check()).changed);
    let described = run("ecs_service", map! { "name" => "x", "cluster" => cluster }, &check());
    assert_eq!(at(&described, "service.runningCount"), at(&described, "service.desiredCount"));
}

#[test]
fn a_task_runs_is_followed_and_stopped() {
    let cluster = cluster();
    let family = unique("job");
    register(&family, "app:1");
    let overrides = json(r#"{"containerOverrides": [{"name": "web", "command": ["true"]}]}"#);
    let arguments = map! { "operation" => "run", "cluster" => cluster.clone(), "task_definition" => family,
    "launch_type" => "FARGATE", "overrides" => overrides,
    "network_configuration" => json(&format!(r#"{{"subnets": ["{}"], "security_groups": [], "assign_public_ip": true}}"#, subnet())) };
    assert!(run("ecs_task", arguments.clone(), &check()).changed);
    let begun = run("ecs_task", arguments.clone(), &context());
    let id = at(&begun, "task.0.taskArn");
    let waited = run("ecs_task", with(with(arguments, "wait", true), "wait_delay", 0), &context());
    assert_eq!(at(&waited, "exit_codes.web"), Value::from(0));
    assert_eq!(at(&waited, "task.0.lastStatus"), Value::from("STOPPED"));

    let stop = map! { "operation" => "stop", "cluster" => cluster, "task" => id };
    assert!(run("ecs_task", stop.clone(), &check()).changed);
    let stopped = run("ecs_task", stop.clone(), &context());
    assert!(stopped.changed);
    assert_eq!(at(&stopped, "task.desiredStatus"), Value::from("STOPPED"));
    assert!(!run("ecs_task", stop, &context()).changed);
}
