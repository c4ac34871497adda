//! What filters need of the evaluator: attributes of values, and other filters and tests by name.

use playbook_api::{Error, Map, Value, python};

use super::super::{Call, Renderer};

/// An attribute or item of a value, as `value[key]` in a template; undefined where there is none.
pub fn get(value: &Value, key: &Value) -> Value {
    let missing = || {
        let name = python::repr(key);
        Value::undefined(format!("object of type '{}' has no attribute {name}", value.type_name()))
    };
    match value {
        Value::Undefined(_) => value.clone(),
        Value::Map(map) => map.get(key).cloned().unwrap_or_else(missing),
        Value::Tuple(items) if items.len() == 2 && key.as_str() == Some("grouper") => items[0].clone(),
        Value::Tuple(items) if items.len() == 2 && key.as_str() == Some("list") => items[1].clone(),
        Value::List(items) | Value::Tuple(items) => {
            key.as_i64().and_then(|at| position(at, items.len())).map_or_else(missing, |at| items[at].clone())
        }
        Value::Str(text) => {
            let characters = || text.chars().count();
            let at = key.as_i64().and_then(|at| position(at, characters()));
            at.and_then(|at| text.chars().nth(at)).map_or_else(missing, |c| Value::from(c.to_string()))
        }
        _ => missing(),
    }
}

/// Python's index into a sequence, counted from the end when negative.
pub fn position(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add(i64::try_from(length).ok()?)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// A path such as `a.b.0`, or a number: the `attribute=` of Jinja's filters.
#[derive(Clone, Debug)]
pub struct Path(Vec<Value>);

impl Path {
    pub fn new(attribute: &Value) -> Path {
        Path(match attribute.as_str() {
            Some(text) => text
                .split('.')
                .map(|part| match part.parse::<i64>() {
                    Ok(n) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(n),
                    _ => Value::from(part),
                })
                .collect(),
            None => vec![attribute.clone()],
        })
    }

    /// The value at the path; the default where something on the way is undefined.
    pub fn get(&self, value: &Value, default: Option<&Value>) -> Value {
        let mut found = value.clone();
        for key in &self.0 {
            found = get(&found, key);
            if let (Value::Undefined(_), Some(default)) = (&found, default) {
                found = default.clone();
            }
        }
        found
    }
}

/// Calls a filter by name.
pub fn filter(
    renderer: &Renderer,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<Value, Error> {
    let function = super::find(name).ok_or_else(|| Error::new(format!("No filter named '{name}'.")))?;
    if !function.undefined
        && let Some(undefined) = std::iter::once(&input).chain(&args).find(|value| value.is_undefined())
    {
        return Ok(undefined.clone());
    }
    super::run(function, &mut Call { name: function.name, input, args, kwargs, renderer })
}

/// Calls a test by name.
pub fn test(
    renderer: &Renderer,
    name: &str,
    input: Value,
    args: Vec<Value>,
    kwargs: Map,
) -> Result<bool, Error> {
    let function =
        super::super::tests::find(name).ok_or_else(|| Error::new(format!("No test named '{name}'.")))?;
    if !function.undefined
        && let Some(Value::Undefined(reason)) =
            std::iter::once(&input).chain(&args).find(|value| value.is_undefined())
    {
        return Err(Error::undefined(reason.to_string()));
    }
    (function.call)(&mut Call { name: function.name, input, args, kwargs, renderer })
        .map(|value| value.is_true())
}
