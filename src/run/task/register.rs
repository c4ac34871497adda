//! `register`: what a task keeps of its result, and `_task`, under which expressions see it.

use std::sync::Arc;

use playbook_api::{Error, Value, map};

use crate::playbook::Task;
use crate::template::Renderer;
use crate::vars::HostScope;

/// A result as expressions see it: `_task.result` is that of the task or of the loop's latest item, `_task.loop_result`
/// that of the whole loop.
pub(super) struct Seen {
    pub result: Value,
    pub loop_result: Option<Value>,
}

impl Seen {
    /// The result of a task or of one item.
    pub(super) fn one(result: Value) -> Seen {
        Seen { result, loop_result: None }
    }

    /// The result of a loop.
    pub(super) fn of_loop(result: Value) -> Seen {
        let items = result.get("results").and_then(Value::as_list).unwrap_or_default();
        let latest = items.last().cloned().unwrap_or(Value::Null);
        Seen { result: latest, loop_result: Some(result) }
    }

    /// The result that a plain `register` keeps: the loop's where there is one.
    fn whole(&self) -> &Value {
        self.loop_result.as_ref().unwrap_or(&self.result)
    }

    /// The variable `_task`.
    fn task(&self) -> Value {
        let mut seen = map! { "result" => self.result.clone(), "polymorphic_result" => self.whole().clone() };
        if let Some(result) = &self.loop_result {
            seen.insert("loop_result".into(), result.clone());
        }
        seen.into()
    }

    /// Returns the variables that the task registers. An expression sees those before it; one that fails registers
    /// nothing, and its error is added to `errors`.
    pub(super) fn registered(
        &self,
        task: &Task,
        scope: &Arc<HostScope>,
        errors: &mut Vec<Error>,
    ) -> Vec<(Arc<str>, Value)> {
        let mut values: Vec<(Arc<str>, Value)> = Vec::with_capacity(task.register.len());
        for register in &task.register {
            let value = match &register.expression {
                None => Ok(self.whole().clone()),
                Some(expression) => {
                    let scope = scope.with_local(values.iter().cloned().chain([self.local()]));
                    scope.renderer().evaluate(expression).and_then(Renderer::finalize)
                }
            };
            match value {
                Ok(value) => values.push((register.name.clone(), value)),
                Err(e) => errors.push(e.context(format!("Register projection '{}' failed", register.name))),
            }
        }
        values
    }

    /// Returns what conditions on the result see: the registered variables, and `_task`.
    pub(super) fn locals(&self, task: &Task, scope: &Arc<HostScope>) -> Vec<(Arc<str>, Value)> {
        let mut values = self.registered(task, scope, &mut Vec::new());
        values.push(self.local());
        values
    }

    fn local(&self) -> (Arc<str>, Value) {
        ("_task".into(), self.task())
    }
}
