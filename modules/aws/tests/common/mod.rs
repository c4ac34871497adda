//! Runs the crate's modules against an emulated AWS.

#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::{Arc, OnceLock};

use playbook_api::module::Run;
use playbook_api::{Arguments, Context, Failure, Map, Outcome, Registry, Value, map};

/// Where the emulator listens; the tests mean nothing without it.
pub fn endpoint() -> String {
    std::env::var("PLAYBOOK_TEST_AWS_ENDPOINT").unwrap_or_else(|_| {
        panic!(
            "PLAYBOOK_TEST_AWS_ENDPOINT is not set, and these tests need an AWS emulator: run `cargo xtask test`, \
             or start `moto_server -p 5555` (pip install 'moto[server]') and set it to http://127.0.0.1:5555"
        )
    })
}

/// One runtime for all tests of a file: the cached clients keep connections that belong to it.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap()).block_on(future)
}

pub fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    playbook_aws::register(&mut registry);
    Arc::new(registry)
}

pub fn context() -> Context {
    Context { registry: registry(), diff: true, ..Context::default() }
}

pub fn check() -> Context {
    Context { check: true, ..context() }
}

pub fn connection() -> Map {
    map! { "endpoint_url" => endpoint(), "region" => "us-east-1", "access_key" => "AKIATEST", "secret_key" => "not-a-secret" }
}

/// Arguments with the emulator's connection, unless they bring their own.
pub fn with_connection(arguments: Map) -> Map {
    if arguments.contains_key("endpoint_url") {
        return arguments;
    }
    arguments.into_iter().chain(connection()).collect()
}

pub fn try_run(module: &str, arguments: Map, context: &Context) -> Result<Outcome, Failure> {
    let registry = registry();
    let entry = registry.module(module).unwrap_or_else(|| panic!("no module {module}")).clone();
    let Run::Controller(run) = entry.run else { panic!("{module} is no controller module") };
    wait_for(run(entry, Arguments::from(with_connection(arguments)), context.clone()))
}

pub fn run(module: &str, arguments: Map, context: &Context) -> Outcome {
    try_run(module, arguments, context)
        .unwrap_or_else(|f| panic!("{module}: {} {:?}", f.error, f.error.help()))
}

pub fn fails(module: &str, arguments: Map, context: &Context) -> Failure {
    match try_run(module, arguments, context) {
        Err(failure) => failure,
        Ok(outcome) => panic!("{module} should have failed, and returned {:?}", outcome.values),
    }
}

/// Runs a task the four ways that count: check mode first, for real, again, and again in check mode.
pub fn converges(module: &str, arguments: Map) -> Outcome {
    let planned = run(module, arguments.clone(), &check());
    assert!(planned.changed, "{module}: check mode sees nothing to do");
    assert!(!planned.diff.is_empty(), "{module}: check mode shows no diff");
    let done = run(module, arguments.clone(), &context());
    assert!(done.changed, "{module}: check mode did it already");
    let again = run(module, arguments.clone(), &context());
    assert!(
        !again.changed,
        "{module}: the second run changed something: {:?} {:?}",
        again.values.get("changes"),
        again.diff.iter().map(|d| d.to_value()).collect::<Vec<_>>()
    );
    assert!(again.diff.is_empty(), "{module}: a diff without a change");
    assert!(!run(module, arguments, &check()).changed, "{module}: check mode sees a change that is none");
    done
}

/// A member by its path: `service.deployments.0.status`.
pub fn at(outcome: &Outcome, path: &str) -> Value {
    let mut steps = path.split('.');
    let first = steps.next().unwrap();
    let mut value =
        outcome.values.get(first).cloned().unwrap_or_else(|| panic!("no {first} in {:?}", outcome.values));
    for step in steps {
        let next = match step.parse::<usize>() {
            Ok(i) => value.as_list().and_then(|l| l.get(i)).cloned(),
            Err(_) => value.get(step).cloned(),
        };
        value = next.unwrap_or_else(|| panic!("no {step} of {path} in {value:?}"));
    }
    value
}

pub fn unique(name: &str) -> String {
    format!("{name}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
}

pub fn list(items: &[&str]) -> Value {
    items.iter().map(|i| Value::from(*i)).collect()
}

/// A value from JSON text.
pub fn json(text: &str) -> Value {
    Value::from_json(serde_json::from_str(text).unwrap())
}

/// A call that the crate has no client for, as a form.
pub fn raw(service: &str, form: &str) -> String {
    use std::io::{Read, Write};
    let url = endpoint();
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
    );
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nAuthorization: {credential}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split(start).nth(1).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split(end).next().unwrap().to_owned()
}
