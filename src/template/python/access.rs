//! Looks up attributes, items and slices as Jinja does.

use num_traits::ToPrimitive;
use playbook_api::{Error, Value};

use super::methods;
use super::methods::Method;
use crate::template::lazy::{as_asked_map, force, reach};
use crate::template::object::{self, Native};
use crate::template::undefined;

/// Evaluates `value.name`: an attribute or method, or else an item. The result is undefined if there is neither. A
/// member of an undefined value is undefined for the same reason as that value.
///
/// ```
/// use playbook::template::get_attribute;
/// use playbook_api::{Value, map};
/// let value = Value::from(map! { "a" => 1 });
/// assert_eq!(get_attribute(&value, "a").unwrap(), 1.into());
/// assert!(get_attribute(&value, "b").unwrap().is_undefined());
/// ```
pub fn get_attribute(value: &Value, name: &str) -> Result<Value, Error> {
    attribute(value, name).map(undefined::plain)
}

/// Evaluates it inside a render, where an undefined value has a place.
pub(in crate::template) fn attribute(value: &Value, name: &str) -> Result<Value, Error> {
    let value = reach(value)?;
    if as_asked_map(&value).is_some() && !methods::exists(&value, name) {
        return asked(&value, &name.into());
    }
    match &value {
        Value::Unknown(_) => Ok(value),
        _ if undefined::is(&value) => Ok(value),
        Value::Map(map) => {
            if methods::exists(&value, name) {
                return Ok(Native::value(Method { object: value.clone(), name: name.into() }));
            }
            match map.get(name) {
                Some(member) => undefined::caught(reach(member)),
                None => Ok(undefined::attribute(&value, &name.into())),
            }
        }
        _ => Ok(own_attribute(&value, name).unwrap_or_else(|| missing(&value, name))),
    }
}

/// Returns a member of a map that is read member by member.
fn asked(value: &Value, key: &Value) -> Result<Value, Error> {
    match as_asked_map(value).and_then(|map| map.member(key)) {
        Some(member) => undefined::caught(member.and_then(|member| reach(&member))),
        None => Ok(undefined::attribute(value, key)),
    }
}

fn own_attribute(value: &Value, name: &str) -> Option<Value> {
    // The pairs of `groupby` have names for their two members.
    if let (Value::Tuple(items), "grouper" | "list") = (value, name)
        && let [grouper, list] = items.as_slice()
    {
        return Some(if name == "list" { list.clone() } else { grouper.clone() });
    }
    if let Some(attribute) = object::attribute_of(value, name).or_else(|| methods::property(value, name)) {
        return Some(attribute);
    }
    methods::exists(value, name).then(|| Native::value(Method { object: value.clone(), name: name.into() }))
}

fn missing(value: &Value, name: &str) -> Value {
    if name.starts_with("__") && name.ends_with("__") {
        let type_name = value.type_name();
        return Value::undefined(format!("access to attribute '{name}' of '{type_name}' object is unsafe."));
    }
    undefined::attribute(value, &name.into())
}

/// Evaluates `value[key]`: an item, or else, for text keys, an attribute.
pub fn get_item(value: &Value, key: &Value) -> Result<Value, Error> {
    item(value, key).map(undefined::plain)
}

/// Evaluates it inside a render, where an undefined value has a place.
pub(in crate::template) fn item(value: &Value, key: &Value) -> Result<Value, Error> {
    let value = reach(value)?;
    let key = force(key)?;
    match (&value, &key) {
        (Value::Unknown(_), _) => Ok(value),
        (_, Value::Unknown(_)) => Ok(key),
        _ if undefined::is(&value) => Ok(value),
        _ if undefined::is(&key) => Ok(key),
        _ if as_asked_map(&value).is_some() => asked(&value, &key),
        (Value::Map(map), key) => match map.get(key) {
            Some(member) => undefined::caught(reach(member)),
            None => match key.as_str().filter(|name| methods::exists(&value, name)) {
                Some(name) => attribute(&value, name),
                None => Ok(undefined::attribute(&value, key)),
            },
        },
        (Value::List(items) | Value::Tuple(items), Value::Int(_) | Value::Bool(_)) => {
            match index(&key, items.len()).and_then(|i| items.get(i)) {
                Some(member) => undefined::caught(reach(member)),
                None => Ok(undefined::attribute(&value, &key)),
            }
        }
        (Value::Str(text), Value::Int(_) | Value::Bool(_)) => {
            let length = if text.is_ascii() { text.len() } else { text.chars().count() };
            match index(&key, length).and_then(|i| text.chars().nth(i)) {
                Some(c) => Ok(Value::from(c.to_string())),
                None => Ok(undefined::attribute(&value, &key)),
            }
        }
        (_, Value::Str(name)) => attribute(&value, name),
        _ => Ok(undefined::attribute(&value, &key)),
    }
}

/// Follows a dotted path of items and attributes, as in `map(attribute='a.0.b')`.
pub fn get_path(value: &Value, path: &str) -> Result<Value, Error> {
    path.split('.').try_fold(value.clone(), |value, part| {
        let key = match part.parse::<i64>() {
            Ok(index) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(index),
            _ => Value::from(part),
        };
        get_item(&value, &key)
    })
}

fn index(key: &Value, length: usize) -> Option<usize> {
    let i = key.as_i64()?;
    usize::try_from(if i < 0 { i + i64::try_from(length).ok()? } else { i }).ok()
}

/// Evaluates `value[start:stop:step]`.
pub fn slice(value: &Value, start: &Value, stop: &Value, step: &Value) -> Result<Value, Error> {
    let value = force(value)?;
    let pick = |length: usize| indices(length, start, stop, step);
    match &value {
        Value::Unknown(_) => Ok(value),
        _ if undefined::is(&value) => Ok(value),
        Value::List(items) => Ok(Value::List(select(items, pick(items.len())?).into())),
        Value::Tuple(items) => Ok(Value::Tuple(select(items, pick(items.len())?).into())),
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            Ok(Value::from(select(&chars, pick(chars.len())?).into_iter().collect::<String>()))
        }
        Value::Map(_) => Err(Error::new("unhashable type: 'slice'")),
        other => Err(Error::new(format!("'{}' object is not subscriptable", other.type_name()))),
    }
}

fn select<T: Clone>(items: &[T], indices: Vec<usize>) -> Vec<T> {
    indices.into_iter().filter_map(|i| items.get(i).cloned()).collect()
}

fn indices(length: usize, start: &Value, stop: &Value, step: &Value) -> Result<Vec<usize>, Error> {
    let bound = |value: &Value| match value {
        Value::Null => Ok(None),
        other => match other.integer() {
            Some(n) => Ok(Some(n.to_i64().unwrap_or(if n.sign() == num_bigint::Sign::Minus {
                i64::MIN
            } else {
                i64::MAX
            }))),
            None => {
                undefined::check(other)?;
                Err(Error::new("slice indices must be integers or None or have an __index__ method"))
            }
        },
    };
    let step = bound(step)?.unwrap_or(1);
    if step == 0 {
        return Err(Error::new("slice step cannot be zero"));
    }
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |i: i64| (if i < 0 { i.saturating_add(length) } else { i }).clamp(lowest, highest);
    let (default_start, default_stop) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let mut i = bound(start)?.map_or(default_start, clamp);
    let stop = bound(stop)?.map_or(default_stop, clamp);
    let mut found = Vec::new();
    while (step > 0 && i < stop) || (step < 0 && i > stop) {
        found.extend(usize::try_from(i).ok());
        i = i.saturating_add(step);
    }
    Ok(found)
}
