//! Where a template's names come from.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

/// What a template sees when it asks for a name. Names are resolved, and their own templates rendered, only when
/// asked for.
pub trait Scope: Send + Sync {
    /// The value of a name; `None` where there is no such variable. Members of a list or map may be values that
    /// are computed later ([`playbook_api::Object::force`]).
    fn get(&self, name: &str) -> Option<Result<Value, Error>>;

    /// Takes note of something that was written in a way that will not do much longer.
    fn deprecate(&self, _: Deprecation) {}

    /// Takes note of a warning.
    fn warn(&self, _: Error) {}

    /// The name of the action of the task that is rendered, if there is one.
    fn action(&self) -> Option<&str> {
        None
    }

    /// The scope with more variables in front, for the templates of its own variables too. `None` where only what is
    /// asked by name can be put in front.
    fn with(&self, _variables: &Map) -> Option<Arc<dyn Scope>> {
        None
    }

    /// All names there are, for `varnames`, `vars` and "did you mean".
    fn names(&self) -> Vec<String>;

    /// All variables as they were written, of this scope's host or of another one: text that is a template is marked
    /// as trusted and not rendered. What plugins in other languages see.
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

/// A way of writing something that a later version will not take.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// What it is, and where.
    pub what: Error,
    /// The version of ansible-core that ends it.
    pub version: &'static str,
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

/// Variables alone: tests, and templates that see nothing else.
impl Scope for Map {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        Map::get(self, name).map(|value| Ok(value.clone()))
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|key| key.to_text().into_owned()).collect()
    }
}

/// Variables in front of another scope's.
pub struct Overlay {
    /// The variables in front.
    pub variables: Map,
    /// The scope behind them.
    pub scope: Arc<dyn Scope>,
}

impl Scope for Overlay {
    fn get(&self, name: &str) -> Option<Result<Value, Error>> {
        match self.variables.get(name) {
            Some(value) => Some(Ok(value.clone())),
            None => self.scope.get(name),
        }
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
