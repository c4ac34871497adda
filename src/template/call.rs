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

    /// The argument at a position or of a name, or Python's complaint that it is missing.
    pub fn required(&self, position: usize, name: &str) -> Result<&Value, Error> {
        self.arg(position, name).ok_or_else(|| {
            Error::new(format!("{}() missing 1 required positional argument: '{name}'", self.name))
        })
    }

    /// A text argument: nothing where it was not given or is `None`.
    pub fn text(&self, position: usize, name: &str) -> Result<Option<&str>, Error> {
        match self.arg(position, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Str(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a string", other)),
        }
    }

    /// A whole number: nothing where it was not given or is `None`.
    pub fn integer(&self, position: usize, name: &str) -> Result<Option<i64>, Error> {
        match self.arg(position, name) {
            None | Some(Value::Null) => Ok(None),
            Some(other) => other.as_i64().map(Some).ok_or_else(|| self.wrong(name, "an integer", other)),
        }
    }

    /// Python's truth of an argument, or of its default.
    pub fn flag(&self, position: usize, name: &str, default: bool) -> bool {
        self.arg(position, name).map_or(default, Value::is_true)
    }

    /// Complains about arguments beyond those there are: `names` in positional order.
    pub fn only(&self, names: &[&str]) -> Result<(), Error> {
        let unknown = self.kwargs.keys().find(|key| key.as_str().is_none_or(|key| !names.contains(&key)));
        if let Some(key) = unknown {
            let name = self.name;
            return Err(Error::new(format!("{name}() got an unexpected keyword argument '{key}'")));
        }
        let (most, given) = (names.len() + 1, self.args.len() + 1);
        if given > most {
            let (name, s) = (self.name, if most == 1 { "" } else { "s" });
            return Err(Error::new(format!(
                "{name}() takes {most} positional argument{s} but {given} were given"
            )));
        }
        Ok(())
    }

    fn wrong(&self, name: &str, wanted: &str, got: &Value) -> Error {
        let (filter, got) = (self.name, got.type_name());
        Error::new(format!("{filter}(): the argument '{name}' must be {wanted}, not {got}"))
    }
}
