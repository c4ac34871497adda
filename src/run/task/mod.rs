//! One task on one host: its loop, and what becomes of the items' results.

mod arguments;
mod item;

use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Error, Value, map};

use item::ItemOutcome;

use crate::playbook::{Loop, Task};
use crate::report::{Event, Status, TaskInfo, TaskResult};
use crate::run::call::effect::Effect;
use crate::run::call::keyword::{self, Verdict};
use crate::run::call::state::PlayState;
use crate::run::call::{Emit, ItemCall, result};
use crate::template::lookups::first_found::FOLDER;
use crate::vars::HostScope;

/// What a task did on one host.
#[derive(Debug)]
pub struct TaskOutcome {
    pub result: TaskResult,
    pub effects: Vec<Effect>,
}

/// Runs a task on a host: the items of its loop one after the other, or itself once.
pub fn run(
    play: &PlayState,
    task: &Arc<Task>,
    info: &Arc<TaskInfo>,
    scope: &Arc<HostScope>,
    emit: &Emit,
) -> TaskOutcome {
    let host = &scope.host.name;
    let resolved = resolved(task, scope);
    let task = resolved.as_ref().unwrap_or(task);
    let call = ItemCall { play, host, task, info, emit };
    let mut outcome = match items(task, scope) {
        Ok(None) => {
            let done = item::run(&call, scope);
            TaskOutcome { result: done.result, effects: done.effects }
        }
        Ok(Some(items)) => each(&call, scope, items),
        // A loop over something undefined does not matter where `when` skips the task anyway.
        Err(e) => match keyword::when(task, &scope.renderer()) {
            Ok(Verdict::False(condition)) => {
                let done = result::skipped(info, scope, condition);
                TaskOutcome { result: done, effects: Vec::new() }
            }
            _ => TaskOutcome { result: result::failed(info, scope, e), effects: Vec::new() },
        },
    };
    finish(task, host, &mut outcome);
    outcome
}

/// The task with its module's name rendered, where that is a template (`action: "{{ module }} …"`).
fn resolved(task: &Arc<Task>, scope: &Arc<HostScope>) -> Option<Arc<Task>> {
    if !crate::jinja::Template::is_template(&task.action.name) {
        return None;
    }
    let template = crate::jinja::Template::new(task.action.name.clone(), task.action.place.clone());
    let name = scope.renderer().render(&template).ok()?;
    let mut task = (**task).clone();
    task.action.name = Arc::from(name.to_text().trim());
    Some(Arc::new(task))
}

/// The final `register`, and the handlers that a change notifies.
fn finish(task: &Task, host: &Arc<str>, outcome: &mut TaskOutcome) {
    if let Some(name) = &task.register {
        let value = Value::from(outcome.result.values.clone());
        outcome.effects.push(Effect::Set { host: host.clone(), values: vec![(name.clone(), value)] });
    }
}

/// The items to loop over; nothing where the task has no loop.
fn items(task: &Task, scope: &Arc<HostScope>) -> Result<Option<Vec<Value>>, Error> {
    let renderer = scope.renderer();
    match &task.loop_over {
        None => Ok(None),
        Some(Loop::Loop(node)) => {
            let value = renderer.value(node)?;
            match value.as_list() {
                Some(items) => Ok(Some(items.to_vec())),
                None => Err(Error::new(format!(
                    "Invalid data passed to 'loop', it requires a list, got this instead: {value}. Hint: If you \
                     passed a list/dict of just one element, try adding wantlist=True to your lookup invocation or \
                     use q/query instead of lookup."
                ))
                .at(node.place())),
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
            let mut options = map! { "wantlist" => true };
            if known.is_some_and(|lookup| lookup.wants_directory) {
                options.insert(FOLDER.into(), folder_of(&task.action.name).into());
            }
            let found = renderer.lookup(lookup, terms_list, options).map_err(|e| e.at(terms.place()))?;
            Ok(Some(match found {
                Value::List(items) | Value::Tuple(items) => items.to_vec(),
                other => vec![other],
            }))
        }
    }
}

/// The folder of a role for an action's files: what its name says, as in `include_vars`.
fn folder_of(action: &str) -> &'static str {
    let folders = [("template", "templates"), ("var", "vars")];
    folders.iter().find(|(word, _)| action.contains(word)).map_or("files", |(_, folder)| folder)
}

