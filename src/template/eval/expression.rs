//! Evaluates expressions.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::super::lazy::{force, reach};
use super::super::python::{access, operators};
use super::super::undefined::Near;
use super::super::{globals, secret, undefined};
use super::{Evaluator, output};
use crate::jinja::Template;
use crate::jinja::program::{Comparison, Expr, Position};

impl<'p> Evaluator<'p> {
    pub(super) fn eval(&mut self, expr: &'p Expr) -> Result<Value, Error> {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Name(name, position) => self.name(name, *position),
            compound => crate::jinja::with_stack(|| self.compound(compound)),
        }
    }

    fn compound(&mut self, expr: &'p Expr) -> Result<Value, Error> {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Embedded(_, template) if self.embedded => {
                self.warn_of_embedded(template);
                undefined::caught(super::render(&self.unit.renderer, template))
            }
            Expr::Embedded(text, _) => Ok(text.clone()),
            Expr::Captured => Ok(self.captured.clone().unwrap_or_default()),
            Expr::Name(name, position) => self.name(name, *position),
            Expr::List(items) => Ok(Value::List(self.eval_all(items)?.into())),
            Expr::Tuple(items) => Ok(Value::Tuple(self.eval_all(items)?.into())),
            Expr::Dict(pairs) => self.dict(pairs),
            Expr::Attribute(base, name, position) => {
                let base = self.eval(base)?;
                let found = access::attribute(&base, name);
                self.located(found, *position, || member_near(&base, &name.clone().into()))
            }
            Expr::Item(base, key, position) => {
                let base = self.eval(base)?;
                let key = self.eval(key)?;
                self.located(access::item(&base, &key), *position, || member_near(&base, &key))
            }
            Expr::Slice(parts, position) => {
                let (base, bounds) = &**parts;
                let base = self.eval(base)?;
                let mut values = [Value::Null, Value::Null, Value::Null];
                for (value, bound) in values.iter_mut().zip(bounds) {
                    if let Some(bound) = bound {
                        *value = self.eval(bound)?;
                    }
                }
                let result = access::slice(&base, &values[0], &values[1], &values[2])
                    .map_err(|e| self.fault(e, *position))?;
                Ok(secret::taint(result, &[&base]))
            }
            Expr::Call(callee, arguments, position) => self.call(callee, arguments, *position),
            Expr::Filter(input, plugin) => self.filter(input, plugin),
            Expr::Test(input, plugin) => self.test(input, plugin),
            Expr::Not(inner) => {
                let value = self.eval(inner)?;
                match force(&value)? {
                    unknown @ Value::Unknown(_) => Ok(unknown),
                    value => Ok(Value::Bool(!self.truth(&value)?)),
                }
            }
            Expr::Negative(inner, position) => {
                let value = self.eval(inner)?;
                operators::sign(&value, true).map_err(|e| self.fault(e, *position))
            }
            Expr::Positive(inner, position) => {
                let value = self.eval(inner)?;
                operators::sign(&value, false).map_err(|e| self.fault(e, *position))
            }
            Expr::Binary(operator, operands, position) => {
                let left = self.eval(&operands.0)?;
                let right = self.eval(&operands.1)?;
                let result =
                    operators::binary(*operator, &left, &right).map_err(|e| self.fault(e, *position))?;
                Ok(secret::taint(result, &[&left, &right]))
            }
            Expr::And(operands) => {
                let left = self.eval(&operands.0)?;
                if matches!(left, Value::Unknown(_)) || !self.truth(&left)? {
                    return Ok(left);
                }
                self.eval(&operands.1)
            }
            Expr::Or(operands) => {
                let left = self.eval(&operands.0)?;
                if matches!(left, Value::Unknown(_)) || self.truth(&left)? {
                    return Ok(left);
                }
                self.eval(&operands.1)
            }
            Expr::Concat(items) => self.concat(items),
            Expr::Compare(first, operands, position) => self.compare(first, operands, *position),
            Expr::If(parts, position) => {
                let (condition, then, otherwise) = &**parts;
                let condition = self.eval(condition)?;
                if matches!(condition, Value::Unknown(_)) {
                    return Ok(condition);
                }
                if self.truth(&condition)? {
                    return self.eval(then);
                }
                match otherwise {
                    Some(otherwise) => self.eval(otherwise),
                    None => Ok(undefined::blank(position.line)),
                }
            }
        }
    }

    /// Warns about a constant that is rendered because it contains a template.
    fn warn_of_embedded(&self, template: &Template) {
        let example = match self.condition {
            true => "`when: \"{{ a_var }}\" == 42` becomes `when: a_var == 42`",
            false => {
                "`msg: \"{{ lookup('env', '{{ a_var }}') }}\"` becomes `msg: \"{{ lookup('env', a_var) }}\"`"
            }
        };
        let warning = Error::new(
            "Jinja constant strings should not contain embedded templates. This feature will be disabled by \
             default in ansible-core 2.23.",
        );
        let warning =
            warning.at(template.place()).with_help(format!("Use inline expressions, for example: {example}"));
        self.unit.renderer.warn(warning);
    }

    /// Adds the place to an undefined value, or to an error.
    fn located(
        &self,
        value: Result<Value, Error>,
        position: Position,
        near: impl FnOnce() -> Near,
    ) -> Result<Value, Error> {
        match value {
            Ok(value) => Ok(undefined::located(value, || self.place(position), near)),
            Err(error) => Err(self.fault(error, position)),
        }
    }

    pub(super) fn eval_all(&mut self, items: &'p [Expr]) -> Result<Vec<Value>, Error> {
        items.iter().map(|item| self.eval(item)).collect()
    }

    /// Evaluates a name: one of the template, a variable, or a global.
    fn name(&mut self, name: &Arc<str>, position: Position) -> Result<Value, Error> {
        match self.resolve(name) {
            Some(value) => self.located(undefined::caught(value), position, || Near::Nowhere),
            None => {
                let global = globals::value(&self.unit.renderer, name);
                let value = global.unwrap_or_else(|| undefined::name(name));
                self.located(Ok(value), position, || self.near(name))
            }
        }
    }

    /// Returns where a variable of a similar name may be found.
    pub(super) fn near(&self, name: &Arc<str>) -> Near {
        Near::variable(name, self.frame.as_ref(), &self.unit.renderer.scope)
    }

    /// Looks up a name of the template, or a variable.
    pub(super) fn resolve(&self, name: &str) -> Option<Result<Value, Error>> {
        if let Some(value) = self.frame.as_ref().and_then(|frame| frame.get(name)) {
            return Some(Ok(value));
        }
        match self.unit.renderer.scope.get(name)? {
            Ok(value @ Value::Object(_)) => Some(reach(&value)),
            other => Some(other),
        }
    }

    fn dict(&mut self, pairs: &'p [(Expr, Expr)]) -> Result<Value, Error> {
        let mut map = Map::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = self.eval(key)?;
            undefined::check(&key)?;
            if let Some(name) = operators::unhashable(&key) {
                return self.raise(format!("unhashable type: '{name}'"), Position::default());
            }
            map.insert(key, self.eval(value)?);
        }
        Ok(Value::from(map))
    }

    /// Evaluates `a ~ b`: joins the texts of both, including that of `None`.
    fn concat(&mut self, items: &'p [Expr]) -> Result<Value, Error> {
        let values = self.eval_all(items)?;
        if let Some(unknown) = values.iter().find(|value| matches!(value, Value::Unknown(_))) {
            return Ok(unknown.clone());
        }
        let mut text = String::new();
        for value in &values {
            output::print_raw(&mut text, value)?;
        }
        let secret = secret::exist() && values.iter().any(Value::is_secret);
        Ok(if secret { Value::secret(text) } else { Value::from(text) })
    }

    fn compare(
        &mut self,
        first: &'p Expr,
        operands: &'p [(Comparison, Expr)],
        position: Position,
    ) -> Result<Value, Error> {
        let mut left = self.eval(first)?;
        let mut result = Value::Bool(true);
        for (comparison, operand) in operands {
            let right = self.eval(operand)?;
            result = operators::compare(*comparison, &left, &right).map_err(|e| self.fault(e, position))?;
            if result != Value::Bool(true) {
                return Ok(result);
            }
            left = right;
        }
        Ok(result)
    }
}

/// Returns where a member of a similar name may be found.
fn member_near(value: &Value, key: &Value) -> Near {
    reach(value).map_or(Near::Nowhere, |value| Near::member(&value, key))
}
