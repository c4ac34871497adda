//! How filters, tests and lookups are called.

use playbook_api::{Error, Map, Value};

use super::Renderer;

/// One call of a filter, test or global function.
#[derive(Debug)]
pub struct Call<'a> {
    /// The name by which it is called.
    pub name: &'a str,
    /// The value before the `|` or `is`; `Value::Null` for functions.
    pub input: Value,
    /// Positional arguments, after the input.
    pub args: Vec<Value>,
    /// Named arguments, by text key.
    pub kwargs: Map,
    /// For filters that call others (`map`, `select`), render text (`template`) or read variables.
    pub renderer: &'a Renderer,
}

/// A filter, test or global function: an entry of a family's table.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The short name.
    pub name: &'static str,
    /// Computes the result.
    pub call: fn(&mut Call) -> Result<Value, Error>,
    /// The requirements for the input and the arguments.
    pub needs: Needs,
}

/// The requirements for the input and the arguments of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The part that is computed, and whether it must be defined.
    pub computed: Computed,
    /// Whether a vault that cannot be decrypted is passed on unchanged. Other plugins fail on one.
    pub takes_vaults: bool,
    /// Whether a map that is read member by member (`hostvars`) is passed on without building it.
    pub takes_member_maps: bool,
}

/// The part of a value that is computed before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computed {
    /// The whole value, all of which must be defined.
    Whole,
    /// The whole value, whose members may be undefined.
    Members,
    /// The value itself, but not its members.
    Outside,
    /// The value itself, which may be undefined.
    Nothing,
}

impl Needs {
    /// Everything is computed and defined, which is the default of plugins.
    pub const WHOLE: Needs =
        Needs { computed: Computed::Whole, takes_vaults: false, takes_member_maps: false };
}

impl Function {
    /// Creates a function that needs everything computed and defined.
    pub const fn new(name: &'static str, call: fn(&mut Call) -> Result<Value, Error>) -> Function {
        Function { name, call, needs: Needs::WHOLE }
    }

    /// Creates a function with another requirement for computed values.
    pub const fn needing(mut self, computed: Computed) -> Function {
        self.needs.computed = computed;
        self
    }

    /// Creates a function that accepts a vault that cannot be decrypted.
    pub const fn taking_vaults(mut self) -> Function {
        self.needs.takes_vaults = true;
        self
    }

    /// Creates a function that accepts a map that is read member by member.
    pub const fn taking_member_maps(mut self) -> Function {
        self.needs.takes_member_maps = true;
        self
    }
}

impl Call<'_> {
    /// Returns the argument at a position or with a name, if given.
    pub fn arg(&self, position: usize, name: &str) -> Option<&Value> {
        self.args.get(position).or_else(|| self.kwargs.get(name))
    }
}
