//! The methods of Python's own types.

use std::sync::Arc;

mod list;
mod map;
mod number;
mod text;

pub use map::entries;
use playbook_api::{Error, Map, Value};

use crate::template::lazy::{as_asked_map, force, reach};
use crate::template::object::{self, Behavior};
use crate::template::{Renderer, undefined};

/// The methods that change their object.
pub const MUTATING: [&str; 11] = [
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
    "clear",
    "update",
    "setdefault",
    "popitem",
];

/// Returns whether a value of a built-in type has a method.
pub fn exists(value: &Value, name: &str) -> bool {
    let names: &[&str] = match value {
        Value::Str(_) => &text::NAMES,
        Value::List(_) => &list::NAMES,
        Value::Tuple(_) => &list::TUPLE_NAMES,
        Value::Map(_) => &map::NAMES,
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) => &number::INTEGER_NAMES,
        Value::Float(_) => &number::FLOAT_NAMES,
        Value::Bytes(_) => &["decode", "hex"],
        Value::Object(object) if object.is_map() => &map::NAMES,
        _ => &[],
    };
    names.contains(&name)
}

/// Returns a plain attribute of a built-in type.
pub fn property(value: &Value, name: &str) -> Option<Value> {
    number::property(value, name)
}

/// Calls a method that changes nothing, or one that does on a copy. Returns `None` if the method does not exist.
pub fn call(value: &Value, name: &str, args: &[Value], kwargs: &Map) -> Option<Result<Value, Error>> {
    if let Some(behavior) = object::behavior(value) {
        return behavior.method(name, args, kwargs);
    }
    if as_asked_map(value).is_some() {
        return asked(value, name, args, kwargs);
    }
    if !exists(value, name) {
        return None;
    }
    let args = Args { name, args, kwargs };
    Some(match value {
        Value::Str(text) => text::call(text, &args),
        Value::List(items) | Value::Tuple(items) if !MUTATING.contains(&name) => list::call(items, &args),
        Value::Map(map) if !MUTATING.contains(&name) => map::call(map, &args),
        Value::Bytes(bytes) => text::bytes(bytes, &args),
        Value::List(_) | Value::Map(_) => return mutate(&mut value.clone(), name, args.args, kwargs),
        other => number::call(other, &args),
    })
}

/// Calls a method of a map that is read member by member. All methods but `get` build the map.
fn asked(value: &Value, name: &str, args: &[Value], kwargs: &Map) -> Option<Result<Value, Error>> {
    if let ("get", [key, default @ ..]) = (name, args) {
        return Some(match as_asked_map(value)?.member(key) {
            Some(member) => undefined::caught(member.and_then(|member| reach(&member))),
            None => Ok(default.first().cloned().unwrap_or_default()),
        });
    }
    match force(value) {
        Ok(value) => call(&value, name, args, kwargs),
        Err(error) => Some(Err(error)),
    }
}

/// Calls a method that changes its value. Returns `None` if the method does not exist.
pub fn mutate(value: &mut Value, name: &str, args: &[Value], kwargs: &Map) -> Option<Result<Value, Error>> {
    let args = Args { name, args, kwargs };
    match value {
        Value::List(items) => items.modify(|items| list::mutate(items, &args)),
        Value::Map(map) => map::mutate(Arc::make_mut(map), &args),
        _ => None,
    }
}

/// A method that is not called yet: `text.upper`.
#[derive(Debug)]
pub struct Method {
    /// The value that has the method.
    pub object: Value,
    /// The name of the method.
    pub name: Arc<str>,
}

impl Behavior for Method {
    fn type_name(&self) -> &'static str {
        if self.object.as_map().is_some() { "method" } else { "builtin_function_or_method" }
    }

    fn call(&self, _: &Renderer, args: Vec<Value>, kwargs: Map) -> Option<Result<Value, Error>> {
        call(&self.object, &self.name, &args, &kwargs)
    }
}

/// The arguments of a method.
struct Args<'a> {
    name: &'a str,
    args: &'a [Value],
    kwargs: &'a Map,
}

impl<'a> Args<'a> {
    fn get(&self, position: usize, name: &str) -> Option<&'a Value> {
        self.args.get(position).or_else(|| self.kwargs.get(name))
    }

    fn required(&self, position: usize) -> Result<&'a Value, Error> {
        self.args.get(position).ok_or_else(|| {
            let (name, wanted, got) = (self.name, position + 1, self.args.len());
            Error::new(format!("{name} expected at least {wanted} argument, got {got}"))
        })
    }

    fn text(&self, position: usize, name: &str) -> Result<Option<&'a str>, Error> {
        match self.get(position, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Str(text)) => Ok(Some(text.as_str())),
            Some(other) => Err(self.wrong("str", other)),
        }
    }

    fn required_text(&self, position: usize) -> Result<&'a str, Error> {
        let value = self.required(position)?;
        value.as_str().ok_or_else(|| self.wrong("str", value))
    }

    fn integer(&self, position: usize, name: &str) -> Result<Option<i64>, Error> {
        match self.get(position, name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(Error::new(format!(
                    "'{}' object cannot be interpreted as an integer",
                    value.type_name()
                ))),
            },
        }
    }

    fn wrong(&self, wanted: &str, got: &Value) -> Error {
        Error::new(format!("{}() argument must be {wanted}, not {}", self.name, got.type_name()))
    }
}
