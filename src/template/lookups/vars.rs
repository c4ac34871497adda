//! `vars` and `varnames`: variables by computed names.

use playbook_api::{Error, Map, Value};

use super::Lookup;
use crate::template::Renderer;
use crate::template::regex::{Flags, compile};

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("vars", vars), Lookup::new("varnames", varnames)];

fn vars(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let value = |term: &Value| {
        let Some(name) = term.as_str() else {
            return Err(Error::new(format!("Variable name must be 'str' not '{}'.", term.type_name())));
        };
        match (renderer.scope.get(name), options.get("default")) {
            (Some(value), _) => value,
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(Error::undefined(format!("No variable named '{name}' was found."))),
        }
    };
    terms.iter().map(value).collect()
}

fn varnames(terms: &[Value], _: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let names = renderer.scope.names();
    let mut found = Vec::new();
    for term in terms {
        let Some(pattern) = term.as_str() else {
            return Err(Error::new(format!(
                "Invalid setting identifier, \"{term}\" is not a string, it is a <class '{}'>",
                term.type_name()
            )));
        };
        let pattern = compile(pattern, Flags::default())
            .map_err(|e| e.context(format!("Unable to use \"{pattern}\" as a search parameter")))?;
        for name in &names {
            if pattern.search(name, 0)?.is_some() {
                found.push(Value::from(name));
            }
        }
    }
    Ok(found)
}
