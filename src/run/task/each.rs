//! A loop: a task's items one after the other, and the result of the loop as a whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use playbook_api::{Error, Value, map};

use super::TaskOutcome;
use super::item::{self, ItemOutcome};
use super::register::Seen;
use crate::document::Node;
use crate::playbook::{self, Condition, Keyword, Task};
use crate::report::{Event, Status, TaskResult};
use crate::run::call::effect::Effect;
use crate::run::call::keyword::{self, Verdict};
use crate::run::call::{ItemCall, describe, result};
use crate::settings::Release;
use crate::vars::{HostScope, Values};

/// Runs a task's items one after the other.
pub(super) fn run(call: &ItemCall, scope: &Arc<HostScope>, items: Vec<Value>) -> TaskOutcome {
    let control = match Control::of(call.task, scope) {
        Ok(control) => control,
        Err(e) => {
            return TaskOutcome { result: result::failed_at_once(call.info, scope, e), effects: Vec::new() };
        }
    };
    if items.is_empty() {
        let mut result = result::blank(call.info, scope, Status::Skipped);
        result.is_loop = true;
        let reason = "No items in the list";
        result.values = map! {
            "changed" => false,
            "skipped" => true,
            "skipped_reason" => reason,
            "results" => Vec::<Value>::new(),
        };
        let release = scope.release();
        if release.empty_loops_have_a_skip_reason() {
            result.values.insert("skip_reason".into(), reason.into());
        }
        if release.results_always_have_failed() {
            result.values.insert("failed".into(), false.into());
        }
        return TaskOutcome { result, effects: Vec::new() };
    }
    if scope.knows(&control.item) {
        let warning = format!(
            "The loop variable '{}' is already in use. You should set the `loop_var` value in the \
            `loop_control` option for the task to something else to avoid variable collisions and unexpected behavior.",
            control.item
        );
        (call.emit)(Event::Warning(warning));
    }
    let pause = control.pause;
    let mut all = Each::new(call, control, items.into());
    for index in 0..all.items.len() {
        // An interrupted run does not start the next item.
        if index > 0 && !pause.is_zero() && call.play.sleep(pause).is_err() {
            break;
        }
        match all.item(scope, index) {
            Ok(true) => {}
            Ok(false) => break,
            // What the items did is not known any more.
            Err(e) => {
                let result = result::failed_at_once(call.info, scope, e);
                return TaskOutcome { result, effects: Vec::new() };
            }
        }
    }
    let result = all.totals.result(call, scope, all.results);
    let mut outcome = TaskOutcome { result, effects: all.effects };
    outcome.notify(all.notify);
    outcome
}

/// `loop_control`, rendered.
struct Control {
    item: Arc<str>,
    index: Option<Arc<str>>,
    extended: bool,
    all_items: bool,
    pause: Duration,
}

impl Control {
    fn of(task: &Task, scope: &HostScope) -> Result<Control, Error> {
        let control = &task.loop_control;
        let renderer = scope.renderer();
        let name = |node: &Option<Node>, keyword: &str| -> Result<Option<Arc<str>>, Error> {
            let Some(node) = node else { return Ok(None) };
            Ok(keyword::text(node, keyword, &renderer)?.map(Into::into))
        };
        let flag = |node: &Option<Node>, name: &str, default: bool| -> Result<bool, Error> {
            let value = node.as_ref().map(|node| keyword::boolean(node, name, &renderer)).transpose()?;
            Ok(value.flatten().unwrap_or(default))
        };
        Ok(Control {
            item: match name(&control.loop_var, "loop_var")?.zip(control.loop_var.as_ref()) {
                Some((name, node)) => {
                    playbook::check_variable_name(&name.clone().into(), node.place())?;
                    name
                }
                None => "item".into(),
            },
            index: name(&control.index_var, "index_var")?,
            extended: flag(&control.extended, "extended", false)?,
            all_items: flag(&control.extended_allitems, "extended_allitems", true)?,
            pause: match &control.pause {
                Some(node) => keyword::seconds(node, "pause", &renderer)?.unwrap_or_default(),
                None => Duration::ZERO,
            },
        })
    }
}

/// A loop that is under way.
struct Each<'c> {
    call: &'c ItemCall<'c>,
    control: Control,
    items: Arc<[Value]>,
    /// The items as one value, which all of `ansible_loop.allitems` share.
    all_items: Option<Value>,
    /// What the items so far set and registered, for the next ones to see.
    carried: Arc<Values>,
    results: Vec<Value>,
    effects: Vec<Effect>,
    /// The handlers that the items name, each once.
    notify: Vec<String>,
    /// The positions among the effects at which a host was added.
    added: HashMap<Arc<str>, Vec<usize>>,
    /// Whether an item included tasks.
    includes: bool,
    totals: Totals,
}

