//! The form in which results and accounts are compared: without what is random in them.

use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::{Map, Value};

/// What is random in the texts of an account: IDs, addresses, dates.
static RANDOM: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = [
        r"\b(?P<kind>[a-z]{2,12})-(?:[0-9a-f]{17}|[0-9a-f]{8})\b",
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        r"(?<=/)[0-9a-f]{16,17}\b",
        r"(?<=/)\d{14,15}$",
        r"\b(?:AROA|AIPA|ANPA|AIDA|ASIA|AKIA)[A-Z0-9]{12,17}\b|(?<=[^A-Z0-9])[A-Z0-9]{17,23}(?=[^A-Z0-9]|$)|^[A-Z0-9]{14,23}$",
        r"\b\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3}\b(?!/)",
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?",
        r"(?:[0-9a-f]{2}:){15,19}[0-9a-f]{2}",
        r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",
        r"\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){2,6}::(?:/\d+)?",
        r"\b[0-9a-f]{32}\b",
        r"\b(?=[a-z0-9]*\d)[a-z0-9]{20}\b",
        r"(?<=:secret:)[\w/+=.@-]+-[A-Za-z0-9]{6}\b",
    ];
    Regex::new(&patterns.join("|")).expect("a pattern")
});

/// Members that the emulator changes whenever somebody looks, or that tell of the request.
const MOVING: [&str; 7] = [
    "CallerReference",
    "runningCount",
    "pendingCount",
    "runningTasksCount",
    "pendingTasksCount",
    "response_metadata",
    "ResponseMetadata",
];

/// Members that are times, in milliseconds since 1970.
const TIMES: [&str; 2] = ["creationTime", "creation_time"];

/// Replaces what is random: `vpc-0a1b2c3d` by `vpc-ID`.
pub(crate) fn normal(json: &Value) -> Value {
    match json {
        // A document inside of the account, such as a policy.
        Value::String(text) if text.starts_with('{') => match serde_json::from_str::<Value>(text) {
            Ok(document) => normal(&document),
            Err(_) => text_of(text).into(),
        },
        Value::String(text) => text_of(text).into(),
        Value::Array(items) => items.iter().map(normal).collect(),
        // What is empty is as good as missing: boto3 and the emulator say the one or the other.
        Value::Object(members) => {
            let mut normal_members = Map::new();
            for (key, value) in members.iter().filter(|(key, _)| !MOVING.contains(&key.as_str())) {
                let value = match TIMES.contains(&key.as_str()) && value.is_number() {
                    true => "TIME".into(),
                    false => normal(value),
                };
                match normal_members.get_mut(&text_of(key)) {
                    _ if is_empty(&value) => {}
                    // Several random keys have the same normal form.
                    Some(Value::Array(items)) if text_of(key) != *key => items.push(value),
                    _ if text_of(key) != *key => {
                        normal_members.insert(text_of(key), Value::from(vec![value]));
                    }
                    _ => {
                        normal_members.insert(key.clone(), value);
                    }
                }
            }
            normal_members.into()
        }
        other => other.clone(),
    }
}

fn is_empty(json: &Value) -> bool {
    match json {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn text_of(text: &str) -> String {
    let replace = |found: &fancy_regex::Captures<'_, str>| match found.name("kind") {
        Some(kind) => format!("{}-ID", kind.as_str()),
        None => "RANDOM".to_owned(),
    };
    RANDOM.replace_all(text, replace).into_owned()
}

/// Adds what the returned values of ours lack or have otherwise. Members that only ours have do not count.
pub(crate) fn returned(theirs: &Value, ours: &Value, only: &[String], differences: &mut Vec<String>) {
    const OWN: [&str; 10] = [
        "invocation",
        "changed",
        "failed",
        "msg",
        "exception",
        "diff",
        "warnings",
        "deprecations",
        "resource_actions",
        "ansible_facts",
    ];
    let members = theirs.as_object().cloned().unwrap_or_default();
    for (name, value) in &members {
        let asked = only.is_empty() && !OWN.contains(&name.as_str()) || only.contains(name);
        if asked {
            superset(name, value, &ours[name.as_str()], differences);
        }
    }
}

fn superset(path: &str, theirs: &Value, ours: &Value, differences: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                let path = format!("{path}.{name}");
                superset(&path, value, ours.get(name).unwrap_or(&Value::Null), differences);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
            let (theirs, ours) = (sorted(theirs), sorted(ours));
            for (i, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
                superset(&format!("{path}[{i}]"), theirs, ours, differences);
            }
        }
        (theirs, ours) if theirs == ours => {}
        (theirs, ours) => differences.push(format!("{path}: {theirs} and {ours}")),
    }
}

/// Adds what is in only one of two accounts.
pub(crate) fn account(theirs: &Value, ours: &Value, differences: &mut Vec<String>) {
    let empty = Map::new();
    let (theirs, ours) = (theirs.as_object().unwrap_or(&empty), ours.as_object().unwrap_or(&empty));
    let lists: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for list in lists {
        let of = |account: &Map<String, Value>| {
            sorted(account.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice))
        };
        let (items, own) = (of(theirs), of(ours));
        if items == own {
            continue;
        }
        let only = |here: &[Value], there: &[Value]| -> Vec<Value> {
            here.iter().filter(|item| !there.contains(item)).cloned().collect()
        };
        let (lacking, added) = (only(&items, &own), only(&own, &items));
        if lacking.is_empty() && added.is_empty() {
            differences.push(format!("account: {list}: {} and {} alike items", items.len(), own.len()));
        } else if let ([theirs], [ours]) = (&lacking[..], &added[..]) {
            same(&format!("account: {list}"), theirs, ours, differences);
        } else {
            differences.push(format!(
                "account: {list}: only theirs {}, only ours {}",
                Value::from(lacking),
                Value::from(added)
            ));
        }
    }
}

/// Adds the members in which two values differ.
fn same(path: &str, theirs: &Value, ours: &Value, differences: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let mut names: Vec<&String> = theirs.keys().chain(ours.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let member = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                same(&format!("{path}.{name}"), &member(theirs), &member(ours), differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if sorted(a) == sorted(b) => {}
        (theirs, ours) if theirs == ours => {}
        (theirs, ours) => differences.push(format!("{path}: {theirs} and {ours}")),
    }
}

/// Returns items in an order that both sides share, at every depth.
fn sorted(items: &[Value]) -> Vec<Value> {
    let mut items: Vec<Value> = items.iter().map(deep).collect();
    items.sort_by_cached_key(Value::to_string);
    items
}

fn deep(json: &Value) -> Value {
    match json {
        Value::Array(items) => sorted(items).into(),
        Value::Object(members) => {
            let mut members: Map<String, Value> = members.iter().map(|(k, v)| (k.clone(), deep(v))).collect();
            members.sort_keys();
            members.into()
        }
        other => other.clone(),
    }
}
