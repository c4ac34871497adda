//! Runs the crate's modules against an emulated AWS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::{Arc, OnceLock};

use playbook_api::module::Run;
use playbook_api::{Arguments, Context, Failure, Map, Outcome, Registry, Value, map};

/// Returns the emulator's endpoint, without which the tests fail.
pub(crate) fn endpoint() -> String {
    std::env::var("PLAYBOOK_TEST_AWS_ENDPOINT").unwrap_or_else(|_| {
        panic!(
            "PLAYBOOK_TEST_AWS_ENDPOINT is not set: these tests need an AWS emulator. Run `cargo xtask test`, \
             or start `moto_server -p 5555` (pip install 'moto[server]') and set it to http://127.0.0.1:5555"
        )
    })
}

/// Runs a future to its end. All tests of a file use one runtime, to which the connections of cached clients belong.
pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap()).block_on(future)
}

/// Returns the crate's modules.
pub(crate) fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    playbook_aws::register(&mut registry);
    Arc::new(registry)
}

/// Returns the context of a run with diffs.
pub(crate) fn context() -> Context {
    Context { registry: registry(), diff: true, ..Context::default() }
}

/// Returns the context of a run in check mode.
pub(crate) fn check() -> Context {
    Context { check: true, ..context() }
}

/// Returns the connection options for the emulator.
pub(crate) fn connection() -> Map {
    map! { "endpoint_url" => endpoint(), "region" => "us-east-1", "access_key" => "AKIATEST", "secret_key" => "not-a-secret" }
}

/// Adds the connection options for the emulator, unless the arguments have an endpoint.
pub(crate) fn with_connection(arguments: Map) -> Map {
    if arguments.contains_key("endpoint_url") {
        return arguments;
    }
    arguments.into_iter().chain(connection()).collect()
}

/// Runs a module.
pub(crate) fn try_run(module: &str, arguments: Map, context: &Context) -> Result<Outcome, Failure> {
    let registry = registry();
    let entry =
        registry.module(module).unwrap_or_else(|| panic!("the module {module} does not exist")).clone();
    let Run::Controller(run) = entry.run else { panic!("{module} is not a controller module") };
    wait_for(run(entry, Arguments::from(with_connection(arguments)), context.clone()))
}

/// Runs a module that must succeed.
pub(crate) fn run(module: &str, arguments: Map, context: &Context) -> Outcome {
    try_run(module, arguments, context)
        .unwrap_or_else(|f| panic!("{module}: {} {:?}", f.error, f.error.help()))
}

/// Runs a module that must fail.
pub(crate) fn fails(module: &str, arguments: Map, context: &Context) -> Failure {
    match try_run(module, arguments, context) {
        Err(failure) => failure,
        Ok(outcome) => panic!("{module} should have failed, and returned {:?}", outcome.values),
    }
}

/// Runs a task four times: in check mode, normally, again, and again in check mode. Only the first two change something.
pub(crate) fn converges(module: &str, arguments: Map) -> Outcome {
    let planned = run(module, arguments.clone(), &check());
    assert!(planned.changed, "{module}: check mode reports no change");
    assert!(!planned.diff.is_empty(), "{module}: check mode has no diff");
    let done = run(module, arguments.clone(), &context());
    assert!(done.changed, "{module}: check mode changed something");
    let again = run(module, arguments.clone(), &context());
    assert!(
        !again.changed,
        "{module}: the second run changed something: {:?} {:?}",
        again.values.get("changes"),
        again.diff.iter().map(|d| d.to_value()).collect::<Vec<_>>()
    );
    assert!(again.diff.is_empty(), "{module}: a diff without a change");
    assert!(!run(module, arguments, &check()).changed, "{module}: check mode reports a change after the run");
    done
}

/// Returns a member of the result by its path, such as `service.deployments.0.status`.
pub(crate) fn at(outcome: &Outcome, path: &str) -> Value {
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

/// Returns a name that no other test uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
}

/// Returns a list of strings.
pub(crate) fn list(items: &[&str]) -> Value {
    items.iter().map(|i| Value::from(*i)).collect()
}

/// Parses a value from JSON.
pub(crate) fn json(text: &str) -> Value {
    Value::from_json(serde_json::from_str(text).unwrap())
}

/// Calls an operation for which the crate has no client, and returns the response.
pub(crate) fn raw(service: &str, form: &str) -> String {
    use std::io::{Read, Write};
    let url = endpoint();
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/{service}/aws4_request, \
        SignedHeaders=host, Signature=x"
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

/// Returns the text between `start` and `end`.
pub(crate) fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split(start).nth(1).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split(end).next().unwrap().to_owned()
}
