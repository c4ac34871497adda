//! Tests of a task's registered result.

use playbook_api::{Error, Map, Value};

use crate::template::{Call, Function};

macro_rules! result {
    ($name:literal, $call:expr) => {
        Function::new($name, $call)
    };
}

pub(super) const TESTS: &[Function] = &[
    result!("failed", |call| failed(call).map(Value::Bool)),
    result!("failure", |call| failed(call).map(Value::Bool)),
    result!("succeeded", |call| failed(call).map(|failed| Value::Bool(!failed))),
    result!("success", |call| failed(call).map(|failed| Value::Bool(!failed))),
    result!("successful", |call| failed(call).map(|failed| Value::Bool(!failed))),
    result!("unreachable", |call| has(call, "unreachable", false).map(Value::Bool)),
    result!("reachable", |call| has(call, "unreachable", false).map(|lost| Value::Bool(!lost))),
    result!("timedout", timedout),
    result!("changed", changed),
    result!("change", changed),
    result!("skipped", |call| has(call, "skipped", false).map(Value::Bool)),
    result!("skip", |call| has(call, "skipped", false).map(Value::Bool)),
    result!("finished", |call| has(call, "finished", true).map(Value::Bool)),
    result!("started", |call| has(call, "started", true).map(Value::Bool)),
];

fn result<'a>(call: &'a mut Call) -> Result<&'a Map, Error> {
    let [] = call.bind([], 0)?;
    match &call.input {
        Value::Map(map) => Ok(map),
        _ => {
            let name = crate::template::filters::short_name(call.name);
            Err(Error::new(format!("The '{name}' test expects a dictionary")))
        }
    }
}

fn has(call: &mut Call, key: &str, default: bool) -> Result<bool, Error> {
    Ok(result(call)?.get(key).map_or(default, Value::is_true))
}

fn failed(call: &mut Call) -> Result<bool, Error> {
    has(call, "failed", false)
}

fn timedout(call: &mut Call) -> Result<Value, Error> {
    let period = result(call)?.get("timedout").and_then(|timedout| timedout.get("period"));
    Ok(period.is_some_and(Value::is_true).into())
}

/// A result without `changed` counts as changed if one of its items does.
fn changed(call: &mut Call) -> Result<Value, Error> {
    let map = result(call)?;
    if let Some(changed) = map.get("changed") {
        return Ok(changed.is_true().into());
    }
    let items = map.get("results").and_then(Value::as_list).unwrap_or_default();
    let has_changed = |item: &Value| item.get("changed").is_some_and(Value::is_true);
    let all_are_maps = items.first().is_some_and(|item| item.as_map().is_some());
    Ok((all_are_maps && items.iter().any(has_changed)).into())
}
