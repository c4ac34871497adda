//! What a task did is applied: variables, inventory, notifications, the recap, and who is out.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::batch::{Batch, Running, Stop, cursor_of};
use super::cursor::{Cursor, Failed};
use super::strategy::Strategy;
use crate::playbook::Task;
use crate::report::{Event, Status, TaskResult};
use crate::run::call::effect::Effect;
use crate::run::call::{describe, keyword};
use crate::run::task::TaskOutcome;
use crate::vars::HostScope;

impl Batch<'_> {
    /// Applies what a task did on a host; `told` says that its result is on the report already.
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
        let values = result.values.clone();
        if !told {
            self.run.emit(Event::HostResult(result));
        }
        if let Some(role) = task.frame.role()
            && !matches!(status, Status::Skipped | Status::Unreachable)
        {
            self.begun_roles.entry(role.identity.clone()).or_default().insert(host.clone());
        }
        match status {
            // An include counts when what it brings is loaded.
            Status::Ok | Status::Changed if includes => {}
            Status::Ok | Status::Changed => self.run.stats.ok(host, changed),
            Status::Skipped => self.run.stats.skipped(host),
            Status::Failed | Status::Unreachable if ignored => self.run.stats.ignored(host, changed),
            Status::Failed => {
                let failing = if once { concerned } else { vec![host.clone()] };
                for host in &failing {
                    match self.fail(host, task, values.clone()) {
                        Some(Failed::Rescued) => self.run.stats.rescued(host),
                        Some(Failed::Lost) => self.run.stats.failed(host),
                        None => {}
                    }
                }
                self.spread(running);
            }
            Status::Unreachable => {
                self.step.failed.insert(host.clone());
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

    /// What a task asked for beyond its own host.
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
                    for (name, _) in &values {
                        self.warn_of_name(name, &task.place);
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
                        self.warn_of_name(name, node.place());
                    }
                    for host in whom(to) {
                        self.play.base.store.include(&host, vars.clone());
                    }
                }
                Effect::AddHost { name, groups, vars } => {
                    changed_inventory |= self.run.add_host(&name, &groups, vars)?;
                }
                Effect::GroupBy { host, group, parents } => {
                    changed_inventory |= self.run.group_by(&host, &group, &parents)?;
                }
                Effect::Stats { host, data, aggregate } => self.run.stats.custom(host, data, aggregate),
                Effect::Notify(names) => {
                    // An unknown handler is a mistake in the playbook: it ends the run.
                    self.notify(&names, concerned, task, scope)?;
                }
                Effect::Tasks(inclusion) => {
                    // With `run_once` too, only the host that ran the include goes through what it brings.
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

    /// A host's task has failed: to its rescue, or out.
    pub(super) fn fail(&mut self, host: &Arc<str>, task: &Arc<Task>, values: Map) -> Option<Failed> {
        self.step.failed.insert(host.clone());
        let cursor = self.cursors.get_mut(host)?;
        let failed = cursor.fail();
        if cursor.is_rescuing() || failed == Failed::Rescued {
            let info = describe::failed_task(task);
            self.play.base.store.set_all(
                host,
                [("ansible_failed_task".into(), info), ("ansible_failed_result".into(), Value::from(values))],
            );
        }
        if failed == Failed::Lost {
            self.lost(host);
            if self.play.force_handlers {
                self.handlers.flush_last(host, cursor_of(&mut self.cursors, host));
            }
        }
        Some(failed)
    }

    /// A host is out: no longer among the play's hosts.
    fn lost(&mut self, host: &Arc<str>) {
        self.run.failed.insert(host.clone());
        self.play.base.play.remove(host);
    }

    /// `any_errors_fatal` and `max_fail_percentage`: what failed on one host may fail on all, once the step is over.
    pub(super) fn spread(&mut self, running: &Running) {
        let asked = keyword::of(&running.task, &running.scope.renderer()).any_errors_fatal();
        let default = self.play.shared.settings.any_errors_fatal;
        self.step.fatal |= asked.unwrap_or_default().unwrap_or(default) || running.alone;
    }

    /// The end of a step: a fatal failure takes the other hosts with it, each to its rescue or out.
    pub(super) fn end_step(&mut self) {
        let step = std::mem::take(&mut self.step);
        let out = self.cursors.values().filter(|c| c.failed).count();
        let percent = out as f64 / self.cursors.len().max(1) as f64 * 100.0;
        let too_many =
            !step.failed.is_empty() && self.play.max_fail_percentage.is_some_and(|limit| percent > limit);
        if !step.fatal && !too_many {
            return;
        }
        let untouched =
            |(host, cursor): &(&Arc<str>, &Cursor)| !cursor.failed && !step.failed.contains(*host);
        let others: Vec<Arc<str>> = self.cursors.iter().filter(untouched).map(|(h, _)| h.clone()).collect();
        for host in others {
            if cursor_of(&mut self.cursors, &host).fail() == Failed::Lost {
                self.lost(&host);
            }
        }
        if too_many {
            self.run.emit(Event::NoHostsRemaining);
            // Told once that there are too many, and once more that they are all.
            if self.cursors.values().all(|cursor| cursor.failed) {
                self.run.emit(Event::NoHostsRemaining);
            }
            self.stop = self.stop.max(Stop::Fatal);
        }
    }

    fn notify(
        &mut self,
        names: &[String],
        hosts: &[Arc<str>],
        task: &Arc<Task>,
        scope: &Arc<HostScope>,
    ) -> Result<(), Error> {
        let nobody = HostScope::new(&self.play.base, &Arc::from(""), None, Default::default());
        for warning in self.handlers.unusable(&nobody.renderer()) {
            self.run.emit(Event::Warning(warning));
        }
        for name in names {
            let found = self.handlers.notify(name, hosts, &scope.renderer());
            if found {
                for host in hosts {
                    self.run.emit(Event::Notified { handler: name.clone(), host: host.clone() });
                }
            } else {
                let message = format!(
                    "The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
                );
                if self.play.shared.settings.error_on_missing_handler {
                    return Err(Error::new(message).at(&task.place).with_help(
                        "handlers are listed under `handlers:` of the play or in a role's handlers/main.yml",
                    ));
                }
                self.run.emit(Event::Warning(message));
            }
        }
        Ok(())
    }
}
