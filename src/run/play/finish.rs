//! Applies what a task did: variables, inventory, notifications, the recap, and failed hosts.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::batch::{Batch, Running, Stop, cursor_of};
use super::cursor::{Cursor, Failed};
use super::failed_task;
use super::strategy::Strategy;
use crate::document::Node;
use crate::playbook::{Keyword, Task, TaskId};
use crate::report::{Event, Status, TaskResult};
use crate::run::call::effect::Effect;
use crate::run::call::keyword;
use crate::run::task::TaskOutcome;
use crate::vars::{HostScope, ScopeBase};

impl Batch<'_> {
    /// Applies what a task did on a host; `told` says that its result was already reported.
    pub(super) fn finish(
        &mut self,
        running: &Running,
        outcome: TaskOutcome,
        told: bool,
    ) -> Result<(), Error> {
        let TaskOutcome { result, effects } = outcome;
        let Running { task, scope, once, .. } = running;
        let (host, once) = (&scope.host.name, *once);
        let concerned: Vec<Arc<str>> =
            if once { self.cursors.keys().cloned().collect() } else { vec![host.clone()] };
        let includes = effects.iter().any(|effect| matches!(effect, Effect::Tasks(_)));
        self.apply(effects, running, &result, &concerned)?;
        let (status, ignored) = (result.status, result.ignored);
        let changed = result.values.get("changed").is_some_and(Value::is_true);
        let values = if status == Status::Failed { result.values.clone() } else { Map::default() };
        if !told {
            self.run.emit(Event::HostResult(result));
        }
        for register in &task.register {
            self.run.warn_of_name(&register.name, &register.place);
        }
        if let Some(role) = task.frame.role()
            && !matches!(status, Status::Skipped | Status::Unreachable)
        {
            self.begun_roles.entry(role.identity.clone()).or_default().insert(host.clone());
        }
        match status {
            // An include is counted when its tasks are loaded.
            Status::Ok | Status::Changed if includes => {}
            Status::Ok | Status::Changed => self.run.stats.ok(host, changed),
            Status::Skipped => self.run.stats.skipped(host),
            Status::Failed | Status::Unreachable if ignored => self.run.stats.ignored(host, changed),
            Status::Failed => {
                // What runs once fails for every host; the recap counts it for the one that ran it.
                for other in concerned.iter().filter(|other| *other != host) {
                    self.mark_failed(other);
                    self.play.base.play.remove(other);
                }
                self.step.failed.insert(host.clone());
                match self.fail(host, task, values) {
                    Some(Failed::Rescued) => self.run.stats.rescued(host),
                    Some(Failed::Lost) => self.run.stats.failed(host),
                    None => {}
                }
                self.spread(running);
            }
            Status::Unreachable => {
                self.run.stats.unreachable(host);
                self.run.unreachable.insert(host.clone());
                if let Some(cursor) = self.cursors.get_mut(host) {
                    (cursor.failed, cursor.unreachable) = (true, true);
                }
                self.lost(host);
                self.spread(running);
            }
        }
        if self.strategy != Strategy::Linear {
            self.load_inclusions()?;
        }
        Ok(())
    }

    /// Applies the effects of a task.
    fn apply(
        &mut self,
        effects: Vec<Effect>,
        running: &Running,
        result: &TaskResult,
        concerned: &[Arc<str>],
    ) -> Result<(), Error> {
        let Running { task, scope, once, .. } = running;
        let (host, once) = (&scope.host.name, *once);
        let mut changed_inventory = false;
        let whom = |to: Arc<str>| if once && to == *host { concerned.to_vec() } else { vec![to] };
        for effect in effects {
            match effect {
                Effect::Set { host: to, values } => {
                    let registered =
                        |name: &Arc<str>| task.register.iter().any(|register| register.name == *name);
                    for (name, _) in values.iter().filter(|(name, _)| !registered(name)) {
                        let place = task.action.args.get(name).map(Node::key_place);
                        self.run.warn_of_name(name, place.as_ref().unwrap_or(&task.place));
                    }
                    for host in whom(to) {
                        self.play.base.store.set_all(&host, values.clone());
                    }
                }
                Effect::Facts { host: to, facts } => {
                    for host in whom(to) {
                        if let Err(e) = self.play.base.store.add_facts(&host, &facts) {
                            self.run.emit(Event::Warning(e.to_string()));
                        }
                    }
                }
                Effect::Include { host: to, vars } => {
                    for (name, node) in &vars {
                        self.run.warn_of_name(name, &node.key_place());
                    }
                    for host in whom(to) {
                        self.play.base.store.include(&host, vars.clone());
                    }
                }
                Effect::AddHost { name, groups, vars } => {
                    if self.run.add_host(&name, &groups, vars)? {
                        changed_inventory = true;
                        self.play.base.play.add(&name);
                    }
                }
                Effect::GroupBy { host, group, parents } => {
                    changed_inventory |= self.run.group_by(&host, &group, &parents)?;
                }
                Effect::Stats { host, data, aggregate } => self.run.stats.custom(host, data, aggregate),
                Effect::Notify(names) => {
                    // An unknown handler is an error in the playbook that ends the run. With `run_once` too, only the
                    // host that ran the task is concerned.
                    self.notify(&names, std::slice::from_ref(host), task)?;
                }
                Effect::Tasks(inclusion) => {
                    // With `run_once`, too, only the host that ran the include runs its tasks.
                    if matches!(result.status, Status::Ok | Status::Changed | Status::Skipped) {
                        self.ask_inclusion(*inclusion, task, std::slice::from_ref(host));
                    }
                }
            }
        }
        if changed_inventory {
            self.play.base.forget_inventory_layers();
        }
        Ok(())
    }

    /// Handles the failure of a host's task: the host goes to its rescue or is out.
    pub(super) fn fail(&mut self, host: &Arc<str>, task: &Arc<Task>, values: Map) -> Option<Failed> {
        let failed = self.mark_failed(host)?;
        if cursor_of(&mut self.cursors, host).is_rescuing() || failed == Failed::Rescued {
            let info = failed_task::value(&self.play, task, host);
            self.play.base.store.set_all(
                host,
                [("ansible_failed_task".into(), info), ("ansible_failed_result".into(), Value::from(values))],
            );
        }
        Some(failed)
    }

    /// Moves a host to its rescue, or out; a host that is in its rescue or `always` section already leaves it.
    fn mark_failed(&mut self, host: &Arc<str>) -> Option<Failed> {
        let cursor = self.cursors.get_mut(host).filter(|cursor| !cursor.unreachable)?;
        let failed = cursor.fail();
        let ended = cursor.has_ended();
        if failed == Failed::Lost {
            self.lost(host);
            if ended {
                self.out.insert(host.clone());
            }
        }
        Some(failed)
    }

    /// Removes a failed host from the play.
    fn lost(&mut self, host: &Arc<str>) {
        self.run.failed.insert(host.clone());
        self.play.base.play.remove(host);
    }

    /// Notes whether a failure is fatal for all hosts at the end of the step (`any_errors_fatal`).
    pub(super) fn spread(&mut self, running: &Running) {
        let renderer = running.scope.renderer();
        let keywords = keyword::of(&running.task, &renderer);
        let asked = match keywords.any_errors_fatal() {
            Ok(asked) => asked.unwrap_or(self.play.shared.settings.any_errors_fatal),
            // That is what the task has failed with.
            Err(_) => keywords.written_truth(Keyword::AnyErrorsFatal),
        };
        self.step.fatal |= asked || running.alone;
    }

    /// Ends a step: after a fatal failure the other hosts fail, too, and each goes to its rescue or is out. As in ansible-core,
    /// those that are rescued count as failed all the same: later plays go on without them, and so says the exit status.
    ///
    /// `max_fail_percentage` counts the hosts that have failed and have nothing left to do. As in ansible-core, neither
    /// unreachable hosts count nor those that still go through an `always` section or forced handlers.
    pub(super) fn end_step(&mut self) {
        let step = std::mem::take(&mut self.step);
        let percent = self.out.len() as f64 / self.all.len().max(1) as f64 * 100.0;
        let too_many = step.any && self.play.max_fail_percentage.is_some_and(|limit| percent > limit);
        if !step.fatal && !too_many {
            return;
        }
        let left: Vec<Arc<str>> =
            self.cursors.iter().filter(|(_, cursor)| !cursor.unreachable).map(|(h, _)| h.clone()).collect();
        for host in left.iter().filter(|host| !step.failed.contains(*host)) {
            self.out.insert(host.clone());
            self.mark_failed(host);
            self.lost(host);
        }
        if too_many {
            self.run.emit(Event::NoHostsRemaining);
            self.stop = self.stop.max(Stop::Fatal);
            // Told once that there are too many, and once more that they are all: then nothing is left to do.
            if self.out.len() >= left.len() {
                self.run.emit(Event::NoHostsRemaining);
                self.cursors.values_mut().for_each(Cursor::end);
            }
        }
    }

    fn notify(&mut self, names: &[String], hosts: &[Arc<str>], task: &Arc<Task>) -> Result<(), Error> {
        let without_host = HostScope::new(&self.play.base, &Arc::from(""), None, Default::default());
        for warning in self.handlers.unusable(&without_host.renderer()) {
            self.run.emit(Event::Warning(warning));
        }
        let render = name_renderer(self.play.base.clone());
        for name in names {
            let mut found = true;
            for host in hosts {
                // While handlers run, there is no later flush that the notification could wait for.
                if self.cursors.get(host).is_some_and(Cursor::in_handlers) {
                    let met = self.handlers.notify(name, host, &render);
                    found &= met.is_some();
                    self.tell_notified(&met.unwrap_or_default(), host);
                } else {
                    found &= self.handlers.save(name, host, &render);
                }
            }
            if !found {
                let message = format!(
                    "The requested handler '{name}' was not found in either the main handlers list nor in \
                    the listening handlers list"
                );
                if self.play.shared.settings.error_on_missing_handler {
                    return Err(Error::new(message).at(&task.place).with_help(
                        "Handlers are listed under `handlers:` of the play or in a role's handlers/main.yml.",
                    ));
                }
                self.run.emit(Event::Warning(message));
            }
        }
        Ok(())
    }

    /// Reports the handlers that were notified for a host.
    pub(super) fn tell_notified(&mut self, handlers: &[TaskId], host: &Arc<str>) {
        let all = self.handlers.all().clone();
        for handler in all.iter().filter(|handler| handlers.contains(&handler.id)) {
            let name = self.handlers.name(handler);
            self.run.emit(Event::Notified { handler: name, host: host.clone() });
        }
    }
}

/// Returns the function that renders the names of handlers.
pub(super) fn name_renderer(base: Arc<ScopeBase>) -> impl Fn(&Arc<Task>, &Node) -> Option<String> {
    move |handler, node| {
        let scope = HostScope::new(&base, &Arc::from(""), Some(handler), Default::default());
        scope.renderer().value(node).ok().map(|name| name.to_text().into_owned())
    }
}
