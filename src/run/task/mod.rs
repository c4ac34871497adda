//! One task on one host: once, or for each item of its loop.

mod arguments;
mod each;
mod item;
mod register;

use std::sync::Arc;
use std::time::Instant;

use playbook_api::{Error, Map, Value, map};

use register::Seen;

use crate::document::Node;
use crate::playbook::{Loop, Task};
use crate::report::{Status, TaskInfo, TaskResult};
use crate::run::call::effect::Effect;
use crate::run::call::keyword::{self, Verdict};
use crate::run::call::state::PlayState;
use crate::run::call::{Emit, ItemCall, describe, result};
use crate::vars::HostScope;

/// The outcome of a task on one host.
#[derive(Debug)]
pub(crate) struct TaskOutcome {
    pub result: TaskResult,
    pub effects: Vec<Effect>,
}

impl TaskOutcome {
    /// Asks for handlers if the task, all its items taken together, has changed something and has not failed.
    fn notify(&mut self, names: Vec<String>) {
        let changed = self.result.values.get("changed").is_some_and(Value::is_true);
        if changed && !names.is_empty() && matches!(self.result.status, Status::Ok | Status::Changed) {
            self.effects.push(Effect::Notify(names));
        }
    }
}

/// Runs a task on a host: once, or for each item of its loop.
pub(crate) fn run(
    play: &PlayState,
    task: &Arc<Task>,
    info: &Arc<TaskInfo>,
    scope: &Arc<HostScope>,
    emit: &Emit,
) -> TaskOutcome {
    let start = Instant::now();
    let host = &scope.host.name;
    let call = ItemCall { play, host, task, info, emit };
    let mut outcome = match items(task, scope) {
        Ok(None) => {
            let done = item::run(&call, scope);
            let mut outcome = TaskOutcome { result: done.result, effects: done.effects };
            outcome.notify(done.notify);
            outcome
        }
        Ok(Some(items)) => each::run(&call, scope, items),
        Err(e) if !e.is_undefined() => {
            TaskOutcome { result: result::failed_at_once(info, scope, e), effects: Vec::new() }
        }
        // A loop over something undefined does not matter if `when` skips the task.
        Err(e) => match keyword::when(task, &scope.renderer()) {
            Ok(Verdict::False(condition)) => {
                let done = result::skipped(info, scope, condition);
                TaskOutcome { result: done, effects: Vec::new() }
            }
            _ => TaskOutcome { result: result::failed(info, scope, e), effects: Vec::new() },
        },
    };
    outcome.result.warnings.extend(scope.take_warnings().iter().map(describe::warning));
    finish(&call, scope, &mut outcome);
    outcome.result.duration = start.elapsed();
    outcome
}

/// Returns the task with its module's name rendered, if that is a template (`action: "{{ module }} …"`).
pub(crate) fn resolved(task: &Arc<Task>, scope: &Arc<HostScope>) -> Option<Arc<Task>> {
    if !crate::jinja::Template::is_template(&task.action.name) {
        return None;
    }
    let template = crate::jinja::Template::new(task.action.name.clone(), task.action.place.clone());
    let name = scope.renderer().render(&template).ok()?;
    let mut task = (**task).clone();
    task.action.name = Arc::from(name.to_text().trim());
    Some(Arc::new(task))
}

/// The final `register`.
fn finish(call: &ItemCall, scope: &Arc<HostScope>, outcome: &mut TaskOutcome) {
    if call.task.register.is_empty() {
        return;
    }
    let mut values = outcome.result.values.clone();
    // Only the results of a loop's items keep it, as in ansible-core.
    values.shift_remove("invocation");
    let value = Value::from(values);
    let seen = if outcome.result.is_loop { Seen::of_loop(value) } else { Seen::one(value) };
    let mut errors = Vec::new();
    let values = seen.registered(call.task, scope, &mut errors);
    outcome.effects.push(Effect::Set { host: call.host.clone(), values });
    let (failed, all) = (errors.len(), call.task.register.len());
    let Some(cause) = errors.into_iter().next() else { return };
    // What the task did stays, and so does its result.
    outcome.effects.retain(|effect| !matches!(effect, Effect::Notify(_)));
    let result = &mut outcome.result;
    result.status = Status::Failed;
    result.values.insert("failed".into(), true.into());
    let message = format!("Task failed due to errors in {failed} out of {all} register projections.");
    result.error = Some(Error::new(message).at(&call.task.place).caused_by(cause));
    result::ignore(scope, result);
}

/// Returns the items to loop over, or nothing if the task has no loop.
fn items(task: &Task, scope: &Arc<HostScope>) -> Result<Option<Vec<Value>>, Error> {
    let renderer = scope.renderer();
    match &task.loop_over {
        None => Ok(None),
        Some(Loop::Loop(node)) => {
            let value = renderer.value(node)?;
            match value.as_list() {
                Some(items) => Ok(Some(items.to_vec())),
                None => Err(not_a_list(&value, node)),
            }
        }
        Some(Loop::With { lookup, terms }) => {
            let known = crate::template::lookups::find(lookup);
            let value = match known {
                Some(lookup) if lookup.lazy_terms => renderer.resolve(terms)?,
                _ => renderer.value(terms)?,
            };
            let terms_list = match &value {
                Value::List(items) | Value::Tuple(items) => items.to_vec(),
                Value::Null => Vec::new(),
                other => vec![other.clone()],
            };
            let options = map! { "wantlist" => true };
            let found = renderer.lookup(lookup, terms_list, options).map_err(|e| e.at(terms.place()))?;
            let found = without_tuples(found);
            Ok(Some(match found {
                Value::List(items) | Value::Tuple(items) => items.to_vec(),
                other => vec![other],
            }))
        }
    }
}

/// The error of a `loop` over something that is not a list.
pub(crate) fn not_a_list(value: &Value, node: &Node) -> Error {
    let message = format!("The `loop` value must resolve to a 'list', not '{}'.", value.type_name());
    Error::new(message)
        .at(node.place())
        .with_help("Provide a list of items/templates, or a template resolving to a list.")
}

/// Items are stored, and what is stored has lists in place of tuples.
fn without_tuples(value: Value) -> Value {
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().cloned().map(without_tuples).collect(),
        Value::Map(map)
            if map
                .values()
                .any(|member| matches!(member, Value::List(_) | Value::Tuple(_) | Value::Map(_))) =>
        {
            let members = map.iter().map(|(key, member)| (key.clone(), without_tuples(member.clone())));
            Value::from(members.collect::<Map>())
        }
        other => other,
    }
}
