//! `ansible._protomatter`: the filters with which ansible-core's own tests inspect values.

use playbook_api::{Error, Text, Value, map};

use crate::template::{Call, Computed, Function, Renderer};

/// The table of this family.
pub const FILTERS: &[Function] = &[
    Function::new("ansible._protomatter.finalize", finalize),
    Function::new("ansible._protomatter.apply_trust", apply_trust),
    Function::new("ansible._protomatter.origin", origin),
    Function::new(DUMP, dump_object).needing(Computed::Nothing),
];

const DUMP: &str = "ansible._protomatter.dump_object";

/// Whether a filter gets the error of its input instead of the input.
pub fn takes_errors(name: &str) -> bool {
    name == DUMP
}

/// An error as `dump_object` shows it.
pub fn captured(error: &Error) -> Value {
    map! { "exception" => map! { "message" => error.to_string() } }.into()
}

/// Returns the value itself, or the error of its use.
fn dump_object(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match call.input() {
        Value::Undefined(reason) => captured(&Error::undefined(&*reason)),
        other => other,
    })
}

/// Returns the value as a module would get it: tuples are lists, and everything is computed.
fn finalize(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Renderer::finalize(call.input())
}

/// Returns the origin of a text, if its source records it.
fn origin(call: &mut Call) -> Result<Value, Error> {
    Ok(match &call.input {
        Value::Str(text) => text.origin().into(),
        _ => Value::Null,
    })
}

/// Returns a text with the mark of a trusted document.
fn apply_trust(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match call.input() {
        Value::Str(text) if !text.is_secret() => Value::Str(Text::trusted(text.as_str())),
        other => other,
    })
}
