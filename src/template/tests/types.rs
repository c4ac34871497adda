//! Tests of a value's type and case, and whether it is defined.

use playbook_api::{Error, Value};

use crate::template::{Call, Computed, Function, filters};

pub(super) const TESTS: &[Function] = &[
    Function::new("defined", |call| Ok((!call.input.is_undefined()).into())).needing(Computed::Nothing),
    Function::new("undefined", |call| Ok(call.input.is_undefined().into())).needing(Computed::Nothing),
    test!(outside "none", Value::is_null),
    test!(outside "boolean", |value| value.as_bool().is_some()),
    test!("true", |value| matches!(value, Value::Bool(true))),
    test!("false", |value| matches!(value, Value::Bool(false))),
    test!(outside "integer", |value| matches!(value, Value::Int(_) | Value::BigInt(_))),
    test!(outside "float", |value| matches!(value, Value::Float(_))),
    test!(outside "number", |value| value.as_f64().is_some()),
    test!(outside "string", |value| matches!(value, Value::Str(_))),
    test!(outside "mapping", |value| matches!(value, Value::Map(_))),
    test!(outside "sequence", is_container),
    test!(outside "iterable", is_container),
    test!(outside "callable", |value| {
        matches!(value.type_name(), "function" | "method" | "builtin_function_or_method" | "Macro" | "macro")
    }),
    test!("escaped", |_| false),
    test!("upper", |value| is_cased(value, char::is_uppercase, char::is_lowercase)),
    test!("lower", |value| is_cased(value, char::is_lowercase, char::is_uppercase)),
    test!("nan", |value| matches!(value, Value::Float(n) if n.is_nan())),
    test!("isnan", |value| matches!(value, Value::Float(n) if n.is_nan())),
    test!("filter", |value| filters::find(&value.to_text()).is_some()),
    test!("test", |value| super::find(&value.to_text()).is_some()),
    Function::new("truthy", truthy),
    Function::new("falsy", falsy),
];

fn is_container(value: &Value) -> bool {
    filters::arguments::length(value).is_ok()
}

/// Python's `isupper` and `islower`: at least one letter of that case, and none of the other one.
fn is_cased(value: &Value, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    let text = value.to_text();
    text.chars().any(wanted) && !text.chars().any(other)
}

/// With `convert_bool`, words for a boolean count as that boolean.
fn truth(call: &mut Call) -> Result<bool, Error> {
    let [convert] = call.bind(["convert_bool"], 0)?;
    let word =
        filters::arguments::flag(&convert, false).then(|| filters::word_as_bool(&call.input)).flatten();
    Ok(word.unwrap_or_else(|| call.input.is_true()))
}

fn truthy(call: &mut Call) -> Result<Value, Error> {
    truth(call).map(Value::Bool)
}

fn falsy(call: &mut Call) -> Result<Value, Error> {
    truth(call).map(|truth| Value::Bool(!truth))
}
