//! Converts the output of a template to its value.

use std::fmt::Write;

use playbook_api::{Error, Value};

use super::super::lazy::{check_deep, force, force_deep};
use super::super::{Renderer, budget, object, secret, undefined};

/// Returns the value of a template with these parts: nothing, the only part unchanged, or their text.
pub(crate) fn concat(mut parts: Vec<Value>) -> Result<Value, Error> {
    if parts.len() < 2 {
        return Ok(parts.pop().unwrap_or(Value::Null));
    }
    if let Some(unknown) = parts.iter().find(|part| matches!(part, Value::Unknown(_))) {
        return Ok(unknown.clone());
    }
    let mut text = String::new();
    for part in &parts {
        let before = text.len();
        print(&mut text, part)?;
        budget::grown(before, text.len())?;
    }
    let secret = secret::exist() && parts.iter().any(Value::is_secret);
    Ok(if secret { Value::secret(text) } else { Value::from(text) })
}

/// Adds a value to a text as Jinja prints it.
pub(crate) fn print(text: &mut String, value: &Value) -> Result<(), Error> {
    match value {
        Value::Str(part) => text.push_str(part),
        Value::Null => text.push_str("None"),
        Value::Int(n) => {
            let _ = write!(text, "{n}");
        }
        Value::Undefined(_) if undefined::is_blank(value) => {}
        Value::Undefined(_) => undefined::check(value)?,
        Value::Omit => {}
        Value::Bool(_) | Value::Float(_) | Value::BigInt(_) | Value::Bytes(_) | Value::Unknown(_) => {
            text.push_str(&value.to_text());
        }
        Value::Object(_) => {
            let forced = force(value)?;
            match &forced {
                Value::Object(_) => {
                    undefined::check(&forced)?;
                    text.push_str(&forced.to_text());
                }
                forced => print(text, forced)?,
            }
        }
        Value::List(_) | Value::Tuple(_) | Value::Map(_) => {
            budget::measure(value)?;
            text.push_str(&Renderer::finalize_with(value.clone(), false)?.to_text());
        }
    }
    Ok(())
}

/// Adds Python's `str()` of a value to a text: unlike a template's output, tuples stay tuples.
pub(super) fn print_raw(text: &mut String, value: &Value) -> Result<(), Error> {
    match value {
        Value::List(_) | Value::Tuple(_) | Value::Map(_) => {
            let value = force_deep(value)?;
            check_deep(&value)?;
            text.push_str(&value.to_text());
            Ok(())
        }
        other => print(text, other),
    }
}

/// Returns the value of a template that is one expression.
pub(super) fn single(value: Value) -> Result<Value, Error> {
    match object::downcast::<super::Module>(&value) {
        Some(module) => concat(module.parts.clone()),
        None => Ok(value),
    }
}

/// Adds a value to the output of a template. `None` prints nothing.
pub(super) fn emit(out: &mut Vec<Value>, value: Value) {
    match &value {
        Value::Null => {}
        Value::Object(_) => match object::downcast::<super::Module>(&value) {
            Some(module) => out.extend(module.parts.iter().cloned()),
            None => out.push(value),
        },
        _ => out.push(value),
    }
}
