//! What is undefined, and what is only blank.
//!
//! `{{ 'x' if condition }}` without `else` is undefined to `is defined` and `default`, yet prints as nothing
//! and is false, unlike a missing name, whose every use is an error.

use std::sync::Arc;

use playbook_api::{Error, Value};

const BLANK: &str = "the inline if-expression on line ";

/// The value of an inline `if` that did not happen.
pub fn blank(line: u32) -> Value {
    Value::undefined(format!("{BLANK}{line} evaluated to false and no else section was defined."))
}

/// Whether an undefined value prints as nothing.
pub fn is_blank(reason: &str) -> bool {
    reason.starts_with(BLANK)
}

/// The error that the use of an undefined value is; nothing for every other value.
pub fn check(value: &Value) -> Result<(), Error> {
    match value {
        Value::Undefined(reason) => Err(error(reason)),
        _ => Ok(()),
    }
}

/// The error that the use of something undefined is.
pub fn error(reason: &Arc<str>) -> Error {
    Error::undefined(&**reason)
}

/// What a caught error leaves: undefined things are values again, everything else stays an error.
pub fn caught(result: Result<Value, Error>) -> Result<Value, Error> {
    match result {
        Err(error) if error.is_undefined() => Ok(Value::undefined(error.to_string())),
        other => other,
    }
}

/// The value of a name that does not exist.
pub fn name(name: &str) -> Value {
    Value::undefined(format!("'{name}' is undefined"))
}

/// The value of an attribute or item that does not exist.
pub fn attribute(object: &Value, key: &Value) -> Value {
    let key = playbook_api::python::repr(key);
    Value::undefined(format!("object of type '{}' has no attribute {key}", object.type_name()))
}
