//! The source of a template's names.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use crate::document::Node;

/// The variables that a template can use. They are resolved, and their templates rendered, only when they are used.
pub trait Scope: Send + Sync {
    /// Returns the value of a name, or `None` if there is no such variable. Members of a list or map may be values
    /// that are computed later ([`playbook_api::Object::force`]).
    fn get(&self, name: &str) -> Option<Result<Value, Error>>;

    /// Returns the written value of a variable, if it comes from a document.
    fn node(&self, _name: &str) -> Option<Node> {
        None
    }

    /// Records the use of deprecated syntax.
    fn deprecate(&self, _: Deprecation) {}

    /// Records a warning.
    fn warn(&self, _: Error) {}

    /// Returns the name of the action of the task that is rendered, if there is one.
    fn action(&self) -> Option<&str> {
        None
    }

    /// Returns the scope with more variables that take precedence, also in the templates of its own variables. Returns
    /// `None` if the scope does not support that.
    fn with(&self, _variables: &Map) -> Option<Arc<dyn Scope>> {
        None
    }

    /// Returns all names, for `varnames`, `vars` and suggestions.
    fn names(&self) -> Vec<String>;

    /// Returns all unrendered variables of this scope's host or another one, for plugins in other languages. Text that
    /// is a template is marked as trusted.
    fn all_written(&self, host: Option<&str>) -> Option<Map> {
        if host.is_some() {
            return None;
        }
        let values = self.names().into_iter().filter_map(|name| {
            let value = super::Renderer::finalize(self.get(&name)?.ok()?).ok()?;
            Some((Value::from(name), value))
        });
        Some(values.collect())
    }
}

/// A deprecated way of writing something.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// The deprecated feature, and its place.
    pub what: Error,
    /// The version of ansible-core that removes it.
    pub version: &'static str,
    /// The kind and the name of the plugin that it belongs to, such as `lookup` and `first_found`.
    pub plugin: Option<(&'static str, &'static str)>,
}

impl Deprecation {
    /// Creates a deprecation of the language.
    pub fn new(what: Error, version: &'static str) -> Self {
        Deprecation { what, version, plugin: None }
    }

    /// Makes it one of a plugin.
    pub fn of(self, kind: &'static str, name: &'static str) -> Self {
        Deprecation { plugin: Some((kind, name)), ..self }
    }
}

/// No variables at all.
#[derive(Debug)]
pub struct Empty;

impl Scope for Empty {
    fn get(&self, _: &str) -> Option<Result<Value, Error>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Only these variables, for tests, and for templates without others.
impl Scope for Map {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        Map::get(self, name).map(|value| Ok(value.clone()))
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|key| key.to_text().into_owned()).collect()
    }
}

/// Variables that take precedence over those of another scope.
pub struct Overlay {
    /// The variables that take precedence.
    pub variables: Map,
    /// The other scope.
    pub scope: Arc<dyn Scope>,
}

impl Scope for Overlay {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        match self.variables.get(name) {
            Some(value) => Some(Ok(value.clone())),
            None => self.scope.get(name),
        }
    }

    fn node(&self, name: &str) -> Option<Node> {
        if self.variables.get(name).is_some() { None } else { self.scope.node(name) }
    }

    fn deprecate(&self, deprecation: Deprecation) {
        self.scope.deprecate(deprecation);
    }

    fn warn(&self, warning: Error) {
        self.scope.warn(warning);
    }

    fn action(&self) -> Option<&str> {
        self.scope.action()
    }

    fn all_written(&self, host: Option<&str>) -> Option<Map> {
        let mut all = self.scope.all_written(host)?;
        if host.is_none() {
            let own = self.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
            all.extend(own.filter_map(|(name, value)| Some((name, super::Renderer::finalize(value).ok()?))));
        }
        Some(all)
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.scope.names();
        for name in Scope::names(&self.variables) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}
