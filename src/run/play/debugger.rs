//! The task debugger: a prompt after a task's result, at which the task can be inspected, changed and run again.

use std::io::{BufRead, Write};
use std::sync::Arc;

use playbook_api::{Error, Map, Place, Value, map};

use crate::document::{Node, Trust};
use crate::jinja::Expression;
use crate::playbook::Task;
use crate::report::{Status, TaskResult};
use crate::run::call::keyword;
use crate::run::call::state::PlayState;
use crate::template::lazy::force_deep;
use crate::vars::{HostScope, Values};

/// What happens after the debugger.
pub(crate) enum Next {
    /// Runs the changed task again, with variables that win over all others.
    Redo(Arc<Task>, Values),
    Continue,
    Quit,
}

/// Whether a result stops in the debugger: by the keyword `debugger`, else by the settings and the strategy.
pub(crate) fn is_wanted(task: &Task, scope: &HostScope, result: &TaskResult, play: &PlayState) -> bool {
    let ignored = result.ignored && play.shared.settings.task_debugger_ignore_errors;
    let failed = result.status == Status::Failed && !ignored;
    let unreachable = result.status == Status::Unreachable;
    match keyword::of(task, &scope.renderer()).debugger().ok().flatten().as_deref() {
        Some("always") => true,
        Some("on_failed") => failed,
        Some("on_unreachable") => unreachable,
        Some("on_skipped") => result.status == Status::Skipped,
        Some("never") => false,
        _ => play.debugger && (failed || unreachable),
    }
}

/// What the user can inspect and change.
struct Debugger<'a> {
    scope: &'a HostScope,
    result: &'a TaskResult,
    task: Task,
    variables: Values,
}

const HELP: &str = "\
p EXPRESSION              print task, task.args, task_vars, host, result
task.args[KEY] = VALUE    change an argument
task_vars[KEY] = VALUE    change a variable
del task.args[KEY]        remove an argument
u(pdate_task)             take the task as it was written again, with the variables as they are now
r(edo)                    run the task again
c(ontinue)                go on
q(uit)                    leave";

/// Asks the user what to do about a result.
pub(crate) fn ask(task: &Arc<Task>, scope: &HostScope, result: &TaskResult) -> Next {
    let mut debugger = Debugger { scope, result, task: (**task).clone(), variables: Values::default() };
    loop {
        show(&format!("[{}] TASK: {} (debug)> ", scope.host.name, result.task.name));
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let line = if matches!(read, Ok(0) | Err(_)) { "quit" } else { line.trim() };
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let done = match first {
            "" => Ok(None),
            "c" | "continue" => return Next::Continue,
            "q" | "quit" | "EOF" => {
                show("User interrupted execution\n");
                return Next::Quit;
            }
            "r" | "redo" => return Next::Redo(Arc::new(debugger.task), debugger.variables),
            "u" | "update_task" => {
                debugger.task = (**task).clone();
                Ok(None)
            }
            "h" | "help" | "?" => Ok(Some(HELP.to_owned())),
            "p" | "pprint" => debugger.evaluate(rest).map(|value| Some(playbook_api::python::repr(&value))),
            "del" => debugger.remove(rest).map(|()| None),
            _ => match assignment(line) {
                Some((to, value)) => debugger.assign(to, value).map(|()| None),
                None => debugger.evaluate(line).map(|value| Some(playbook_api::python::repr(&value))),
            },
        };
        match done {
            Ok(Some(text)) => show(&(scope.base.environment.context.redactor.text(&text) + "\n")),
            Ok(None) => {}
            Err(error) => show(&format!("***{error}\n")),
        }
    }
}

