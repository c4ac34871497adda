//! Lists as sets, in the order of the first occurrence of each member.

use indexmap::IndexSet;
use playbook_api::{Error, List, Value};

use super::arguments::{flag, given, iterate};
use super::lists::Key;
use crate::template::python::operators::unhashable;
use crate::template::{Call, Computed, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("unique", unique).needing(Computed::Members),
    Function::new("union", union),
    Function::new("intersect", intersect),
    Function::new("difference", difference),
    Function::new("symmetric_difference", symmetric_difference),
];

/// A set with Python's equality, in which hashable values are found quickly.
type Set<'a> = IndexSet<&'a Value>;

fn operands(call: &mut Call) -> Result<(List, List), Error> {
    let [other] = call.bind(["b"], 1)?;
    let other = other.unwrap_or_default();
    Ok((iterate(&call.input)?, iterate(&other)?))
}

fn collect<'a>(members: impl Iterator<Item = &'a Value>) -> Value {
    members.collect::<Set>().into_iter().cloned().collect()
}

fn union(call: &mut Call) -> Result<Value, Error> {
    let (a, b) = operands(call)?;
    Ok(Value::List(a.united(&b)))
}

fn intersect(call: &mut Call) -> Result<Value, Error> {
    let (a, b) = operands(call)?;
    let other: Set = b.iter().collect();
    Ok(collect(a.iter().filter(|item| other.contains(item))))
}

fn difference(call: &mut Call) -> Result<Value, Error> {
    let (a, b) = operands(call)?;
    let other: Set = b.iter().collect();
    Ok(collect(a.iter().filter(|item| !other.contains(item))))
}

fn symmetric_difference(call: &mut Call) -> Result<Value, Error> {
    let (a, b) = operands(call)?;
    let (first, second): (Set, Set) = (a.iter().collect(), b.iter().collect());
    let only_first = a.iter().filter(|item| !second.contains(item));
    let only_second = b.iter().filter(|item| !first.contains(item));
    Ok(collect(only_first.chain(only_second)))
}

/// Jinja's `unique`, which ignores case by default. If a member is not hashable, members are compared by equality.
fn unique(call: &mut Call) -> Result<Value, Error> {
    let [case_sensitive, attribute] = call.bind(["case_sensitive", "attribute"], 0)?;
    let items = iterate(&call.input)?;
    let (case_sensitive, attribute) = (given(case_sensitive), given(attribute));
    let key = Key::new(attribute.clone(), flag(&case_sensitive, false), None);
    let keys = items.iter().map(|item| key.of(item)).collect::<Result<Vec<_>, _>>()?;
    if let Some(name) = keys.iter().find_map(unhashable) {
        if attribute.is_some() || case_sensitive.is_some_and(|flag| !flag.is_true()) {
            return Err(Error::new(format!(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not \
                 support the parameters supplied: unhashable type: '{name}'"
            )));
        }
        return Ok(collect(items.iter()));
    }
    let mut seen = IndexSet::new();
    Ok(items
        .iter()
        .zip(keys)
        .filter(|(_, key)| seen.insert(key.clone()))
        .map(|(item, _)| item.clone())
        .collect())
}
