//! The filters, tests and lookups that a template names.

use std::sync::Arc;

use super::Program;
use super::program::{Arguments, Body, Expr, MacroCode, Plugin, Position, Statement, Target};

/// What sort of plugin is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginKind {
    /// A filter.
    Filter,
    /// A test.
    Test,
    /// A lookup.
    Lookup,
}

/// A filter, test or lookup that a template names, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Its kind.
    pub kind: PluginKind,
    /// Its name, as it is written.
    pub name: Arc<str>,
    /// Where the name is in the text.
    pub position: Position,
    /// What a lookup looks for, if that is one text without further options.
    pub term: Option<Arc<str>>,
}

impl Program {
    /// Returns every filter, test and lookup that is named literally, in the order of the text.
    pub fn plugins(&self) -> Vec<Named> {
        let mut found = Found::default();
        match &self.body {
            Body::Template(statements) => found.statements(statements),
            Body::Expression(expression) => found.expression(expression),
        }
        found.0
    }
}

#[derive(Default)]
struct Found(Vec<Named>);

impl Found {
    fn statements(&mut self, statements: &[Statement]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Text(_) | Statement::Break | Statement::Continue => {}
            Statement::Emit(expression) | Statement::Do(expression) | Statement::Extends(expression, _) => {
                self.expression(expression)
            }
            Statement::For(code) => {
                self.expression(&code.iterable);
                self.all(&code.condition);
                self.statements(&code.body);
                self.statements(&code.otherwise);
            }
            Statement::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.expression(condition);
                    self.statements(body);
                }
                self.statements(otherwise);
            }
            Statement::With { assignments, body } => {
                assignments.iter().for_each(|(_, value): &(Target, Expr)| self.expression(value));
                self.statements(body);
            }
            Statement::Set { value, .. } => self.expression(value),
            Statement::SetBlock { filter, body, .. } => {
                self.all(filter);
                self.statements(body);
            }
            Statement::Filter { filter, body } => {
                self.expression(filter);
                self.statements(body);
            }
            Statement::Scope(body) => self.statements(body),
            Statement::Block(block, _) => self.statements(&block.body),
            Statement::Macro(code) => self.code(code),
            Statement::Call { call, code } => {
                self.expression(call);
                self.code(code);
            }
            Statement::Import { template, .. }
            | Statement::FromImport { template, .. }
            | Statement::Include { template, .. } => self.expression(template),
        }
    }

    fn code(&mut self, code: &MacroCode) {
        code.parameters.iter().for_each(|(_, default)| self.all(default));
        self.statements(&code.body);
    }

    fn all<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &Expr) {
        super::with_stack(|| self.visit(expression));
    }

    fn visit(&mut self, expression: &Expr) {
        match expression {
            Expr::Const(_) | Expr::Embedded(..) | Expr::Captured | Expr::Name(..) => {}
            Expr::List(items) | Expr::Tuple(items) | Expr::Concat(items) => self.all(items),
            Expr::Dict(entries) => entries.iter().for_each(|(key, value)| self.all([key, value])),
            Expr::Attribute(of, ..) | Expr::Not(of) | Expr::Negative(of, _) | Expr::Positive(of, _) => {
                self.expression(of)
            }
            Expr::Item(of, key, _) => self.all([&**of, &**key]),
            Expr::Slice(slice, _) => {
                self.expression(&slice.0);
                self.all(slice.1.iter().flatten());
            }
            Expr::Call(function, arguments, position) => {
                self.call(function, arguments, *position);
                self.expression(function);
                self.arguments(arguments);
            }
            Expr::Filter(input, plugin) => {
                self.expression(input);
                self.plugin(PluginKind::Filter, plugin);
            }
            Expr::Test(input, plugin) => {
                self.expression(input);
                self.plugin(PluginKind::Test, plugin);
            }
            Expr::Binary(_, sides, _) => self.all([&sides.0, &sides.1]),
            Expr::And(sides) | Expr::Or(sides) => self.all([&sides.0, &sides.1]),
            Expr::Compare(first, others, _) => {
                self.expression(first);
                self.all(others.iter().map(|(_, other)| other));
            }
            Expr::If(parts, _) => {
                self.all([&parts.0, &parts.1]);
                self.all(&parts.2);
            }
        }
    }

    /// `lookup('name', …)`, `query('name', …)`.
    fn call(&mut self, function: &Expr, arguments: &Arguments, position: Position) {
        let Expr::Name(function, _) = function else { return };
        if !matches!(&**function, "lookup" | "query" | "q") {
            return;
        }
        if let Some(Expr::Const(name)) = arguments.positional.first()
            && let Some(name) = name.as_str()
        {
            let term = match arguments.positional.as_slice() {
                [_, Expr::Const(term)] if arguments.named.is_empty() => term.as_str().map(Into::into),
                _ => None,
            };
            self.0.push(Named { kind: PluginKind::Lookup, name: name.into(), position, term });
        }
    }

    fn plugin(&mut self, kind: PluginKind, plugin: &Plugin) {
        let position = plugin.position;
        self.0.push(Named { kind, name: plugin.name.clone(), position, term: None });
        // These call another plugin, by its name.
        let (called, at) = match &*plugin.name {
            "map" => (PluginKind::Filter, 0),
            "select" | "reject" => (PluginKind::Test, 0),
            "selectattr" | "rejectattr" => (PluginKind::Test, 1),
            _ => return self.arguments(&plugin.arguments),
        };
        if let Some(Expr::Const(name)) =
            plugin.arguments.positional.get(at).filter(|_| kind == PluginKind::Filter)
            && let Some(name) = name.as_str()
        {
            self.0.push(Named { kind: called, name: name.into(), position, term: None });
        }
        self.arguments(&plugin.arguments);
    }

    fn arguments(&mut self, arguments: &Arguments) {
        self.all(arguments.expressions());
    }
}

#[cfg(test)]
mod tests {
    use playbook_api::Place;

    use crate::jinja::Template;

    #[test]
    fn finds_them_wherever_they_stand() {
        let text = "{% for x in lookup('env', a | one) if x is two %}{{ [x | three(b | four)] }}{% endfor %}\
                    {% macro m(a=b | five) %}{{ q(name) }}{% endmacro %}{% set c | six %}{% endset %}";
        let template = Template::new(text, Place::new("t", 1, 1));
        let names: Vec<String> =
            template.program().unwrap().plugins().iter().map(|n| n.name.to_string()).collect();
        assert_eq!(names, ["env", "one", "two", "three", "four", "five", "six"]);
    }
}