/// Prints text at once. A closed output is ignored.
fn show(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

impl Debugger<'_> {
    fn evaluate(&self, text: &str) -> Result<Value, Error> {
        let variables = self.scope.with_local(self.variables.clone());
        let args = self.task.action.args.iter().map(|(name, node)| (name.clone(), node.raw()));
        let args: Map = args.map(|(name, value)| (Value::from(name), value)).collect();
        let names = map! {
            "task" => map! { "name" => self.result.task.name.as_str(), "action" => self.task.action.name.clone(), "args" => args },
            "task_vars" => variables.as_object(),
            "host" => map! { "name" => self.scope.host.name.clone() },
            "result" => map! { "_result" => self.result.values.clone() },
        };
        let expression = Expression::new(text, Place::file_only("<debugger>"));
        let value = variables.renderer().with(names).evaluate(&expression)?;
        crate::template::Renderer::finalize(force_deep(&value)?)
    }

    fn assign(&mut self, to: &str, value: &str) -> Result<(), Error> {
        let value = self.evaluate(value)?;
        let (what, keys) = target(to)?;
        match (what, keys.as_slice()) {
            (Target::Args, []) => {
                let all = value.as_map().ok_or_else(|| Error::new("TypeError: task.args is a dict"))?;
                let node = |(key, value): (&Value, &Value)| (Arc::from(&*key.to_text()), node(value.clone()));
                self.task.action.args = all.iter().map(node).collect();
            }
            (Target::Args, [key, inner @ ..]) => {
                let name: Arc<str> = Arc::from(&*key.to_text());
                let before = self.task.action.args.get(&name).map_or(Value::Null, |node| node.raw());
                self.task.action.args.insert(name, node(changed(before, inner, value)?));
            }
            (Target::Variables, []) => return Err(cannot(to)),
            (Target::Variables, [key, inner @ ..]) => {
                let name: Arc<str> = Arc::from(&*key.to_text());
                let scope = self.scope.with_local(self.variables.clone());
                let before = match inner {
                    [] => Value::Null,
                    _ => force_deep(&scope.written(&name).unwrap_or(Ok(Value::Null))?)?,
                };
                self.variables.insert(name, changed(before, inner, value)?);
            }
        }
        Ok(())
    }

    fn remove(&mut self, what: &str) -> Result<(), Error> {
        match target(what)? {
            (Target::Args, keys) if keys.len() == 1 => {
                let name = keys[0].to_text();
                let removed = self.task.action.args.remove(&*name);
                removed.map(|_| ()).ok_or_else(|| Error::new(format!("KeyError: '{name}'")))
            }
            _ => Err(cannot(what)),
        }
    }
}

/// Returns an argument as it is written in a playbook: text may be a template.
fn node(value: Value) -> Node {
    Node::from_value(&Place::file_only("<debugger>"), value, Trust::Templates)
}

/// Parses an assignment: `TO = VALUE`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let at = line.find('=')?;
    let (to, value) = (&line[..at], &line[at + 1..]);
    let compares = value.starts_with('=') || to.ends_with(['!', '<', '>']);
    (!compares && target(to).is_ok()).then_some((to.trim(), value.trim()))
}

enum Target {
    Args,
    Variables,
}

fn cannot(what: &str) -> Error {
    Error::new(format!(
        "SyntaxError: cannot change '{}'; only task.args and task_vars change here",
        what.trim()
    ))
}

/// Parses a target such as `task.args['name'][0]`.
fn target(text: &str) -> Result<(Target, Vec<Value>), Error> {
    let text = text.trim();
    let (target, mut rest) = match text.strip_prefix("task_vars") {
        Some(rest) => (Target::Variables, rest),
        None => (Target::Args, text.strip_prefix("task.args").ok_or_else(|| cannot(text))?),
    };
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(|| cannot(text))?;
        let (key, after) = match inner.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let (key, after) = inner[1..].split_once(quote).ok_or_else(|| cannot(text))?;
                (Value::from(key), after)
            }
            _ => {
                let end = inner.find(']').ok_or_else(|| cannot(text))?;
                let index: i64 = inner[..end].trim().parse().map_err(|_| cannot(text))?;
                (Value::from(index), &inner[end..])
            }
        };
        rest = after.strip_prefix(']').ok_or_else(|| cannot(text))?;
        keys.push(key);
    }
    Ok((target, keys))
}

/// Returns a value in which the member that the keys lead to is replaced.
fn changed(before: Value, keys: &[Value], value: Value) -> Result<Value, Error> {
    let [key, inner @ ..] = keys else { return Ok(value) };
    if let Some(list) = before.as_list() {
        let mut list = list.to_vec();
        let index = key.as_i64().map(|index| if index < 0 { index + list.len() as i64 } else { index });
        let item = index.and_then(|index| list.get_mut(usize::try_from(index).ok()?));
        let item = item.ok_or_else(|| Error::new("IndexError: list assignment index out of range"))?;
        *item = changed(std::mem::take(item), inner, value)?;
        return Ok(list.into());
    }
    let mut map = before.as_map().cloned().ok_or_else(|| {
        Error::new(format!("TypeError: '{}' object does not support item assignment", before.type_name()))
    })?;
    let old = map.get(key).cloned().unwrap_or(Value::Null);
    map.insert(key.clone(), changed(old, inner, value)?);
    Ok(map.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_change_something() {
        assert_eq!(assignment("task.args['that'] = []"), Some(("task.args['that']", "[]")));
        assert_eq!(assignment("task_vars[\"a\"]['b'] = 'x=y'"), Some(("task_vars[\"a\"]['b']", "'x=y'")));
        assert_eq!(assignment("task.args == {}"), None);
        assert_eq!(assignment("task.name = 'x'"), None);
    }

    #[test]
    fn inner_values_change_where_they_are() {
        let before: Value = map! { "a" => vec![Value::from(1), Value::from(2)] }.into();
        let after = changed(before, &["a".into(), Value::from(-1)], "x".into()).expect("a change");
        assert_eq!(after, map! { "a" => vec![Value::from(1), Value::from("x")] }.into());
        assert!(changed(Value::from(1), &["a".into()], "x".into()).is_err());
    }
}