struct LoopNames {
    item: Arc<str>,
    index: Option<Arc<str>>,
    extended: bool,
    all_items: bool,
    pause: f64,
}

fn loop_names(task: &Task, scope: &HostScope) -> Result<LoopNames, Error> {
    let control = &task.loop_control;
    let renderer = scope.renderer();
    let text = |node: &Option<crate::document::Node>| -> Result<Option<Arc<str>>, Error> {
        node.as_ref().map(|n| renderer.value(n).map(|v| Arc::from(&*v.to_text()))).transpose()
    };
    let flag = |node: &Option<crate::document::Node>, default: bool| -> Result<bool, Error> {
        match node {
            Some(node) => {
                Ok(renderer.value(node).map(|v| playbook_api::arguments::to_bool(&v).unwrap_or(default))?)
            }
            None => Ok(default),
        }
    };
    Ok(LoopNames {
        item: text(&control.loop_var)?.unwrap_or_else(|| "item".into()),
        index: text(&control.index_var)?,
        extended: flag(&control.extended, false)?,
        all_items: flag(&control.extended_allitems, true)?,
        pause: match &control.pause {
            Some(node) => keyword::float(node, "pause", &renderer)?.unwrap_or(0.0),
            None => 0.0,
        },
    })
}

fn each(call: &ItemCall, scope: &Arc<HostScope>, items: Vec<Value>) -> TaskOutcome {
    let names = match loop_names(call.task, scope) {
        Ok(names) => names,
        Err(e) => return TaskOutcome { result: result::failed(call.info, scope, e), effects: Vec::new() },
    };
    if items.is_empty() {
        let mut result = result::blank(call.info, scope, Status::Skipped);
        result.values = map! {
            "changed" => false, "results" => Vec::<Value>::new(), "skipped" => true,
            "skipped_reason" => "No items in the list",
        };
        return TaskOutcome { result, effects: Vec::new() };
    }
    if scope.knows(&names.item) {
        let warning = format!(
            "The loop variable '{}' is already in use. You should set the `loop_var` value in the `loop_control` option for the task to something else to avoid variable collisions and unexpected behavior.",
            names.item
        );
        (call.emit)(Event::Warning(warning));
    }
    let count = items.len();
    let mut results = Vec::with_capacity(count);
    let mut effects = Vec::new();
    let mut carried: Vec<(Arc<str>, Value)> = Vec::new();
    let mut all = Vec::with_capacity(count);
    for (index, item) in items.iter().enumerate() {
        if index > 0 && names.pause > 0.0 {
            // An interrupted run does not start the next item.
            if call.play.sleep(Duration::from_secs_f64(names.pause)).is_err() {
                break;
            }
        }
        let mut local = carried.clone();
        local.push((names.item.clone(), item.clone()));
        local.push(("ansible_loop_var".into(), names.item.clone().into()));
        if let Some(name) = &names.index {
            local.push((name.clone(), index.into()));
            local.push(("ansible_index_var".into(), name.clone().into()));
        }
        if names.extended {
            local.push(("ansible_loop".into(), extended(&items, index, names.all_items)));
        }
        let scope = scope.with_local(local);
        let ItemOutcome { mut result, effects: more, carry } = item::run(call, &scope);
        carried.extend(carry);
        result.item = Some(item.clone());
        if let Some(node) = &call.task.loop_control.label {
            // The label may use what the item registered.
            match scope.with_local(carried.clone()).renderer().value(node) {
                Ok(label) => result.item = Some(label),
                Err(e) => result = TaskResult { item: result.item, ..result::failed(call.info, &scope, e) },
            }
        }
        result.values.insert(Value::from(names.item.clone()), item.clone());
        result.values.insert("ansible_loop_var".into(), names.item.clone().into());
        if let Some(name) = &names.index {
            result.values.insert(Value::from(name.clone()), index.into());
            result.values.insert("ansible_index_var".into(), name.clone().into());
        }
        if names.extended {
            let mut shown = extended(&items, index, false);
            if let Value::Map(map) = &mut shown {
                Arc::make_mut(map).shift_remove("allitems");
            }
            result.values.insert("ansible_loop".into(), shown);
        }
        if more.iter().any(|effect| effect.adds_again(&effects)) {
            result.values.insert("changed".into(), false.into());
            result.status = Status::Ok;
        }
        effects.extend(more);
        let included = effects.iter().any(|e| matches!(e, Effect::Tasks(_))) && result.status == Status::Ok;
        if !included {
            (call.emit)(Event::ItemResult(result.clone()));
        }
        results.push(Value::from(result.values.clone()));
        let stop = stops(call.task, &scope, &result);
        all.push(result);
        match stop {
            Ok(false) => {}
            Ok(true) => break,
            Err(e) => {
                let failed = result::failed(call.info, &scope, e);
                results.push(Value::from(failed.values.clone()));
                all.push(failed);
                break;
            }
        }
    }
    TaskOutcome { result: sum(call, scope, all, results), effects }
}

