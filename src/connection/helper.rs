//! A module run in a process of its own, as somebody else: one request on its standard input, one reply on its
//! standard output.

use std::io::{Read, Write};
use std::sync::Arc;

use playbook_api::{
    Arguments, Context, Diff, Error, Failure, Map, ModuleEntry, Outcome, Registry, Run, Value,
};
use serde::{Deserialize, Serialize};

/// The argument that makes this program a helper.
pub const ARGUMENT: &str = "__run-module";

/// How a request begins.
const START: &[u8] = b"{\"module\":";

#[derive(Serialize, Deserialize)]
struct Request {
    module: String,
    args: serde_json::Value,
    check: bool,
    diff: bool,
    verbosity: u8,
    environment: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct Reply {
    failed: Option<(String, Option<String>)>,
    changed: bool,
    skipped: bool,
    values: serde_json::Value,
    facts: serde_json::Value,
    diff: Vec<serde_json::Value>,
    warnings: Vec<String>,
}

/// The request for a module's run.
pub fn request(module: &ModuleEntry, args: &Arguments, context: &Context) -> Result<Vec<u8>, Error> {
    let request = Request {
        module: module.doc.full_name(),
        args: Value::from(args.values.clone()).to_json(),
        check: context.check,
        diff: context.diff,
        verbosity: context.verbosity,
        environment: context.environment.clone(),
    };
    serde_json::to_vec(&request).map_err(|e| Error::new(e.to_string()))
}

/// What the reply says.
pub fn reply(bytes: &[u8]) -> Result<Outcome, Failure> {
    let reply: Reply = serde_json::from_slice(bytes)
        .map_err(|e| Failure::new(format!("the helper's reply is broken: {e}")))?;
    let map = |json| match Value::from_json(json) {
        Value::Map(map) => (*map).clone(),
        _ => Map::default(),
    };
    let outcome = Outcome {
        changed: reply.changed,
        skipped: reply.skipped,
        values: map(reply.values),
        facts: map(reply.facts),
        diff: reply.diff.into_iter().map(|json| diff(&Value::from_json(json))).collect(),
        warnings: reply.warnings,
    };
    match reply.failed {
        None => Ok(outcome),
        Some((message, help)) => {
            let failure = Failure::new(message).outcome(outcome);
            Err(match help {
                Some(help) => failure.help(help),
                None => failure,
            })
        }
    }
}

fn diff(value: &Value) -> Diff {
    let text = |name: &str| value.get(name).map(|v| v.to_text().into_owned());
    Diff {
        before: value.get("before").cloned(),
        after: value.get("after").cloned(),
        before_header: text("before_header"),
        after_header: text("after_header"),
        prepared: text("prepared"),
    }
}

/// Serves one request; what this process does when it is started as a helper.
pub fn serve(registry: Registry) -> Result<(), Error> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    // sudo leaves the password where it did not need it.
    let start = bytes.windows(START.len()).position(|w| w == START).unwrap_or(0);
    let request: Request = serde_json::from_slice(&bytes[start..])
        .map_err(|e| Error::new(format!("the request is broken: {e}")))?;
    let registry = Arc::new(registry);
    let context = Context {
        check: request.check,
        diff: request.diff,
        verbosity: request.verbosity,
        environment: request.environment,
        registry: registry.clone(),
        ..Context::default()
    };
    let args = match Value::from_json(request.args) {
        Value::Map(map) => Arguments::from((*map).clone()),
        _ => Arguments::default(),
    };
    let done = match registry.module(&request.module).map(|entry| (entry, entry.run)) {
        Some((entry, Run::Host(run))) => run(entry, &args, &context),
        _ => Err(Failure::new(format!("the helper has no module '{}'", request.module))),
    };
    let (outcome, failed) = match done {
        Ok(outcome) => (outcome, None),
        Err(failure) => {
            let help = failure.error.get_help().map(str::to_owned);
            (failure.outcome, Some((failure.error.to_string(), help)))
        }
    };
    let reply = Reply {
        failed,
        changed: outcome.changed,
        skipped: outcome.skipped,
        values: Value::from(outcome.values).to_json(),
        facts: Value::from(outcome.facts).to_json(),
        diff: outcome.diff.iter().map(|d| d.to_value().to_json()).collect(),
        warnings: outcome.warnings,
    };
    let bytes = serde_json::to_vec(&reply).map_err(|e| Error::new(e.to_string()))?;
    std::io::stdout().write_all(&bytes)?;
    Ok(())
}
