//! Undefined and blank values.
//!
//! Filters and tests get undefined values as [`Value::Undefined`]. Inside a render an undefined value also has a place
//! ([`located`]), so that the error of its use can name it.
//!
//! A vault that cannot be decrypted is similar: it may be passed on, but its use is an error ([`Sealed`]).
//!
//! `{{ 'x' if condition }}` without `else` is undefined for `is defined` and `default`, but prints nothing and is
//! false, unlike a missing name, whose use is always an error.

use std::sync::{Arc, Weak};

use playbook_api::{Error, Map, Place, Value, nearest};

use super::Scope;
use super::frame::Frame;
use super::object::{Behavior, Native, downcast};

const BLANK: &str = "the inline if-expression on line ";

/// An undefined value with its place, and where to search for the name that was meant.
#[derive(Debug)]
struct Located {
    error: Error,
    near: Near,
}

/// Where to search for the name that was probably meant. It holds only weak references.
pub(super) enum Near {
    /// Nowhere.
    Nowhere,
    /// Among the names of a template and the variables of a scope.
    Variables { name: Arc<str>, own: Vec<String>, scope: Weak<dyn Scope> },
    /// Among the members of a map.
    Members { name: Arc<str>, map: Arc<Map> },
}

impl std::fmt::Debug for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Near")
    }
}

impl Near {
    /// Looks for a variable.
    pub(super) fn variable(name: &Arc<str>, frame: Option<&Arc<Frame>>, scope: &Arc<dyn Scope>) -> Near {
        let own = frame.map(|frame| frame.all_names()).unwrap_or_default();
        Near::Variables { name: name.clone(), own, scope: Arc::downgrade(scope) }
    }

    /// Looks for a member of a value.
    pub(super) fn member(value: &Value, key: &Value) -> Near {
        match (value, key) {
            (Value::Map(map), Value::Str(name)) if !name.is_secret() => {
                Near::Members { name: name.as_str().into(), map: map.clone() }
            }
            _ => Near::Nowhere,
        }
    }

    /// Returns a suggestion of the most similar name.
    fn advice(&self) -> Option<String> {
        let near = match self {
            Near::Nowhere => None,
            Near::Variables { name, own, scope } => {
                let mut names = scope.upgrade().map(|scope| scope.names()).unwrap_or_default();
                names.extend(own.iter().cloned());
                nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
            }
            Near::Members { name, map } => {
                let open = map.keys().filter_map(|key| match key {
                    Value::Str(text) if !text.is_secret() => Some(text.as_str()),
                    _ => None,
                });
                nearest(name, open).map(str::to_owned)
            }
        };
        near.map(|near| format!("Did you mean '{near}'?"))
    }
}

impl Behavior for Located {
    fn type_name(&self) -> &'static str {
        "undefined"
    }
}

/// A vault that cannot be decrypted, with the error of its use and its encrypted text.
#[derive(Debug)]
pub(super) struct Sealed {
    pub error: Error,
    pub envelope: Arc<str>,
}

impl Behavior for Sealed {
    fn type_name(&self) -> &'static str {
        "VaultExceptionMarker"
    }
}

impl Sealed {
    pub(super) fn value(error: Error, envelope: &str, place: &Place) -> Value {
        let help = error.help().unwrap_or_default().to_owned();
        let error = Error::new(format!("Attempt to use undecryptable variable: {}", error.message()))
            .with_kind(error.kind())
            .at(place)
            .with_help(help);
        Native::value(Sealed { error, envelope: envelope.into() })
    }

    /// Returns the value as such a vault, computing it if necessary.
    pub(super) fn find(value: &Value) -> Result<Option<Value>, Error> {
        let value = super::force::force(value)?;
        Ok(Sealed::of(&value).is_some().then_some(value))
    }

    pub(super) fn of(value: &Value) -> Option<&Sealed> {
        downcast::<Sealed>(value)
    }
}

/// Adds a place and the names to search to an undefined value. Returns all other values unchanged.
pub(super) fn located(value: Value, place: impl FnOnce() -> Place, near: impl FnOnce() -> Near) -> Value {
    match &value {
        Value::Undefined(reason) if !is_blank(&value) => {
            Native::value(Located { error: Error::undefined(&**reason).at(&place()), near: near() })
        }
        _ => value,
    }
}

/// The value of an inline `if` whose condition is false.
pub(super) fn blank(line: u32) -> Value {
    Value::undefined(format!("{BLANK}{line} evaluated to false and no else section was defined."))
}

/// Returns whether a value is undefined but prints nothing.
pub(super) fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Undefined(reason) if reason.starts_with(BLANK))
}

/// Returns whether a value is undefined.
pub(super) fn is(value: &Value) -> bool {
    matches!(value, Value::Undefined(_)) || downcast::<Located>(value).is_some()
}

/// Returns the error of using an undefined value.
pub(super) fn error(value: &Value) -> Option<Error> {
    match value {
        Value::Undefined(reason) => Some(Error::undefined(&**reason)),
        Value::Object(_) => match Sealed::of(value) {
            Some(sealed) => Some(sealed.error.clone()),
            None => downcast::<Located>(value).map(|located| match located.near.advice() {
                Some(advice) => located.error.clone().with_help(advice),
                None => located.error.clone(),
            }),
        },
        _ => None,
    }
}

/// Returns the error of using an undefined value, and nothing for every other value.
pub(super) fn check(value: &Value) -> Result<(), Error> {
    match error(value) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Does the same as [`check`], but accepts blank values.
pub(super) fn check_hard(value: &Value) -> Result<(), Error> {
    if is_blank(value) { Ok(()) } else { check(value) }
}

/// Returns the value as filters and tests get it.
pub(super) fn plain(value: Value) -> Value {
    match downcast::<Located>(&value) {
        Some(located) => Value::undefined(located.error.to_string()),
        None => value,
    }
}

/// Converts a caught error: one about an undefined value becomes that value, every other one stays an error.
pub(super) fn caught(result: Result<Value, Error>) -> Result<Value, Error> {
    match result {
        Err(error) if error.is_undefined() => Ok(Native::value(Located { error, near: Near::Nowhere })),
        other => other,
    }
}

/// Returns the value of a name that does not exist.
pub(super) fn name(name: &str) -> Value {
    Value::undefined(format!("'{name}' is undefined"))
}

/// Returns the value of an attribute or item that does not exist.
pub(super) fn attribute(object: &Value, key: &Value) -> Value {
    let name = playbook_api::python::repr(key);
    let type_name = object.type_name();
    Value::undefined(match object {
        Value::Null if !key.is_true() => format!("None has no element {name}"),
        _ if !key.is_true() => format!("{type_name} object has no element {name}"),
        _ => format!("object of type '{type_name}' has no attribute {name}"),
    })
}