/// Whether `loop_control.break_when` ends the loop.
fn stops(task: &Task, scope: &Arc<HostScope>, result: &TaskResult) -> Result<bool, Error> {
    if task.loop_control.break_when.is_empty() {
        return Ok(false);
    }
    let registered = task.register.iter().map(|name| (name.clone(), Value::from(result.values.clone())));
    let scope = scope.with_local(registered);
    Ok(matches!(keyword::conditions(&task.loop_control.break_when, &scope.renderer())?, Verdict::True))
}

/// `ansible_loop`.
fn extended(items: &[Value], index: usize, all_items: bool) -> Value {
    let count = items.len();
    let mut info = map! {
        "index" => index + 1, "index0" => index, "first" => index == 0, "last" => index + 1 == count,
        "length" => count, "revindex" => count - index, "revindex0" => count - index - 1,
    };
    if all_items {
        info.insert("allitems".into(), items.to_vec().into());
    }
    if let Some(next) = items.get(index + 1) {
        info.insert("nextitem".into(), next.clone());
    }
    if index > 0 {
        info.insert("previtem".into(), items[index - 1].clone());
    }
    info.into()
}

/// The result of a loop as a whole.
fn sum(call: &ItemCall, scope: &HostScope, all: Vec<TaskResult>, results: Vec<Value>) -> TaskResult {
    let any = |status: Status| all.iter().any(|r| r.status == status);
    let failed = all.iter().any(|r| r.status == Status::Failed);
    let changed = all.iter().any(|r| r.values.get("changed").is_some_and(Value::is_true));
    let skipped = all.iter().all(|r| r.status == Status::Skipped);
    let status = match () {
        () if any(Status::Unreachable) => Status::Unreachable,
        () if failed => Status::Failed,
        () if skipped => Status::Skipped,
        () if changed => Status::Changed,
        () => Status::Ok,
    };
    let msg = match status {
        Status::Failed => "One or more items failed",
        Status::Skipped => "All items skipped",
        _ => "All items completed",
    };
    let mut values = map! { "results" => results };
    if status == Status::Skipped {
        values.insert("skipped".into(), true.into());
    } else if status != Status::Unreachable {
        values.insert("failed".into(), failed.into());
    }
    if status == Status::Unreachable {
        values.insert("unreachable".into(), true.into());
    }
    values.insert("msg".into(), msg.into());
    values.insert("changed".into(), changed.into());
    let mut result = result::blank(call.info, scope, status);
    result.values = values;
    result.no_log = all.iter().any(|r| r.no_log);
    // The loop as a whole is ignored only if each failure in it was.
    result.ignored = matches!(status, Status::Failed | Status::Unreachable)
        && all.iter().filter(|r| r.status == status).all(|r| r.ignored);
    result.verbose_always = all.iter().any(|r| r.verbose_always);
    result
}
