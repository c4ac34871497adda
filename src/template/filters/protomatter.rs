//! `ansible._protomatter`: what ansible-core's own tests look at values with.

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

/// Whether a filter is given what went wrong with its input, in place of the input.
pub fn takes_errors(name: &str) -> bool {
    name == DUMP
}

/// An error as `dump_object` shows it.
pub fn captured(error: &Error) -> Value {
    map! { "exception" => map! { "message" => error.to_string() } }.into()
}

/// The value itself, or the error that its use would be.
fn dump_object(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match call.input() {
        Value::Undefined(reason) => captured(&Error::undefined(&*reason)),
        other => other,
    })
}

/// The value as a module would be given it: tuples are lists, nothing is left to be computed.
fn finalize(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Renderer::finalize(call.input())
}

/// Where a text came from, where its source says so.
fn origin(call: &mut Call) -> Result<Value, Error> {
    Ok(match &call.input {
        Value::Str(text) => text.origin().into(),
        _ => Value::Null,
    })
}

/// A text as if a trusted document held it.
fn apply_trust(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(match call.input() {
        Value::Str(text) if !text.is_secret() => Value::Str(Text::trusted(text.as_str())),
        other => other,
    })
}
