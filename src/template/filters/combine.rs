//! `combine`: merging maps.

use playbook_api::{Error, Map, Value};

use super::arguments::flag;
use super::iterators::flatten_into;
use crate::template::{Call, Function};

pub(super) const FILTERS: &[Function] = &[Function::new("combine", combine)];

/// What becomes of two lists under one key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    /// As the plain form, but members that the later list also has move to its place.
    AppendPresent,
    PrependPresent,
}

impl ListMerge {
    pub(super) fn parse(name: &str) -> Result<ListMerge, Error> {
        Ok(match name {
            "replace" => ListMerge::Replace,
            "keep" => ListMerge::Keep,
            "append" => ListMerge::Append,
            "prepend" => ListMerge::Prepend,
            "append_rp" => ListMerge::AppendPresent,
            "prepend_rp" => ListMerge::PrependPresent,
            _ => {
                return Err(Error::new(
                    "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', \
                     'prepend', 'append_rp' or 'prepend_rp'",
                ));
            }
        })
    }

    fn merge(self, low: &[Value], high: &[Value]) -> Value {
        let chain = |a: &[Value], b: &[Value]| a.iter().chain(b).cloned().collect();
        let rest = || -> Vec<Value> { low.iter().filter(|item| !high.contains(item)).cloned().collect() };
        match self {
            ListMerge::Replace => high.to_vec().into(),
            ListMerge::Keep => low.to_vec().into(),
            ListMerge::Append => chain(low, high),
            ListMerge::Prepend => chain(high, low),
            ListMerge::AppendPresent => chain(&rest(), high),
            ListMerge::PrependPresent => chain(high, &rest()),
        }
    }
}

/// Lays `high` over `low`.
pub(super) fn merge(low: &Map, high: &Map, recursive: bool, lists: ListMerge) -> Map {
    if low.is_empty() || low == high {
        return high.clone();
    }
    let mut merged = low.branch();
    for (key, value) in high {
        let combined = match (merged.get(key), value) {
            (Some(Value::Map(below)), Value::Map(above)) if recursive => {
                Some(Value::from(merge(below, above, recursive, lists)))
            }
            (Some(Value::List(below)), Value::List(above)) if lists != ListMerge::Replace => {
                Some(lists.merge(below, above))
            }
            _ => None,
        };
        merged.insert(key.clone(), combined.unwrap_or_else(|| value.clone()));
    }
    merged
}

fn combine(call: &mut Call) -> Result<Value, Error> {
    let recursive = flag(&call.take("recursive"), false);
    let lists = call.take("list_merge");
    let lists = lists.map_or(Ok(ListMerge::Replace), |name| ListMerge::parse(&name.to_text()));
    if !call.kwargs.is_empty() {
        return Err(Error::new("'recursive' and 'list_merge' are the only valid keyword arguments"));
    }
    let mut terms = vec![call.input()];
    terms.append(&mut call.args);
    let mut maps = Vec::new();
    flatten_into(&mut maps, &terms, Some(1), true);
    let mut high_to_low = maps.into_iter().rev();
    let Some(mut result) = high_to_low.next() else { return Ok(Value::map()) };
    let lists = lists?;
    for low in high_to_low {
        match (&low, &result) {
            (Value::Map(low), Value::Map(high)) => result = merge(low, high, recursive, lists).into(),
            (Value::Undefined(reason), _) | (_, Value::Undefined(reason)) => {
                return Err(Error::undefined(reason.to_string()));
            }
            (low, high) => {
                return Err(Error::new(format!(
                    "failed to combine variables, expected dicts but got a '{}' and a '{}'.",
                    low.type_name(),
                    high.type_name(),
                )));
            }
        }
    }
    Ok(result)
}
