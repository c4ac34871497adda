//! Marks values that are computed from secrets as secret.

use std::collections::HashSet;
use std::sync::Arc;

use playbook_api::{Map, Text, Value};

/// Whether any secret exists. If not, no value has to be searched.
pub(super) fn exist() -> bool {
    Text::secrets_exist()
}

/// Marks the texts of a result whose inputs contain a secret. Texts that the inputs contain without a mark stay
/// unmarked: a user's name from a record with a password is not a secret.
pub(super) fn taint(result: Value, inputs: &[&Value]) -> Value {
    if !exist() || !inputs.iter().any(|input| input.is_secret()) {
        return result;
    }
    let mut open = HashSet::new();
    inputs.iter().for_each(|input| collect(input, &mut open));
    mark(result, &open)
}

fn collect(value: &Value, open: &mut HashSet<Arc<str>>) {
    match value {
        Value::Str(text) if !text.is_secret() => {
            open.insert(Arc::from(text.as_str()));
        }
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| collect(item, open)),
        Value::Map(map) => map.iter().for_each(|(key, value)| {
            collect(key, open);
            collect(value, open);
        }),
        _ => {}
    }
}

fn mark(value: Value, open: &HashSet<Arc<str>>) -> Value {
    match value {
        Value::Str(text) if text.is_empty() || open.contains(text.as_str()) => Value::Str(text),
        Value::Str(text) => Value::Str(text).into_secret(),
        Value::List(items) => items.iter().map(|item| mark(item.clone(), open)).collect(),
        Value::Tuple(items) => Value::Tuple(items.iter().map(|i| mark(i.clone(), open)).collect()),
        Value::Map(map) => {
            Value::from(map.iter().map(|(k, v)| (k.clone(), mark(v.clone(), open))).collect::<Map>())
        }
        other => other,
    }
}
