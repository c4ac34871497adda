//! A module's result as one map, the form that programs in other languages use.

use crate::{Diff, Failure, Map, Outcome, Value, map};

/// Converts a module's result to a map.
///
/// ```
/// use playbook_api::{Failure, Outcome, result_map};
///
/// let failure = Failure::new("no such file").with("rc", 1);
/// let map = result_map::to_map(Err(failure));
/// assert_eq!(map.get("failed"), Some(&true.into()));
/// assert_eq!(map.get("msg"), Some(&"no such file".into()));
///
/// let back = result_map::from_map(map).unwrap_err();
/// assert_eq!(back.error.to_string(), "no such file");
/// assert_eq!(back.outcome.values.get("rc"), Some(&1.into()));
/// # assert!(result_map::from_map(result_map::to_map(Ok(Outcome::changed(true)))).unwrap().changed);
/// ```
pub fn to_map(done: Result<Outcome, Failure>) -> Map {
    let (outcome, ended) = match done {
        Ok(outcome) => (outcome, None),
        Err(Failure { error, outcome, unreachable }) => {
            (outcome, Some((error, if unreachable { "unreachable" } else { "failed" })))
        }
    };
    let mut values = map! { "changed" => outcome.changed };
    values.extend(outcome.values);
    values.insert("changed".into(), outcome.changed.into());
    let mut add = |name: &str, value: Value| drop(values.insert(name.into(), value));
    if outcome.skipped {
        add("skipped", true.into());
    }
    if !outcome.facts.is_empty() {
        add("ansible_facts", outcome.facts.into());
    }
    if !outcome.diff.is_empty() {
        add("diff", Diff::value_of(&outcome.diff));
    }
    if !outcome.warnings.is_empty() {
        add("warnings", outcome.warnings.into());
    }
    if let Some((error, how)) = ended {
        add(how, true.into());
        values.entry("msg".into()).or_insert_with(|| error.to_string().into());
    }
    values
}

/// Converts a map back to a module's result.
///
/// # Errors
///
/// The map says that the module failed or that the host was unreachable.
pub fn from_map(mut values: Map) -> Result<Outcome, Failure> {
    let mut take = |name: &str| values.shift_remove(name).unwrap_or_default();
    let (changed, skipped) = (take("changed").is_true(), take("skipped").is_true());
    let (failed, unreachable) = (take("failed").is_true(), take("unreachable").is_true());
    let facts = take("ansible_facts").as_map().cloned().unwrap_or_default();
    let diff = match take("diff") {
        Value::Null => Vec::new(),
        one @ Value::Map(_) => vec![Diff::from_value(&one)],
        many => many.as_list().unwrap_or_default().iter().map(Diff::from_value).collect(),
    };
    let warnings = take("warnings");
    let warnings = warnings.as_list().unwrap_or_default().iter().map(|v| v.to_text().into_owned()).collect();
    let message = values.get("msg").map(|v| v.to_text().into_owned());
    let outcome = Outcome { changed, skipped, values, diff, facts, warnings, change: None };
    if !failed && !unreachable {
        return Ok(outcome);
    }
    let failure = Failure::new(message.unwrap_or_else(|| "Module failed.".into()));
    Err(Failure { outcome, unreachable, ..failure })
}
