//! How filters, tests and lookups are called.

use playbook_api::{Error, Map, Value};

use super::Renderer;

/// One call of a filter, test or global function.
pub struct Call<'a> {
    pub name: &'a str,
    /// What stands before the `|` or `is`; `Value::Null` for functions.
    pub input: Value,
    /// Positional arguments, after the input.
    pub args: Vec<Value>,
    /// Named arguments, by text key.
    pub kwargs: Map,
    /// For filters that call others (`map`, `select`), render text (`template`) or read variables.
    pub renderer: &'a Renderer,
}

/// A filter, test or global function: an entry of a family's table.
#[derive(Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    pub call: fn(&mut Call) -> Result<Value, Error>,
    /// Takes undefined input and arguments as they are (`default`, `defined`); others fail on them before the
    /// call. Values still to be computed are always forced (deeply) before the call, except for these.
    pub undefined: bool,
}

impl Call<'_> {
    /// The argument at a position or of a name, if given.
    pub fn arg(&self, position: usize, name: &str) -> Option<&Value> {
        self.args.get(position).or_else(|| self.kwargs.get(name))
    }
}