impl<'c> Each<'c> {
    fn new(call: &'c ItemCall<'c>, control: Control, items: Arc<[Value]>) -> Self {
        let all_items = (control.extended && control.all_items).then(|| items.to_vec().into());
        Each {
            call,
            control,
            results: Vec::with_capacity(items.len()),
            items,
            all_items,
            carried: Arc::default(),
            effects: Vec::new(),
            notify: Vec::new(),
            added: HashMap::new(),
            includes: false,
            totals: Totals::default(),
        }
    }

    /// Runs one item. Returns whether the next one follows.
    fn item(&mut self, scope: &Arc<HostScope>, index: usize) -> Result<bool, Error> {
        let call = self.call;
        let item = self.items[index].clone();
        let mut local = vec![
            (self.control.item.clone(), item.clone()),
            ("ansible_loop_var".into(), self.control.item.clone().into()),
        ];
        if let Some(name) = &self.control.index {
            local.push((name.clone(), index.into()));
            local.push(("ansible_index_var".into(), name.clone().into()));
        }
        if self.control.extended {
            local.push(("ansible_loop".into(), self.extended(index)));
        }
        let scope = scope.with_carried(self.carried.clone(), local);
        let start = Instant::now();
        let ItemOutcome { mut result, effects, carry, notify } = item::run(call, &scope);
        for name in notify {
            if !self.notify.contains(&name) {
                self.notify.push(name);
            }
        }
        result.duration = start.elapsed();
        result.item = Some(item.clone());
        if let Some(node) = call.task.loop_control.label.as_ref().filter(|node| node.source() != Some("")) {
            // The label may use what the item registered.
            match scope.with_local(carry.iter().cloned()).renderer().value(node) {
                Ok(label) => result.item = Some(label),
                Err(e) if scope.release().broken_labels_are_warnings() => {
                    let place = node.place();
                    let warning = e.context("Failed to template loop_control label").at(place);
                    result::append(&mut result.values, "warnings", &[warning.to_string().into()]);
                    result.warnings.push(describe::warning(&warning));
                }
                Err(e) => {
                    let message = format!("Failed to template loop_control.label: {e}");
                    result.item = Some("None".into());
                    result.values.insert("failed".into(), true.into());
                    result.values.insert("msg".into(), message.into());
                    result.status = Status::Failed;
                    result::ignore(&scope, &mut result);
                }
            }
        }
        self.add_loop_values(&mut result, item, index);
        self.take_effects(effects, &mut result);
        let mut stop = stops(call.task, &scope, &result);
        if scope.release().results_have_verdicts() && !call.task.loop_control.break_when.is_empty() {
            stop = Ok(add_break(&scope, &mut result, stop));
        }
        if !(self.includes && result.status == Status::Ok) {
            (call.emit)(Event::ItemResult(result.clone()));
        }
        self.add(result);
        // Unless something still holds the item's scope, what it carries on is added in place.
        drop(scope);
        Arc::make_mut(&mut self.carried).extend(carry);
        stop.map(|stop| !stop)
    }

    /// Adds the loop's variables to an item's result.
    fn add_loop_values(&self, result: &mut TaskResult, item: Value, index: usize) {
        let values = &mut result.values;
        values.insert(Value::from(self.control.item.clone()), item);
        values.insert("ansible_loop_var".into(), self.control.item.clone().into());
        if let Some(name) = &self.control.index {
            values.insert(Value::from(name.clone()), index.into());
            values.insert("ansible_index_var".into(), name.clone().into());
        }
        if self.control.extended {
            values.insert("ansible_loop".into(), self.extended(index));
        }
    }

    /// `ansible_loop`.
    fn extended(&self, index: usize) -> Value {
        let (items, count) = (&self.items, self.items.len());
        let mut info = map! {
            "index" => index + 1,
            "index0" => index,
            "first" => index == 0,
            "last" => index + 1 == count,
            "length" => count,
            "revindex" => count - index,
            "revindex0" => count - index - 1,
        };
        if let Some(all) = self.all_items.as_ref() {
            info.insert("allitems".into(), all.clone());
        }
        if let Some(next) = items.get(index + 1) {
            info.insert("nextitem".into(), next.clone());
        }
        if index > 0 {
            info.insert("previtem".into(), items[index - 1].clone());
        }
        info.into()
    }

    /// Takes the effects of an item. A host that an earlier item added already is not a change.
    fn take_effects(&mut self, effects: Vec<Effect>, result: &mut TaskResult) {
        for effect in effects {
            self.includes |= matches!(effect, Effect::Tasks(_));
            if let Effect::AddHost { name, .. } = &effect {
                let before = self.added.entry(name.clone()).or_default();
                if before.iter().any(|at| effect.adds_again(&self.effects[*at])) {
                    result.values.insert("changed".into(), false.into());
                    result.status = Status::Ok;
                }
                before.push(self.effects.len());
            }
            self.effects.push(effect);
        }
    }

