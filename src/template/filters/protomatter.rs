//! `ansible._protomatter`: what ansible-core's own tests look at values with.

use playbook_api::{Error, Text, Value};

use crate::template::{Call, Function, Renderer};

pub const FILTERS: &[Function] = &[
    Function { name: "ansible._protomatter.finalize", call: finalize, undefined: false },
    Function { name: "ansible._protomatter.apply_trust", call: apply_trust, undefined: false },
    Function { name: "ansible._protomatter.origin", call: origin, undefined: false },
];

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
