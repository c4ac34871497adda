//! Plugins that no crate brings: those that people keep beside their playbooks, in another language.

use crate::{Error, Map, Value};

/// What kind of plugin is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PluginKind {
    Filter,
    Test,
    Lookup,
    Inventory,
}

/// The variables that a plugin may look at, as they were written: text that is a template is marked as trusted and
/// not rendered yet.
pub trait Variables {
    /// All of the host in question, or of another one.
    fn all(&self, host: Option<&str>) -> Option<Map>;
}

/// No variables.
impl Variables for () {
    fn all(&self, _: Option<&str>) -> Option<Map> {
        None
    }
}

/// Finds and calls such plugins, by short or full name.
pub trait Plugins: Send + Sync {
    /// Whether there is one that has the name and comes before a built-in one: a file beside the playbook or in a
    /// configured folder.
    fn overrides(&self, kind: PluginKind, name: &str) -> bool;

    /// Whether there is one of the name at all. An error says that there is, and why it cannot be loaded.
    fn has(&self, kind: PluginKind, name: &str) -> Result<bool, Error>;

    /// Has an inventory plugin read a source, on top of the inventory so far: `hosts` with their variables, and
    /// `groups` with their `hosts`, `children` and `vars`. None where there is no such plugin.
    fn inventory(&self, name: &str, source: &str, known: &Map) -> Result<Option<Map>, Error>;

    /// Calls a filter, or a test.
    fn call(
        &self,
        kind: PluginKind,
        name: &str,
        input: &Value,
        args: &[Value],
        options: &Map,
    ) -> Result<Value, Error>;

    /// Whether a lookup takes undefined values as they are.
    fn takes_undefined(&self, name: &str) -> bool;

    /// What an option of a plugin is set to, and by what; `kind` as ansible-core has it. None where the plugin has no
    /// such option, an error where there is no such plugin.
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
