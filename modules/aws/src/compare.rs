//! Comparison of the desired with the current state.

use playbook_api::{Diff, Value};
use serde_json::{Map, Value as Json};

/// Compares only the members of `asked`: other members may have any value. Lists must be complete but may be in any
/// order, and an empty value equals a missing one.
pub(crate) fn satisfied(asked: &Json, current: &Json) -> bool {
    match (asked, current) {
        (Json::Null, _) => true,
        (Json::Object(members), current) => members.iter().all(|(k, v)| satisfied(v, &current[k.as_str()])),
        (Json::Array(asked), Json::Array(current)) => {
            asked.len() == current.len() && each_has_its_own(asked, current)
        }
        (asked, Json::Null) => is_empty(asked),
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (asked, current) => asked == current,
    }
}

fn each_has_its_own(asked: &[Json], current: &[Json]) -> bool {
    let mut left: Vec<&Json> = current.iter().collect();
    asked.iter().all(|item| match left.iter().position(|c| satisfied(item, c)) {
        Some(i) => {
            left.swap_remove(i);
            true
        }
        None => false,
    })
}

/// Returns whether a value is null, false, zero, or an empty text, list or dictionary.
pub(crate) fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Bool(b) => !b,
        Json::Number(n) => n.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.values().all(is_empty),
    }
}

/// The members that differ, before and after the change.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The current members.
    pub before: Map<String, Json>,
    /// The desired members.
    pub after: Map<String, Json>,
}

impl Changes {
    /// Returns whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.after.is_empty()
    }

    /// Returns the names of the members that differ.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.after.keys().map(String::as_str)
    }

    /// Returns whether a member differs.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.after.contains_key(name)
    }

    /// Records a member that differs.
    pub(crate) fn note(&mut self, name: &str, before: Json, after: Json) {
        self.before.insert(name.to_owned(), before);
        self.after.insert(name.to_owned(), after);
    }

    /// Records a member if it differs; lists may be in any order.
    pub(crate) fn compare(&mut self, name: &str, asked: &Json, current: &Json) {
        if !satisfied(asked, current) {
            self.note(name, current.clone(), asked.clone());
        }
    }

    /// Records a list if it differs, including in its order.
    pub(crate) fn compare_in_order(&mut self, name: &str, asked: &Json, current: &Json) {
        let same = match (asked, current) {
            (Json::Array(asked), Json::Array(current)) => {
                asked.len() == current.len() && asked.iter().zip(current).all(|(a, c)| satisfied(a, c))
            }
            (asked, current) => satisfied(asked, current),
        };
        if !same {
            self.note(name, current.clone(), asked.clone());
        }
    }

    /// Returns the difference for `--diff`, with `what` as its header.
    pub(crate) fn diff(&self, what: &str) -> Diff {
        let value = |map: &Map<String, Json>| Value::from_json(Json::Object(map.clone()));
        Diff::values(value(&self.before), value(&self.after)).headers(what, what)
    }
}

/// Returns the difference of a resource that is created (`before` is null) or deleted (`after` is null).
pub(crate) fn whole_diff(before: Json, after: Json, what: &str) -> Diff {
    let value = |json: Json| match json {
        Json::Null => Value::map(),
        json => Value::from_json(json),
    };
    Diff::values(value(before), value(after)).headers(what, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_asked_counts() {
        let current = json!({"a": 1, "list": ["x", "y"], "nested": {"deep": [{"k": 1, "extra": 2}]}});
        assert!(satisfied(&json!({"list": ["y", "x"]}), &current));
        assert!(satisfied(&json!({"nested": {"deep": [{"k": 1.0}]}}), &current));
        assert!(!satisfied(&json!({"list": ["x"]}), &current));
        assert!(!satisfied(&json!({"list": ["x", "x"]}), &current));
        assert!(satisfied(&json!({"absent": [], "none": false, "n": 0}), &current));
        assert!(!satisfied(&json!({"absent": ["z"]}), &current));
    }
}
