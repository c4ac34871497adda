//! What is not about one type: defaults, booleans, choices, types.

use playbook_api::redact::MASK;
use playbook_api::{Error, Value, python};

use super::arguments::{flag, given, text};
use crate::template::{Call, Computed, Deprecation, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("default", default).needing(Computed::Nothing),
    Function::new("d", default).needing(Computed::Nothing),
    Function::new("bool", boolean),
    Function::new("mandatory", mandatory).needing(Computed::Nothing),
    Function::new("ternary", ternary).needing(Computed::Nothing),
    Function::new("type_debug", type_debug).needing(Computed::Nothing).taking_vaults(),
    Function::new("undef", undef).needing(Computed::Nothing),
    Function::new("quote", quote),
    Function::new("pprint", pprint),
];

fn default(call: &mut Call) -> Result<Value, Error> {
    let [default, boolean] = call.bind(["default_value", "boolean"], 0)?;
    let replace = call.input.is_undefined() || (flag(&boolean, false) && !call.input.is_true());
    Ok(if replace { default.unwrap_or_else(|| "".into()) } else { call.input() })
}

/// Words that Ansible takes for a boolean.
pub(crate) fn word_as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Str(word) => match word.to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" => Some(false),
            _ => None,
        },
        number => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
    }
}

/// What is not a word for a boolean is false.
fn boolean(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let known = word_as_bool(&call.input);
    if known.is_none() {
        let shown = match call.input.is_secret() {
            true => MASK.to_owned(),
            false => python::repr(&call.input),
        };
        let name = call.input.type_name();
        let what = format!("The `bool` filter coerced invalid value {shown} ({name}) to False.");
        call.renderer.scope.deprecate(Deprecation::new(Error::new(what), "2.23"));
    }
    Ok(Value::Bool(known.unwrap_or(false)))
}

fn mandatory(call: &mut Call) -> Result<Value, Error> {
    let [message] = call.bind(["msg"], 0)?;
    let Value::Undefined(reason) = &call.input else { return Ok(call.input()) };
    Err(Error::new(match given(message) {
        Some(message) => message.to_text().into_owned(),
        None => match reason.strip_prefix('\'').and_then(|rest| rest.split_once("' is undefined")) {
            Some((name, _)) => format!("Mandatory variable '{name}' not defined."),
            None => "Mandatory variable not defined.".into(),
        },
    }))
}

fn ternary(call: &mut Call) -> Result<Value, Error> {
    if call.input.is_undefined() {
        return Ok(call.input());
    }
    let [yes, no, null] = call.bind(["true_val", "false_val", "none_val"], 2)?;
    let chosen = match (&call.input, given(null)) {
        (Value::Null, Some(null)) => Some(null),
        (value, _) if value.is_true() => yes,
        _ => no,
    };
    Ok(chosen.unwrap_or_default())
}

fn type_debug(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match &call.input {
        Value::Undefined(_) => "UndefinedMarker".into(),
        value => value.type_name().into(),
    })
}

/// `undef(hint)` is a function in templates; as a filter its input is the hint.
fn undef(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let hint = Some(call.input());
    Ok(Value::undefined(text(&hint, "Mandatory variable has not been overridden")))
}

/// A word the shell reads as this text.
fn quote(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match &call.input {
        Value::Null => "''".into(),
        value => shell_word(&value.to_text()).into(),
    })
}

pub(super) fn shell_word(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn pprint(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(playbook_api::python::repr(&call.input).into())
}
