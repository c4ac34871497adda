//! Converts between maps and lists of maps, and extracts their members.

use playbook_api::{Error, Map, Value, map, python};

use super::arguments::{flag, given, text, tuple};
use crate::template::python::access::get_item;
use crate::template::python::operators::unhashable;
use crate::template::{Call, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("dict2items", dict2items),
    Function::new("items2dict", items2dict),
    Function::new("extract", extract).taking_member_maps(),
    Function::new("rekey_on_member", rekey_on_member),
    Function::new("subelements", subelements_filter),
];

fn class(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}

fn dict2items(call: &mut Call) -> Result<Value, Error> {
    let [key_name, value_name] = call.bind(["key_name", "value_name"], 0)?;
    let Some(entries) = call.input.as_map() else {
        return Err(Error::new(format!(
            "dict2items requires a dictionary, got {} instead.",
            class(&call.input)
        )));
    };
    let (key_name, value_name) = (text(&key_name, "key"), text(&value_name, "value"));
    let pair = |(key, value): (&Value, &Value)| {
        Value::from(map! { &*key_name => key.clone(), &*value_name => value.clone() })
    };
    Ok(entries.iter().map(pair).collect())
}

fn items2dict(call: &mut Call) -> Result<Value, Error> {
    let [key_name, value_name] = call.bind(["key_name", "value_name"], 0)?;
    let Some(items) = call.input.as_list() else {
        return Err(Error::new(format!("items2dict requires a list, got {} instead.", class(&call.input))));
    };
    let key_name = given(key_name).unwrap_or_else(|| "key".into());
    let value_name = given(value_name).unwrap_or_else(|| "value".into());
    let pair = |item: &Value| match (entry(item, &key_name)?, entry(item, &value_name)?) {
        (Entry::Found(key), Entry::Found(value)) => Ok((key, value)),
        (Entry::Subscript, _) | (_, Entry::Subscript) => Err(Error::new(format!(
            "items2dict requires a list of dictionaries, got {} instead.",
            python::repr(&call.input)
        ))),
        _ => Err(Error::new(format!(
            "items2dict requires each dictionary in the list to contain the keys '{key_name}' and \
             '{value_name}', got {} instead.",
            python::repr(&call.input)
        ))),
    };
    let pairs = items.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    if let Some(name) = pairs.iter().find_map(|(key, _)| unhashable(key)) {
        return Err(Error::new(format!("unhashable type: '{name}'")));
    }
    Ok(pairs.into_iter().collect::<Map>().into())
}

/// The result of Python's `item[key]`.
enum Entry {
    Found(Value),
    /// `KeyError`
    Missing,
    /// `TypeError`: the item does not support such a key.
    Subscript,
}

fn entry(item: &Value, key: &Value) -> Result<Entry, Error> {
    let found = match (item, key) {
        (Value::Map(map), key) => return Ok(map.get(key).cloned().map_or(Entry::Missing, Entry::Found)),
        (Value::List(_) | Value::Tuple(_) | Value::Str(_), Value::Int(_) | Value::Bool(_)) => {
            get_item(item, key)?
        }
        _ => return Ok(Entry::Subscript),
    };
    match found {
        Value::Undefined(_) => {
            let kind = match item {
                Value::Str(_) => "string",
                other => other.type_name(),
            };
            Err(Error::new(format!("{kind} index out of range")))
        }
        value => Ok(Entry::Found(value)),
    }
}

/// Returns the container's member of that name, or a member further below it.
fn extract(call: &mut Call) -> Result<Value, Error> {
    let [container, more] = call.bind(["container", "morekeys"], 1)?;
    let found = get_item(&container.unwrap_or_default(), &call.input)?;
    let path: Vec<Value> = match given(more) {
        None => Vec::new(),
        Some(Value::List(keys)) => keys.to_vec(),
        Some(key) => vec![key],
    };
    path.iter().try_fold(found, |found, key| get_item(&found, key))
}

fn rekey_on_member(call: &mut Call) -> Result<Value, Error> {
    let [key, duplicates] = call.bind(["key", "duplicates"], 1)?;
    let overwrite = match &*text(&duplicates, "error") {
        "error" => false,
        "overwrite" => true,
        other => {
            return Err(Error::new(format!(
                "duplicates parameter to rekey_on_member has unknown value '{other}'"
            )));
        }
    };
    let key = key.unwrap_or_default();
    let items = match &call.input {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        _ => return Err(Error::new("Type is not a valid list, set, or dict")),
    };
    let mut result = Map::default();
    for item in items {
        let Value::Map(map) = &item else { return Err(Error::new("List item is not a valid dict")) };
        let Some(member) = map.get(&key).cloned() else {
            return Err(Error::new(format!("Key '{key}' was not found.")));
        };
        if result.contains_key(&member) && !overwrite {
            return Err(Error::new(format!("Key '{member}' is not unique, cannot convert to dict.")));
        }
        result.insert(member, item);
    }
    Ok(result.into())
}

fn subelements_filter(call: &mut Call) -> Result<Value, Error> {
    let [path, skip_missing] = call.bind(["subelements", "skip_missing"], 1)?;
    let elements = match &call.input {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) => items.to_vec(),
        _ => return Err(Error::new("obj must be a list of dicts or a nested dict")),
    };
    let path: Vec<Value> = match path.unwrap_or_default() {
        Value::List(keys) => keys.to_vec(),
        Value::Str(text) => text.split('.').map(Value::from).collect(),
        _ => return Err(Error::new("subelements must be a list or a string")),
    };
    let skip_missing = flag(&skip_missing, false);
    let mut rows = Vec::new();
    for element in &elements {
        for value in below(element, &path, skip_missing)? {
            rows.push(tuple(vec![element.clone(), value]));
        }
    }
    Ok(rows.into())
}

/// Returns the list at the end of a path of keys.
fn below(element: &Value, path: &[Value], skip_missing: bool) -> Result<Vec<Value>, Error> {
    let mut values = element.clone();
    for key in path {
        let Value::Map(map) = &values else {
            let why = match &values {
                Value::List(_) => "list indices must be integers or slices, not str".to_owned(),
                Value::Str(_) => "string indices must be integers, not 'str'".to_owned(),
                other => format!("'{}' object is not subscriptable", other.type_name()),
            };
            return Err(Error::new(format!(
                "the key {key} should point to a dictionary, got '{values}': {why}"
            )));
        };
        match map.get(key).cloned() {
            Some(value) => values = value,
            None if skip_missing => return Ok(Vec::new()),
            None => {
                return Err(Error::new(format!(
                    "could not find {} key in iterated item {}",
                    python::repr(key),
                    python::repr(&values)
                )));
            }
        }
    }
    match values {
        Value::List(items) => Ok(items.to_vec()),
        other => Err(Error::new(format!(
            "the key {} should point to a list, got {}",
            python::repr(path.last().unwrap_or(&Value::Null)),
            python::repr(&other)
        ))),
    }
}
