//! The attributes that filters use.

use playbook_api::{Error, Value};

use crate::template::python::access::get_item;

/// A path such as `a.b.0`, or a number: the `attribute=` of Jinja's filters.
#[derive(Clone, Debug)]
pub struct Path(Vec<Value>);

impl Path {
    /// Parses an attribute: a name, a position, or several of them joined by dots.
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

    /// Returns the value at the path, or the default if a part of it is undefined.
    pub fn get(&self, value: &Value, default: Option<&Value>) -> Result<Value, Error> {
        let mut found = value.clone();
        for key in &self.0 {
            found = get_item(&found, key)?;
            if let (Value::Undefined(_), Some(default)) = (&found, default) {
                found = default.clone();
            }
        }
        Ok(found)
    }
}
