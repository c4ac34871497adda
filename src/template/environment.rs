//! Renders templates and resolves written values in a scope.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Context, Error, Value};

use super::Scope;
use crate::document::Node;
use crate::jinja::{Expression, Template};
use crate::vault::Keyring;

/// What all templates of a run share.
pub struct Environment {
    /// The registry of lookups and filters that crates brought, the redactor, the environment of processes.
    pub context: Context,
    pub keyring: Arc<Keyring>,
    /// `error_on_undefined_vars`, `jinja2_native` and the like, as far as they still exist in 2.19.
    pub options: Options,
}

#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The project's, role's and playbook's folders in which lookups find files come from the scope
    /// (`ansible_search_path`); this is where a search ends.
    pub base_dir: PathBuf,
    /// `allow_broken_conditionals`.
    pub allow_broken_conditionals: bool,
}

/// An environment and a scope: everything a render needs. Cheap to clone.
#[derive(Clone)]
pub struct Renderer {
    pub environment: Arc<Environment>,
    pub scope: Arc<dyn Scope>,
}

impl Renderer {
    /// Renders a template to its native value: `"{{ x }}"` keeps x's type, anything more is text. The result may
    /// hold values still to be computed; [`Renderer::finalize`] ends that.
    pub fn render(&self, _template: &Template) -> Result<Value, Error> {
        Err(Error::new("not built yet"))
    }

    /// Evaluates a bare expression.
    pub fn evaluate(&self, _expression: &Expression) -> Result<Value, Error> {
        Err(Error::new("not built yet"))
    }

    /// Evaluates a condition: it must come out as a boolean, unless broken conditionals are allowed.
    pub fn condition(&self, _expression: &Expression) -> Result<bool, Error> {
        Err(Error::new("not built yet"))
    }

    /// A written value in this scope. Scalars and templates are rendered now; the members of lists and maps when
    /// they are asked for.
    pub fn resolve(&self, _node: &Node) -> Result<Value, Error> {
        Err(Error::new("not built yet"))
    }

    /// A written value, rendered to the last leaf.
    pub fn value(&self, node: &Node) -> Result<Value, Error> {
        Self::finalize(self.resolve(node)?)
    }

    /// Computes everything still to be computed inside a value, drops omitted members, and fails on what is
    /// undefined. What modules are given has been through here.
    pub fn finalize(value: Value) -> Result<Value, Error> {
        Ok(value)
    }
}
