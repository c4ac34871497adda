//! Bare conditions.

use std::sync::Arc;

use playbook_api::{Place, Value};

use crate::document::{Kind, Node};
use crate::jinja::Expression;

/// A bare condition: `when`, `until`, `changed_when`, `failed_when`, `that`.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Text without delimiters: an expression.
    Expression(Arc<Expression>),
    /// A boolean, or a template where an expression was expected (Ansible warns and renders it).
    Node(Node),
}

impl Condition {
    /// Reads one condition or a list of them.
    pub fn list(node: &Node) -> Vec<Condition> {
        match node.as_list() {
            Some(items) => items.iter().filter(|item| !item.is_null()).map(Condition::of).collect(),
            None if node.is_null() => Vec::new(),
            None => vec![Condition::of(node)],
        }
    }

    fn of(node: &Node) -> Condition {
        match node.as_str() {
            Some(text) if !text.trim().is_empty() && !node.is_untrusted() => {
                Condition::Expression(Arc::new(Expression::new(text, node.place().clone())))
            }
            // Templates inside an expression's constants are rendered; a template around it all is one itself.
            _ if matches!(node.kind(), Kind::Template(t) if !is_whole(t.source())) => {
                let source = node.source().unwrap_or_default();
                Condition::Expression(Arc::new(Expression::new(source, node.place().clone())))
            }
            _ => Condition::Node(node.clone()),
        }
    }

    /// Returns where the condition is written.
    pub fn place(&self) -> &Place {
        match self {
            Condition::Expression(expression) => expression.place(),
            Condition::Node(node) => node.place(),
        }
    }

    /// Returns the condition as it was written.
    pub fn written(&self) -> Value {
        match self {
            Condition::Expression(expression) => expression.source().clone().into(),
            Condition::Node(node) => node.raw(),
        }
    }
}

/// Whether a text starts and ends with delimiters of templates.
fn is_whole(source: &str) -> bool {
    let source = source.trim();
    ["{{", "{%", "{#"].iter().any(|start| source.starts_with(start))
        && ["}}", "%}", "#}"].iter().any(|end| source.ends_with(end))
}
