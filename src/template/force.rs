//! Computes a value that is computed when it is used.

use playbook_api::{Error, Value};

/// Returns the value, computing it if necessary, but not its members.
pub fn force(value: &Value) -> Result<Value, Error> {
    let mut value = value.clone();
    while let Value::Object(object) = &value {
        match object.force() {
            Some(forced) => value = forced?,
            None => break,
        }
    }
    Ok(value)
}
