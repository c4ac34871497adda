//! `ansible_failed_task`: the task that a `rescue` section was entered for, under the names of its keywords.

use std::sync::Arc;

use playbook_api::{Map, Value, map};

use crate::document::Node;
use crate::playbook::{Condition, Keyword, Loop, LoopControl, Register, Task};
use crate::run::PlayState;
use crate::run::names::full_name;
use crate::template::Renderer;
use crate::vars::HostScope;

/// Returns the task as a dict, its templates rendered for the host. A template without a value stays as it was written.
pub(crate) fn value(play: &PlayState, task: &Arc<Task>, host: &Arc<str>) -> Value {
    let scope = HostScope::new(&play.base, host, Some(task), Default::default());
    let shown = Shown { task, renderer: scope.renderer() };
    let (options, settings) = (&play.shared.options, &play.shared.settings);
    let transport = options.connection.clone().unwrap_or_else(|| settings.transport.clone());
    let method = options.become_method.clone().unwrap_or_else(|| settings.become_method.clone());
    let (loop_over, loop_with) = match &task.loop_over {
        None => (Value::Null, Value::Null),
        Some(Loop::Loop(node)) => (shown.node(node), Value::Null),
        Some(Loop::With { lookup, terms }) => (shown.node(terms), lookup.clone().into()),
    };
    let args: Map = task.action.args.iter().map(|(k, n)| (Value::from(k.clone()), shown.node(n))).collect();
    let seconds = shown.own(&task.async_seconds, 0);
    map! {
        "name" => task.keywords.name.as_ref().map_or_else(|| "".into(), |node| shown.node(node)),
        "action" => task.action.name.clone(),
        "_resolved_action" => full_name(task),
        "args" => args,
        "any_errors_fatal" => shown.keyword(Keyword::AnyErrorsFatal, settings.any_errors_fatal),
        "async" => seconds.clone(),
        "async_val" => seconds,
        "become" => shown.keyword(Keyword::Become, options.r#become || settings.become_default),
        "become_exe" => shown.keyword(Keyword::BecomeExe, Value::Null),
        "become_flags" => shown.keyword(Keyword::BecomeFlags, Value::Null),
        "become_method" => shown.keyword(Keyword::BecomeMethod, method),
        "become_user" => shown.keyword(Keyword::BecomeUser, options.become_user.clone()),
        "changed_when" => conditions(task.changed_when.iter().flatten()),
        "check_mode" => shown.keyword(Keyword::CheckMode, options.check),
        "collections" => shown.keyword(Keyword::Collections, Vec::<Value>::new()),
        "connection" => shown.keyword(Keyword::Connection, transport),
        "debugger" => shown.keyword(Keyword::Debugger, Value::Null),
        "delay" => shown.own(&task.delay, 5),
        "delegate_facts" => shown.keyword(Keyword::DelegateFacts, Value::Null),
        "delegate_to" => shown.keyword(Keyword::DelegateTo, Value::Null),
        "diff" => shown.keyword(Keyword::Diff, options.diff),
        "environment" => shown.all(Keyword::Environment),
        "failed_when" => conditions(task.failed_when.iter().flatten()),
        "finalized" => true,
        "ignore_errors" => shown.keyword(Keyword::IgnoreErrors, Value::Null),
        "ignore_unreachable" => shown.keyword(Keyword::IgnoreUnreachable, Value::Null),
        "loop" => loop_over,
        "loop_control" => shown.loop_control(&task.loop_control),
        "loop_with" => loop_with,
        "module_defaults" => shown.all(Keyword::ModuleDefaults),
        "no_log" => shown.keyword(Keyword::NoLog, settings.no_log),
        "notify" => shown.keyword(Keyword::Notify, Value::Null),
        "poll" => shown.own(&task.poll, settings.poll_interval as i64),
        "port" => shown.keyword(Keyword::Port, Value::Null),
        "register" => registered(task),
        "remote_user" => shown.keyword(Keyword::RemoteUser, options.user.clone().or_else(|| settings.remote_user.clone())),
        "retries" => shown.own(&task.retries, Value::Null),
        "run_once" => shown.keyword(Keyword::RunOnce, Value::Null),
        "squashed" => true,
        "tags" => shown.tags(),
        "throttle" => shown.keyword(Keyword::Throttle, 0),
        "timeout" => shown.keyword(Keyword::Timeout, settings.task_timeout as i64),
        "until" => conditions(&task.until),
        "uuid" => task.id.to_string(),
        "vars" => shown.vars(),
        "when" => conditions(task.conditions()),
    }
    .into()
}

/// A task's keywords as values.
struct Shown<'a> {
    task: &'a Arc<Task>,
    renderer: Renderer,
}

impl Shown<'_> {
    fn node(&self, node: &Node) -> Value {
        self.renderer.value(node).and_then(Renderer::finalize).unwrap_or_else(|_| node.raw())
    }

    fn own(&self, node: &Option<Node>, default: impl Into<Value>) -> Value {
        node.as_ref().map_or_else(|| default.into(), |node| self.node(node))
    }

    fn keyword(&self, keyword: Keyword, default: impl Into<Value>) -> Value {
        self.task.keyword(keyword).map_or_else(|| default.into(), |node| self.node(node))
    }

    /// All values of a keyword that adds up from the play to the task.
    fn all(&self, keyword: Keyword) -> Value {
        self.task.inherited(keyword).into_iter().map(|node| self.node(node)).collect()
    }

    fn tags(&self) -> Value {
        let around = self.task.frame.chain().flat_map(|frame| &frame.keywords.tags);
        around.chain(&self.task.keywords.tags).map(|tag| self.node(tag)).collect()
    }

    fn vars(&self) -> Map {
        self.task.keywords.vars.iter().map(|(k, n)| (Value::from(k.clone()), self.node(n))).collect()
    }

    fn loop_control(&self, control: &LoopControl) -> Value {
        map! {
            "break_when" => conditions(&control.break_when),
            "extended" => self.own(&control.extended, Value::Null),
            "extended_allitems" => self.own(&control.extended_allitems, true),
            "finalized" => true,
            "index_var" => self.own(&control.index_var, Value::Null),
            "label" => self.own(&control.label, Value::Null),
            "loop_var" => self.own(&control.loop_var, "item"),
            "pause" => self.own(&control.pause, 0),
            "squashed" => false,
        }
        .into()
    }
}

/// `register` as it was written: a name, or names and their expressions.
fn registered(task: &Task) -> Value {
    let expression = |register: &Register| register.expression.as_ref().map(|e| e.source().clone());
    match task.register.as_slice() {
        [] => Value::Null,
        [one] if one.expression.is_none() => one.name.clone().into(),
        all => {
            let entries = all.iter().map(|one| (Value::from(one.name.clone()), expression(one).into()));
            Value::from(entries.collect::<Map>())
        }
    }
}

/// Conditions as they were written.
fn conditions<'a>(all: impl IntoIterator<Item = &'a Condition>) -> Value {
    all.into_iter().map(Condition::written).collect()
}
