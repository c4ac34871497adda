//! Evaluates statements.

use playbook_api::{Error, List, Value};

use super::super::python::operators;
use super::super::{budget, undefined};
use super::macros::{Loop, Macro};
use super::output::{concat, emit};
use super::{Evaluator, Flow, Frame};
use crate::jinja::Program;
use crate::jinja::program::{For, Statement};

impl<'p> Evaluator<'p> {
    /// Renders a whole template, and the parent that it extends.
    pub(super) fn template(
        &mut self,
        program: &'p Program,
        statements: &'p [Statement],
        out: &mut Vec<Value>,
    ) -> Result<(), Error> {
        self.frame();
        self.define_blocks(program);
        let start = out.len();
        self.exec(statements, out)?;
        if let Some(parent) = self.parent.take() {
            out.truncate(start);
            self.extend(&parent, out)?;
        }
        Ok(())
    }

    pub(super) fn exec(&mut self, statements: &'p [Statement], out: &mut Vec<Value>) -> Result<Flow, Error> {
        for statement in statements {
            match crate::jinja::with_stack(|| self.statement(statement, out))? {
                Flow::On => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::On)
    }

    fn statement(&mut self, statement: &'p Statement, out: &mut Vec<Value>) -> Result<Flow, Error> {
        match statement {
            Statement::Text(text) => out.push(text.clone()),
            Statement::Emit(expr) => emit(out, self.eval(expr)?),
            Statement::If { branches, otherwise } => {
                for (condition, body) in branches {
                    let condition = self.eval(condition)?;
                    if self.truth(&condition)? {
                        return self.exec(body, out);
                    }
                }
                return self.exec(otherwise, out);
            }
            Statement::For(code) => {
                let iterable = self.eval(&code.iterable)?;
                self.run_loop(code, iterable, 0, out)?;
            }
            Statement::Set { target, value } => {
                let value = self.eval(value)?;
                self.assign(target, value)?;
            }
            Statement::SetBlock { target, filter, body } => {
                let value = self.capture(body)?;
                let value = match filter {
                    Some(filter) => self.filter_captured(filter, value)?,
                    None => value,
                };
                self.assign(target, value)?;
            }
            Statement::Filter { filter, body } => {
                let value = self.capture(body)?;
                let value = self.filter_captured(filter, value)?;
                emit(out, value);
            }
            Statement::With { assignments, body } => {
                let mut values = Vec::with_capacity(assignments.len());
                for (_, value) in assignments {
                    values.push(self.eval(value)?);
                }
                return self.scoped(|this| {
                    for ((target, _), value) in assignments.iter().zip(values) {
                        this.assign(target, value)?;
                    }
                    this.exec(body, out)
                });
            }
            Statement::Scope(body) => return self.scoped(|this| this.exec(body, out)),
            Statement::Block(block, position) => self.place_block(block, *position, out)?,
            Statement::Macro(code) => {
                let frame = self.frame().clone();
                frame.set(&code.name, Macro::value(code.clone(), frame.clone(), self.unit.clone()));
            }
            Statement::Call { call, code } => {
                let frame = self.frame().clone();
                let caller = Macro::value(code.clone(), frame, self.unit.clone());
                let value = self.call_with_caller(call, caller)?;
                emit(out, value);
            }
            Statement::Import { template, name, context, position } => {
                let module = self.import(template, *context, *position)?;
                self.frame().set(name, module);
            }
            Statement::FromImport { template, names, context, position } => {
                let module = self.import(template, *context, *position)?;
                for (name, alias) in names {
                    let value = self.imported(&module, name, template);
                    self.frame().set(alias, value);
                }
            }
            Statement::Include { template, ignore_missing, context, position } => {
                self.include(template, *ignore_missing, *context, *position, out)?;
            }
            Statement::Extends(template, position) => {
                if self.parent.is_some() {
                    return self.raise("extended multiple times", *position);
                }
                self.parent = Some(self.load(template, *position)?);
            }
            Statement::Do(expr) => {
                self.eval(expr)?;
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    /// Returns the value of a body that is not printed.
    fn capture(&mut self, body: &'p [Statement]) -> Result<Value, Error> {
        self.scoped(|this| {
            let mut out = Vec::new();
            this.exec(body, &mut out)?;
            concat(out)
        })
    }

    fn filter_captured(
        &mut self,
        filter: &'p crate::jinja::program::Expr,
        value: Value,
    ) -> Result<Value, Error> {
        let outer = self.captured.replace(value);
        let result = self.eval(filter);
        self.captured = outer;
        result
    }

    /// Runs a loop over a value; `depth` counts the levels of a recursive one.
    pub(super) fn run_loop(
        &mut self,
        code: &'p For,
        iterable: Value,
        depth: usize,
        out: &mut Vec<Value>,
    ) -> Result<(), Error> {
        if depth > super::MAX_DEPTH {
            return self.raise("maximum recursion depth exceeded", code.position);
        }
        let items = match &iterable {
            blank if undefined::is_blank(blank) => List::default(),
            Value::Unknown(_) => {
                self.unknown.get_or_insert(iterable);
                return Ok(());
            }
            iterable => operators::iterate(iterable).map_err(|e| self.fault(e, code.position))?,
        };
        let items = match &code.condition {
            Some(condition) => {
                let mut kept = Vec::new();
                for item in items.iter() {
                    budget::spend(1)?;
                    let keep = self.scoped(|this| {
                        this.assign_item(code, item)?;
                        let condition = this.eval(condition)?;
                        this.truth(&condition)
                    })?;
                    if keep {
                        kept.push(item.clone());
                    }
                }
                kept.into()
            }
            None => items,
        };
        if items.is_empty() {
            return self.scoped(|this| this.exec(&code.otherwise, out).map(|_| ()));
        }
        let (state, value) = Loop::value(items.clone(), depth, code.recursive);
        let outer = self.frame.clone();
        self.loops.push(code);
        let result = (|| {
            for (i, item) in items.iter().enumerate() {
                budget::spend(1)?;
                Loop::at(&state, i);
                let frame = Frame::new(outer.clone());
                frame.set(&super::macros::loop_name(), value.clone());
                self.frame = Some(frame);
                self.assign_item(code, item)?;
                if self.exec(&code.body, out)? == Flow::Break {
                    break;
                }
            }
            Ok(())
        })();
        self.loops.pop();
        self.frame = outer;
        result
    }

    fn assign_item(&mut self, code: &'p For, item: &Value) -> Result<(), Error> {
        let item = match item {
            Value::Object(_) => undefined::caught(super::super::lazy::force(item))?,
            item => item.clone(),
        };
        self.assign(&code.target, item).map_err(|e| self.fault(e, code.position))
    }
}
