//! Finds where the value of an expression was written, for messages about the value.

use playbook_api::{Place, Value};

use super::Scope;
use crate::document::{Kind, Node};
use crate::jinja::Program;
use crate::jinja::program::{Body, Expr, Statement};

/// How many variables in a row may each be only another one's value.
const MAX_DEPTH: usize = 50;

/// Returns the place of the value of a program that only names a variable or a member of one, if it is written in a
/// document.
pub(super) fn of(program: &Program, scope: &dyn Scope) -> Option<Place> {
    node(single(program)?, scope, 0).map(|node| node.place().clone())
}

/// Returns the expression of a program that is nothing else.
fn single(program: &Program) -> Option<&Expr> {
    match &program.body {
        Body::Expression(expr) => Some(expr),
        Body::Template(statements) => match statements.as_slice() {
            [Statement::Emit(expr)] => Some(expr),
            _ => None,
        },
    }
}

fn node(expr: &Expr, scope: &dyn Scope, depth: usize) -> Option<Node> {
    let found = match expr {
        Expr::Name(name, _) => scope.node(name)?,
        Expr::Attribute(value, name, _) => node(value, scope, depth)?.get(name)?.clone(),
        Expr::Item(value, key, _) => match &**key {
            Expr::Const(Value::Str(name)) => node(value, scope, depth)?.get(name.as_str())?.clone(),
            Expr::Const(Value::Int(index)) => {
                node(value, scope, depth)?.as_list()?.get(usize::try_from(*index).ok()?)?.clone()
            }
            _ => return None,
        },
        _ => return None,
    };
    if depth < MAX_DEPTH
        && let Kind::Template(template) = found.kind()
        && let Some(inner) = template.program().ok().and_then(single)
        && let Some(node) = node(inner, scope, depth + 1)
    {
        return Some(node);
    }
    Some(found)
}