    fn add(&mut self, result: TaskResult) {
        self.totals.add(&result);
        self.results.push(Value::from(result.values));
    }
}

/// Whether `loop_control.break_when` ends the loop.
fn stops(task: &Task, scope: &Arc<HostScope>, result: &TaskResult) -> Result<bool, Error> {
    if task.loop_control.break_when.is_empty() {
        return Ok(false);
    }
    let seen = Seen::one(result.values.clone().into());
    let scope = scope.with_local(seen.locals(task, scope));
    let conditions = &task.loop_control.break_when;
    let as_it_is = |_: &Condition, error: Error| error;
    let verdict = keyword::conditions_of_no_keyword(conditions, &scope.renderer(), as_it_is)?;
    Ok(matches!(verdict, Verdict::True))
}

/// Adds the verdict of `break_when` to an item's result, which one that cannot be evaluated fails. Returns whether the
/// loop ends.
fn add_break(scope: &HostScope, result: &mut TaskResult, stop: Result<bool, Error>) -> bool {
    let values = &mut result.values;
    let error = match stop {
        Ok(stop) => {
            values.insert("break_when_result".into(), stop.into());
            return stop;
        }
        Err(error) => error,
    };
    values.insert("break_when_result".into(), error.to_string().into());
    values.insert("failed".into(), true.into());
    values.insert("exception".into(), "(traceback unavailable)".into());
    let place = error.place().cloned();
    result.error = Some(keyword::condition_failed(scope.release(), "break_when", error, place.as_ref()));
    result.status = Status::Failed;
    result::ignore(scope, result);
    true
}

/// What the results of a loop's items have in common.
struct Totals {
    changed: bool,
    all_skipped: bool,
    failed: Faults,
    unreachable: Faults,
    no_log: bool,
    verbose_always: bool,
}

/// Items that went wrong in one way.
#[derive(Default)]
struct Faults {
    any: bool,
    /// Whether one of them is not ignored.
    matters: bool,
    /// Whether one of them is ignored.
    ignored: bool,
}

impl Faults {
    fn add(&mut self, result: &TaskResult) {
        self.any = true;
        self.matters |= !result.ignored;
        self.ignored |= result.ignored;
    }

    fn are_ignored(&self, release: Release) -> bool {
        if release.one_ignored_item_is_enough() { self.ignored } else { !self.matters }
    }
}

impl Default for Totals {
    fn default() -> Self {
        Totals {
            changed: false,
            all_skipped: true,
            failed: Faults::default(),
            unreachable: Faults::default(),
            no_log: false,
            verbose_always: false,
        }
    }
}

impl Totals {
    fn add(&mut self, result: &TaskResult) {
        self.changed |= result.values.get("changed").is_some_and(Value::is_true);
        self.all_skipped &= result.status == Status::Skipped;
        match result.status {
            Status::Failed => self.failed.add(result),
            Status::Unreachable => self.unreachable.add(result),
            _ => {}
        }
        self.no_log |= result.no_log;
        self.verbose_always |= result.verbose_always;
    }

    /// The result of the loop as a whole.
    fn result(&self, call: &ItemCall, scope: &HostScope, results: Vec<Value>) -> TaskResult {
        let release = scope.release();
        let (status, ignored) = match () {
            () if self.unreachable.any => (Status::Unreachable, self.unreachable.are_ignored(release)),
            () if self.failed.any => (Status::Failed, self.failed.are_ignored(release)),
            () if self.all_skipped => (Status::Skipped, false),
            () if self.changed => (Status::Changed, false),
            () => (Status::Ok, false),
        };
        let mut values = map! { "results" => results };
        let complete = release.results_always_have_failed();
        for (name, holds, always) in [
            ("skipped", self.all_skipped, !complete),
            ("changed", self.changed, false),
            ("failed", self.failed.any, complete),
            ("unreachable", self.unreachable.any, false),
        ] {
            if holds || always {
                values.insert(name.into(), holds.into());
            }
        }
        let msg = match status {
            Status::Failed => "One or more items failed",
            Status::Skipped => "All items skipped",
            _ => "All items completed",
        };
        values.insert("msg".into(), msg.into());
        values.insert("changed".into(), self.changed.into());
        let mut result = result::blank(call.info, scope, status);
        result.is_loop = true;
        result.values = values;
        // Each item may go elsewhere: for all of them, there is only what was written.
        let delegate_to = call.task.keyword(Keyword::DelegateTo);
        result.delegated = delegate_to.map(|node| Arc::from(&*node.raw().to_text()));
        result.no_log = self.no_log;
        result.ignored = ignored;
        result.verbose_always = self.verbose_always;
        result
    }
}
