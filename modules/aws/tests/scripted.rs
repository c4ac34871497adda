//! What an emulator does not simulate: throttling, denied access, and tasks that end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "this file uses a part of it")]
mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::{at, check, context, fails, json, list, run, unique, wait_for};
use playbook_api::{Map, ProbeState, Value, map};

type Script = dyn Fn(&str, usize) -> (u16, String) + Send + Sync;

/// A server that answers each operation (`UpdateService`, and how often it was asked before) from a script.
struct Scripted {
    url: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn start(script: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = calls.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &seen, &script);
            }
        });
        Scripted { url, calls }
    }

    fn connection(&self) -> Map {
        map! { "endpoint_url" => self.url.clone(), "region" => "us-east-1", "access_key" => "a", "secret_key" => "b" }
    }

    fn with(&self, mut arguments: Map) -> Map {
        arguments.extend(self.connection());
        arguments
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>, script: &Script) {
    let mut request = Vec::new();
    let mut buffer = [0; 65536];
    let (head, length) = loop {
        let n = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if n == 0 {
            return;
        }
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok());
            break (end + 4, length.unwrap_or(0));
        }
    };
    while request.len() < head + length {
        let n = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..n]);
    }
    let text = String::from_utf8_lossy(&request[..head]).into_owned();
    let target = text.lines().find(|l| l.to_lowercase().starts_with("x-amz-target")).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let before = {
        let mut seen = seen.lock().unwrap();
        let before = seen.iter().filter(|o| **o == operation).count();
        seen.push(operation.clone());
        before
    };
    let (status, body) = script(&operation, before);
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\
        Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
}

