//! The variables that a template uses: those that it does not bind itself.

use std::collections::HashSet;
use std::sync::Arc;

use crate::jinja::program::{Arguments, Body, Expr, MacroCode, Statement, Target};
use crate::jinja::{Position, Program, with_stack};

/// The names that a template uses.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each use that is always evaluated, with its position.
    pub used: Vec<(Arc<str>, Position)>,
    /// Names that may be undefined: they are tested, or have a default.
    pub optional: HashSet<Arc<str>>,
}

impl Names {
    /// Returns the names that a program uses.
    pub(super) fn of(program: &Program) -> Names {
        let mut reader = Reader { names: Names::default(), bound: Vec::new(), depth: 0 };
        match &program.body {
            Body::Template(statements) => reader.statements(statements),
            Body::Expression(expression) => reader.expression(expression),
        }
        reader.names
    }
}

struct Reader {
    names: Names,
    /// The names that the template binds, innermost last.
    bound: Vec<Arc<str>>,
    /// The number of conditions around: what is in one may not be evaluated.
    depth: usize,
}

impl Reader {
    fn statements(&mut self, statements: &[Statement]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    /// Reads statements whose bindings end with them.
    fn scope(&mut self, statements: &[Statement]) {
        let outer = self.bound.len();
        self.statements(statements);
        self.bound.truncate(outer);
    }

    fn conditional(&mut self, read: impl FnOnce(&mut Self)) {
        self.depth += 1;
        read(self);
        self.depth -= 1;
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Text(_) | Statement::Break | Statement::Continue => {}
            Statement::Emit(expression) | Statement::Do(expression) | Statement::Extends(expression, _) => {
                self.expression(expression);
            }
            Statement::For(code) => {
                self.expression(&code.iterable);
                let outer = self.bound.len();
                self.target(&code.target);
                self.bound.push("loop".into());
                self.conditional(|reader| {
                    reader.all(&code.condition);
                    reader.statements(&code.body);
                });
                self.bound.truncate(outer);
                self.conditional(|reader| reader.scope(&code.otherwise));
            }
            Statement::If { branches, otherwise } => {
                for (index, (condition, body)) in branches.iter().enumerate() {
                    match index {
                        0 => self.expression(condition),
                        _ => self.conditional(|reader| reader.expression(condition)),
                    }
                    // What a branch sets stays set behind it.
                    self.conditional(|reader| reader.statements(body));
                }
                self.conditional(|reader| reader.statements(otherwise));
            }
            Statement::With { assignments, body } => {
                let outer = self.bound.len();
                for (target, value) in assignments {
                    self.expression(value);
                    self.target(target);
                }
                self.statements(body);
                self.bound.truncate(outer);
            }
            Statement::Set { target, value } => {
                self.expression(value);
                self.target(target);
            }
            Statement::SetBlock { target, filter, body } => {
                self.all(filter);
                self.scope(body);
                self.target(target);
            }
            Statement::Filter { filter, body } => {
                self.expression(filter);
                self.scope(body);
            }
            Statement::Scope(body) => self.scope(body),
            Statement::Block(block, _) => self.scope(&block.body),
            Statement::Macro(code) => {
                self.bound.push(code.name.clone());
                self.code(code);
            }
            Statement::Call { call, code } => {
                self.expression(call);
                self.code(code);
            }
            Statement::Import { template, name, .. } => {
                self.expression(template);
                self.bound.push(name.clone());
            }
            Statement::FromImport { template, names, .. } => {
                self.expression(template);
                self.bound.extend(names.iter().map(|(_, name)| name.clone()));
            }
            Statement::Include { template, .. } => self.expression(template),
        }
    }

