//! Keywords, and how they are inherited.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Role;
use crate::document::{Kind, Node};
use crate::inventory::Vars;
use crate::jinja::Expression;

/// A bare condition: `when`, `until`, `changed_when`, `failed_when`, `that`.
#[derive(Clone, Debug)]
pub enum Condition {
    Expression(Arc<Expression>),
    /// A boolean, or a template where an expression was expected (Ansible warns and renders it).
    Node(Node),
}

impl Condition {
    /// A written condition, or list of them.
    pub fn list(node: &Node) -> Vec<Condition> {
        conditions(node)
    }
}

/// Whether a text starts and ends with delimiters of templates.
fn is_whole(source: &str) -> bool {
    let source = source.trim();
    ["{{", "{%", "{#"].iter().any(|start| source.starts_with(start))
        && ["}}", "%}", "#}"].iter().any(|end| source.ends_with(end))
}

/// One condition or a list of them. Text without delimiters is an expression.
fn conditions(node: &Node) -> Vec<Condition> {
    let one = |node: &Node| match node.as_str() {
        Some(text) if !text.trim().is_empty() && !node.is_untrusted() => {
            Condition::Expression(Arc::new(Expression::new(text, node.place().clone())))
        }
        // Templates inside an expression's constants are rendered; a template around it all is one itself.
        _ if matches!(node.kind(), Kind::Template(t) if !is_whole(t.source())) => {
            let source = node.source().unwrap_or_default();
            Condition::Expression(Arc::new(Expression::new(source, node.place().clone())))
        }
        _ => Condition::Node(node.clone()),
    };
    match node.as_list() {
        Some(items) => items.iter().filter(|item| !item.is_null()).map(one).collect(),
        None if node.is_null() => Vec::new(),
        None => vec![one(node)],
    }
}

/// The keywords that plays, roles, blocks and tasks have in common, as they were written.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    pub name: Option<Node>,
    /// Each by its name, to be rendered when a task runs: become, become_user, become_method, become_flags,
    /// become_exe, connection, port, remote_user, environment, module_defaults, no_log, ignore_errors,
    /// ignore_unreachable, check_mode, diff, any_errors_fatal, throttle, timeout, run_once, debugger, delegate_to,
    /// delegate_facts, notify, collections.
    pub values: IndexMap<&'static str, Node>,
    pub when: Vec<Condition>,
    pub tags: Vec<Node>,
    pub vars: Arc<Vars>,
}

/// What encloses a task: its block, the include or import that brought it, its role, its play; innermost first.
#[derive(Debug)]
pub struct Frame {
    pub kind: FrameKind,
    pub keywords: Keywords,
    pub parent: Option<Arc<Frame>>,
}

#[derive(Debug)]
pub enum FrameKind {
    Play,
    Block,
    Role(Arc<Role>),
    /// `import_*` (`dynamic` false) or `include_*` (true); its `vars` and arguments are in the keywords, and
    /// `apply` is merged into them.
    Include {
        dynamic: bool,
        folder: PathBuf,
    },
}

impl Frame {
    pub(super) fn new(kind: FrameKind, keywords: Keywords, parent: Option<&Arc<Frame>>) -> Arc<Frame> {
        Arc::new(Frame { kind, keywords, parent: parent.cloned() })
    }

    /// This frame and those around it.
    pub fn chain(self: &Arc<Frame>) -> impl Iterator<Item = &Arc<Frame>> {
        std::iter::successors(Some(self), |frame| frame.parent.as_ref())
    }

    /// The role a task belongs to.
    pub fn role(self: &Arc<Frame>) -> Option<&Arc<Role>> {
        self.chain().find_map(|frame| match &frame.kind {
            FrameKind::Role(role) => Some(role),
            _ => None,
        })
    }
}
