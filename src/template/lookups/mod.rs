//! Lookups that need only the controller: its files, environment and variables.

use playbook_api::{Error, Map, Value};

use super::Renderer;

pub mod search;

/// A built-in lookup.
pub struct Lookup {
    pub name: &'static str,
    pub run: fn(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error>,
}

/// The lookup of a short or full name (`env`, `ansible.builtin.env`).
pub fn find(_name: &str) -> Option<&'static Lookup> {
    None
}