    /// Reads a macro or a call block, which may never be called.
    fn code(&mut self, code: &MacroCode) {
        let outer = self.bound.len();
        self.conditional(|reader| {
            for (name, default) in &code.parameters {
                reader.all(default);
                reader.bound.push(name.clone());
            }
            reader.bound.extend(["varargs", "kwargs", "caller"].map(Arc::from));
            reader.statements(&code.body);
        });
        self.bound.truncate(outer);
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Name(name) => self.bound.push(name.clone()),
            Target::Attribute(..) => {}
            Target::Tuple(targets, _) => targets.iter().for_each(|target| self.target(target)),
        }
    }

    fn all<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &Expr) {
        with_stack(|| self.visit(expression));
    }

    fn visit(&mut self, expression: &Expr) {
        match expression {
            Expr::Const(_) | Expr::Embedded(..) | Expr::Captured => {}
            Expr::Name(name, position) => self.name(name, *position),
            Expr::List(items) | Expr::Tuple(items) | Expr::Concat(items) => self.all(items),
            Expr::Dict(entries) => entries.iter().for_each(|(key, value)| self.all([key, value])),
            Expr::Attribute(of, ..) | Expr::Not(of) | Expr::Negative(of, _) | Expr::Positive(of, _) => {
                self.expression(of);
            }
            Expr::Item(of, key, _) => self.all([&**of, &**key]),
            Expr::Slice(slice, _) => {
                self.expression(&slice.0);
                self.all(slice.1.iter().flatten());
            }
            Expr::Call(function, arguments, _) => {
                self.expression(function);
                self.arguments(arguments);
            }
            Expr::Filter(input, plugin) => {
                if matches!(&*plugin.name, "default" | "d" | "ternary") {
                    self.optional(input);
                }
                self.expression(input);
                self.arguments(&plugin.arguments);
            }
            Expr::Test(input, plugin) => {
                if matches!(&*plugin.name, "defined" | "undefined" | "none") {
                    self.optional(input);
                }
                self.expression(input);
                self.arguments(&plugin.arguments);
            }
            Expr::Binary(_, sides, _) => self.all([&sides.0, &sides.1]),
            Expr::And(sides) | Expr::Or(sides) => {
                self.expression(&sides.0);
                self.conditional(|reader| reader.expression(&sides.1));
            }
            Expr::Compare(first, others, _) => {
                self.expression(first);
                self.all(others.iter().map(|(_, other)| other));
            }
            Expr::If(parts, _) => {
                self.expression(&parts.0);
                self.conditional(|reader| {
                    reader.expression(&parts.1);
                    reader.all(&parts.2);
                });
            }
        }
    }

    fn name(&mut self, name: &Arc<str>, position: Position) {
        if self.depth == 0 && !self.bound.contains(name) {
            self.names.used.push((name.clone(), position));
        }
    }

    /// Notes that the variable of a value such as `a.b[0]` may be undefined.
    fn optional(&mut self, of: &Expr) {
        match of {
            Expr::Name(name, _) => {
                self.names.optional.insert(name.clone());
            }
            Expr::Attribute(of, ..) | Expr::Item(of, ..) | Expr::Filter(of, _) => self.optional(of),
            _ => {}
        }
    }

    fn arguments(&mut self, arguments: &Arguments) {
        self.all(arguments.expressions());
    }
}

#[cfg(test)]
mod tests {
    use playbook_api::Place;

    use super::*;
    use crate::jinja::Template;

    fn used(text: &str) -> Vec<String> {
        let template = Template::new(text, Place::new("t", 1, 1));
        let names = Names::of(template.program().unwrap());
        let optional = |name: &Arc<str>| names.optional.contains(name);
        names.used.iter().filter(|(name, _)| !optional(name)).map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn only_what_is_evaluated_and_not_bound_is_used() {
        let none: [&str; 0] = [];
        assert_eq!(used("{{ a.b[c] }} {{ f(d, e=g) }}"), ["a", "c", "f", "d", "g"]);
        assert_eq!(used("{% for x in xs %}{{ x }}{{ loop.index }}{{ y }}{% endfor %}"), ["xs"]);
        assert_eq!(used("{% set a = b %}{{ a }}"), ["b"]);
        assert_eq!(used("{{ a | default(b) }}"), ["b"]);
        assert_eq!(used("{{ a.b is defined and c }}"), none);
        assert_eq!(used("{{ a if b else c }}"), ["b"]);
        assert_eq!(used("{% if a %}{% set b = 1 %}{% endif %}{{ b }}"), ["a"]);
        assert_eq!(used("{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}"), ["c"]);
        assert_eq!(used("{% import 'x' as i %}{{ i.f(a) }}"), ["a"]);
    }
}
