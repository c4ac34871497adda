//! Plugins in other languages, which are kept beside playbooks and in collections.

use crate::{Error, Map, Value};

/// The kind of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PluginKind {
    /// A filter.
    Filter,
    /// A test.
    Test,
    /// A lookup.
    Lookup,
    /// An inventory plugin.
    Inventory,
}

/// The variables that a plugin may read, as they were written: templates are marked as trusted and not rendered yet.
pub trait Variables {
    /// Returns all variables of the current host, or of another one.
    fn all(&self, host: Option<&str>) -> Option<Map>;
}

/// No variables.
impl Variables for () {
    fn all(&self, _: Option<&str>) -> Option<Map> {
        None
    }
}

/// Finds and calls plugins by short or full name.
pub trait Plugins: Send + Sync {
    /// Returns whether a plugin of this name takes precedence over a built-in one: a file beside the playbook or in a
    /// configured directory.
    fn overrides(&self, kind: PluginKind, name: &str) -> bool;

    /// Returns whether there is a plugin of this name.
    ///
    /// # Errors
    ///
    /// There is one, and it cannot be loaded.
    fn has(&self, kind: PluginKind, name: &str) -> Result<bool, Error>;

    /// Reads a source with an inventory plugin. `known` is the inventory so far. The result holds `hosts` with their
    /// variables and `groups` with their `hosts`, `children` and `vars`; it is `None` if there is no such plugin.
    fn inventory(&self, name: &str, source: &str, known: &Map) -> Result<Option<Map>, Error>;

    /// Calls a filter or a test.
    fn call(
        &self,
        kind: PluginKind,
        name: &str,
        input: &Value,
        args: &[Value],
        options: &Map,
    ) -> Result<Value, Error>;

    /// Returns whether a lookup accepts undefined values.
    fn takes_undefined(&self, name: &str) -> bool;

    /// Returns the value of a plugin's option and where it was set, or `None` if the plugin has no such option. `kind`
    /// is ansible-core's name of the plugin type.
    ///
    /// # Errors
    ///
    /// There is no such plugin.
    fn option(
        &self,
        kind: &str,
        plugin: &str,
        option: &str,
        variables: &dyn Variables,
    ) -> Result<Option<(Value, String)>, Error>;

    /// Runs a lookup.
    fn lookup(
        &self,
        name: &str,
        terms: &[Value],
        options: &Map,
        variables: &dyn Variables,
    ) -> Result<Vec<Value>, Error>;
}