fn error(code: &str, message: &str) -> (u16, String) {
    (400, format!(r#"{{"__type": "{code}", "message": "{message}"}}"#))
}

fn ok(json: &str) -> (u16, String) {
    (200, json.to_owned())
}

#[test]
fn throttling_is_ridden_out() {
    let aws = Scripted::start(|_, before| match before {
        0 | 1 => error("ThrottlingException", "Rate exceeded"),
        _ => ok(r#"{"serviceArns": ["arn:one"]}"#),
    });
    let listed = run("ecs_service_info", aws.with(map! {}), &context());
    assert_eq!(at(&listed, "services"), list(&["arn:one"]));
    assert_eq!(aws.calls.lock().unwrap().len(), 3);
}

#[test]
fn lasting_throttling_denial_and_trouble_say_what_to_do() {
    let no_retry = json(r#"{"retries": {"max_attempts": 0}}"#);
    for (answered, message, help) in [
        (error("ThrottlingException", "Rate exceeded"), "AWS still throttles", "max_attempts"),
        (
            error("AccessDeniedException", "User x is not authorized"),
            "access denied: not allowed to call ecs:ListServices: User x is not authorized",
            "add ecs:ListServices to the policy",
        ),
        (error("ExpiredTokenException", "expired"), "the AWS session has expired", "aws sso login"),
        (error("UnrecognizedClientException", "bad token"), "does not accept the credentials", "access key"),
        (error("ClusterNotFoundException", "none"), "the ECS cluster does not exist", "ecs_cluster"),
        ((503, "{}".into()), "AWS failed with HTTP 503", "try again"),
    ] {
        let aws = Scripted::start(move |_, _| answered.clone());
        let failure =
            fails("ecs_service_info", aws.with(map! { "aws_config" => no_retry.clone() }), &context());
        assert!(failure.error.message().contains(message), "{}", failure.error);
        assert!(failure.error.help().unwrap().contains(help), "{:?}", failure.error.help());
    }
}

#[test]
fn all_pages_are_read() {
    let aws = Scripted::start(|_, before| match before {
        0 => ok(r#"{"serviceArns": ["arn:one"], "nextToken": "more"}"#),
        _ => ok(r#"{"serviceArns": ["arn:two"]}"#),
    });
    assert_eq!(
        at(&run("ecs_service_info", aws.with(map! {}), &context()), "services"),
        list(&["arn:one", "arn:two"])
    );
}

/// A task that ends with this exit code, at the second look.
fn ending(code: i64) -> Scripted {
    let task = |status: &str, container: &str| {
        format!(
            r#"{{"taskArn": "arn:aws:ecs:us-east-1:1:task/prod/0a1b", "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/web:1",
            "lastStatus": "{status}", "stoppedReason": "Essential container in task exited", "containers": [{{"name": "web"{container}}}]}}"#
        )
    };
    Scripted::start(move |operation, before| match (operation, before) {
        ("RunTask", _) => ok(&format!(r#"{{"tasks": [{}], "failures": []}}"#, task("PENDING", ""))),
        ("DescribeTasks", 0) => ok(&format!(r#"{{"tasks": [{}]}}"#, task("RUNNING", ""))),
        ("DescribeTasks", _) => {
            ok(&format!(r#"{{"tasks": [{}]}}"#, task("STOPPED", &format!(r#", "exitCode": {code}"#))))
        }
        ("DescribeTaskDefinition", _) => ok(
            r#"{"taskDefinition": {"taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/web:1", "containerDefinitions": [
            {"name": "web", "image": "app:1", "essential": true, "logConfiguration": {"logDriver": "awslogs", "options":
            {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}}}]}, "tags": []}"#,
        ),
        ("GetLogEvents", _) => ok(r#"{"events": [{"message": "one\n"}, {"message": "relation exists"}]}"#),
        other => panic!("{other:?} was not expected"),
    })
}

#[test]
fn a_task_brings_back_its_exit_codes_and_last_lines() {
    let arguments = map! { "operation" => "run", "cluster" => "prod", "task_definition" => "web", "wait" => true, "wait_delay" => 0 };
    let done = run("ecs_task", ending(0).with(arguments.clone()), &context());
    assert_eq!(at(&done, "exit_codes.web"), Value::from(0));
    assert_eq!(at(&done, "logs.web"), list(&["one", "relation exists"]));
    assert_eq!(at(&done, "stopped_reasons.0"), Value::from("Essential container in task exited"));

    let failure = fails("ecs_task", ending(3).with(arguments), &context());
    let message = failure.error.message();
    assert!(
        message.contains("container web: exit code 3") && message.contains("web: relation exists"),
        "{message}"
    );
    assert_eq!(at(&failure.outcome, "exit_codes.web"), Value::from(3));
}

#[test]
fn the_runner_answers_the_exit_code_and_the_log() {
    let registry = common::registry();
    let runner = registry.task_runner("ecs").unwrap();
    let command = ["alembic".to_owned(), "upgrade".to_owned(), "head".to_owned()];
    let aws = ending(1);
    let options = aws.with(map! { "cluster" => "prod", "task_definition" => "web", "wait_delay" => 0 });
    let (code, log) = wait_for(runner.run(&command, &options, &context())).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((code, log.as_str()), (1, "one\nrelation exists"));
}

#[test]
fn a_task_that_finds_no_room_says_so() {
    let aws = Scripted::start(|_, _| ok(r#"{"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}"#));
    let arguments = map! { "operation" => "run", "cluster" => "prod", "task_definition" => "web" };
    let failure = fails("ecs_task", aws.with(arguments), &context());
    assert_eq!(failure.error.message(), "ECS could not start the task: RESOURCE:MEMORY");
}

fn service(revision: u8, state: &str, running: u8) -> String {
    format!(
        r#"{{"services": [{{"serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "runningCount": {running},
        "taskDefinition": "web:{revision}", "events": [{{"message": "(service web) has begun draining"}}],
        "deployments": [{{"id": "ecs-svc/{revision}", "status": "PRIMARY", "taskDefinition": "web:{revision}",
            "rolloutState": "{state}", "rolloutStateReason": "tasks failed to start", "runningCount": {running}}}]}}]}}"#
    )
}

/// A rollout that goes through these states, look by look.
fn rollout(states: &'static [(u8, &str, u8)]) -> Scripted {
    Scripted::start(move |operation, before| match operation {
        "DescribeServices" => {
            let (revision, state, running) = states[before.min(states.len() - 1)];
            ok(&service(revision, state, running))
        }
        "ListTasks" => ok(r#"{"taskArns": ["arn:aws:ecs:us-east-1:1:task/prod/0a1b"]}"#),
        "DescribeTasks" => ok(
            r#"{"tasks": [{"taskArn": "arn:aws:ecs:us-east-1:1:task/prod/0a1b", "stoppedReason": "Task failed to start",
            "containers": [{"name": "web", "reason": "CannotPullContainerError: no such image"}]}]}"#,
        ),
        other => panic!("{other} was not expected"),
    })
}

#[test]
fn a_rollout_is_followed_to_its_end() {
    let aws = rollout(&[(2, "IN_PROGRESS", 0), (2, "IN_PROGRESS", 1), (2, "COMPLETED", 2)]);
    let arguments = map! { "name" => "web", "cluster" => "prod", "wait" => true, "delay" => 1 };
    let done = run("ecs_service", aws.with(arguments), &context());
    assert_eq!(at(&done, "service.runningCount"), Value::from(2));
}

#[test]
fn a_failed_rollout_ends_the_wait_at_once_and_is_explained() {
    let arguments = map! { "name" => "web", "cluster" => "prod", "wait" => true, "delay" => 1 };
    let aws = rollout(&[(2, "IN_PROGRESS", 0), (2, "FAILED", 0)]);
    let failure = fails("ecs_service", aws.with(arguments.clone()), &context());
    let message = failure.error.message();
    assert!(message.contains("the deployment of web:2 failed: tasks failed to start"), "{message}");
    assert!(
        message.contains("has begun draining") && message.contains("CannotPullContainerError"),
        "{message}"
    );

    let aws = rollout(&[(2, "IN_PROGRESS", 0), (1, "COMPLETED", 2)]);
    let failure = fails("ecs_service", aws.with(arguments), &context());
    assert!(failure.error.message().contains("web:1 is rolled out instead of web:2"), "{}", failure.error);
}

#[test]
fn the_probe_sees_a_failed_rollout() {
    let aws = rollout(&[(2, "FAILED", 0)]);
    let registry = common::registry();
    let (probe, context) = (registry.probe("ecs_service").unwrap(), context());
    let options = aws.with(map! { "name" => "web", "cluster" => "prod", "task_definition" => "web:2" });
    let ProbeState::Never(why, _) = wait_for(probe.look(&options, &context)).unwrap() else {
        panic!("not never")
    };
    assert!(why.contains("tasks failed to start"), "{why}");
    let lines = wait_for(probe.explain(&options, &context));
    assert!(lines.iter().any(|l| l.contains("CannotPullContainerError")), "{lines:?}");
}

#[test]
fn check_mode_lets_nothing_else_through() {
    let aws = Scripted::start(|_, _| ok("{}"));
    let mut connection = playbook_aws::Connection::among(&aws.connection(), &check()).unwrap();
    connection.profile = None;
    let denied = wait_for(async {
        let clients = playbook_aws::Aws::connect(&connection, &check()).await.unwrap();
        clients.ecs().create_cluster().cluster_name(unique("x")).send().await.unwrap_err()
    });
    assert!(format!("{denied:?}").contains("ecs:CreateCluster"), "{denied:?}");
    assert!(aws.calls.lock().unwrap().is_empty(), "a request left");
}
