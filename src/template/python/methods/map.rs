//! Methods of maps.

use playbook_api::{Error, Map, Value, python};

use super::super::operators;
use super::Args;
use crate::template::lazy::force;
use crate::template::undefined;

pub(super) const NAMES: [&str; 10] =
    ["update", "pop", "popitem", "setdefault", "clear", "get", "items", "keys", "values", "copy"];

pub(super) fn call(map: &Map, args: &Args) -> Result<Value, Error> {
    match args.name {
        "get" => {
            let key = args.required(0)?;
            if let Some(name) = operators::unhashable(key) {
                return Err(Error::new(format!("unhashable type: '{name}'")));
            }
            match map.get(key) {
                Some(value) => undefined::caught(force(value)),
                None => Ok(args.args.get(1).cloned().unwrap_or_default()),
            }
        }
        "items" => {
            Ok(map.iter().map(|(key, value)| Value::Tuple(vec![key.clone(), value.clone()].into())).collect())
        }
        "keys" => Ok(map.keys().cloned().collect()),
        "values" => Ok(map.values().cloned().collect()),
        _ => Ok(Value::from(map.clone())),
    }
}

pub(super) fn mutate(map: &mut Map, args: &Args) -> Option<Result<Value, Error>> {
    if !NAMES[..5].contains(&args.name) {
        return None;
    }
    Some(change(map, args))
}

fn change(map: &mut Map, args: &Args) -> Result<Value, Error> {
    match args.name {
        "update" => {
            if let Some(other) = args.args.first() {
                map.extend(entries(other)?);
            }
            map.extend(args.kwargs.iter().map(|(key, value)| (key.clone(), value.clone())));
            Ok(Value::Null)
        }
        "pop" => {
            let key = args.required(0)?;
            match (map.shift_remove(key), args.args.get(1)) {
                (Some(value), _) => Ok(value),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Err(Error::new(python::repr(key))),
            }
        }
        "popitem" => match map.pop() {
            Some((key, value)) => Ok(Value::Tuple(vec![key, value].into())),
            None => Err(Error::new("'popitem(): dictionary is empty'")),
        },
        "setdefault" => {
            let default = args.args.get(1).cloned().unwrap_or_default();
            Ok(map.entry(args.required(0)?.clone()).or_insert(default).clone())
        }
        _ => {
            map.clear();
            Ok(Value::Null)
        }
    }
}

/// Returns the entries of a map, or of a list of pairs.
pub fn entries(value: &Value) -> Result<Map, Error> {
    let value = force(value)?;
    if let Value::Map(map) = &value {
        return Ok((**map).clone());
    }
    let mut map = Map::default();
    for (i, pair) in operators::iterate(&value)?.iter().enumerate() {
        match operators::iterate(pair)?.as_slice() {
            [key, value] => {
                map.insert(key.clone(), value.clone());
            }
            other => {
                let length = other.len();
                return Err(Error::new(format!(
                    "dictionary update sequence element #{i} has length {length}; 2 is required"
                )));
            }
        }
    }
    Ok(map)
}
