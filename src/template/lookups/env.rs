//! `env`: variables of the environment.

use playbook_api::{Error, Map, Text, Value};

use super::{Lookup, Undefined};
use crate::template::Renderer;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("env", env).taking(Undefined::Members)];

/// Returns the variable's value. If it is not set, the result is `default`, or the empty text.
fn env(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let value = |term: &Value| {
        let Some(term) = term.as_str() else {
            return Err(Error::new(format!("'{}' object has no attribute 'split'", term.type_name())));
        };
        let Some(name) = term.split_whitespace().next() else {
            return Err(Error::new("the env lookup needs the name of a variable"));
        };
        Ok(match (renderer.environment.variable(name), options.get("default")) {
            (Some(value), _) => {
                Text::new(value).with_origin(format!("<environment variable '{name}'>")).into()
            }
            (None, Some(Value::Undefined(reason)))
                if &**reason == "Mandatory variable has not been overridden" =>
            {
                Value::undefined(format!("The environment variable '{name}' is not set."))
            }
            (None, Some(default)) => default.clone(),
            (None, None) => "".into(),
        })
    };
    terms.iter().map(value).collect()
}
