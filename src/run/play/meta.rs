//! `meta`: tasks that steer the run itself.

use std::sync::Arc;

use playbook_api::{Error, map};

use super::batch::{Batch, Stop, cursor_of};
use super::cursor::{Cursor, Step};
use crate::playbook::{Condition, FrameKind, Meta, Task};
use crate::report::{Event, Status, TaskInfo};
use crate::run::call::keyword::{self, Verdict};
use crate::run::call::result;
use crate::run::module::on_host;
use crate::vars::HostScope;

impl Batch<'_> {
    /// Runs a `meta` task for a host. Returns whether it counts for all hosts at once.
    pub(super) fn meta(
        &mut self,
        host: &Arc<str>,
        step: &Step,
        info: &Arc<TaskInfo>,
        scope: &Arc<HostScope>,
    ) -> Result<bool, Error> {
        let task = &step.task;
        let meta = Meta::of(task);
        if let Ok(meta) = meta
            && meta.is_unconditional()
        {
            if task.conditions().next().is_some() {
                let warning = format!("{} task does not support when conditional", meta.name());
                self.run.emit(Event::Warning(warning));
            }
            return self.carry_out(meta, host, task, info, scope);
        }
        // Its error does not name the keyword, in no release.
        let error = |_: &Condition, error: Error| error;
        match keyword::conditions_of_no_keyword(task.conditions(), &scope.renderer(), error) {
            // In check mode, what a condition depends on may not be known: the play goes on as if it held.
            Ok(Verdict::True | Verdict::Unknown(_)) => {}
            Ok(Verdict::False(condition)) => {
                let name = meta.as_ref().map_or_else(String::as_str, |meta| meta.name());
                if !task.implicit {
                    self.skip_meta(host, task, name, info, scope, condition);
                }
                return Ok(meta.is_ok_and(Meta::is_for_all));
            }
            // It ends the run: nothing says for which hosts the task would have counted.
            Err(e) => return Err(e),
        }
        let meta = meta.map_err(|name| invalid(&name, task))?;
        self.carry_out(meta, host, task, info, scope)
    }

    fn carry_out(
        &mut self,
        meta: Meta,
        host: &Arc<str>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        scope: &Arc<HostScope>,
    ) -> Result<bool, Error> {
        match meta {
            Meta::Noop => self.tell("noop"),
            Meta::ResetConnection => {
                on_host::reset(&self.play, host, task, info, scope)?;
                self.tell("reset connection");
            }
            Meta::FlushHandlers => self.flush_handlers(host, task),
            Meta::RefreshInventory => {
                self.run.refresh_inventory()?;
                self.play.base.forget_inventory_layers();
                self.run.refresh_hosts(&self.play)?;
                self.tell("inventory successfully refreshed");
            }
            Meta::ClearFacts => {
                for host in self.cursors.keys() {
                    self.play.base.store.clear_facts(host)?;
                }
                self.tell("facts cleared");
            }
            Meta::ClearHostErrors => {
                // Those that failed before this play take part in the next one, those that were unreachable start this one.
                for host in &self.all {
                    self.run.failed.remove(host);
                    if self.run.unreachable.remove(host) {
                        let start = || Cursor::new(self.items.clone());
                        self.cursors.entry(host.clone()).or_insert_with(start);
                    }
                    self.out.remove(host);
                }
                self.cursors.values_mut().for_each(|cursor| cursor.clear_failure());
                self.tell("cleared host errors");
            }
            Meta::EndBatch => self.end_all(Stop::Batch, "ending batch"),
            Meta::EndPlay => self.end_all(Stop::Play, "ending play"),
            Meta::EndHost => {
                cursor_of(&mut self.cursors, host).end();
                self.play.base.play.remove(host);
                self.tell(&format!("ending play for {host}"));
            }
            Meta::EndRole => self.end_role(host, task)?,
            Meta::RoleComplete => self.complete_role(host, task),
        }
        Ok(meta.is_for_all())
    }

    /// Reports what a `meta` task did, at -vv.
    fn tell(&mut self, what: &str) {
        self.run.emit(Event::Verbose { level: 2, text: format!("META: {what}"), host: None });
    }

    /// Reports a `meta` task whose condition does not hold.
    fn skip_meta(
        &mut self,
        host: &Arc<str>,
        task: &Task,
        name: &str,
        info: &Arc<TaskInfo>,
        scope: &Arc<HostScope>,
        condition: playbook_api::Value,
    ) {
        let goes_on = match name {
            "end_host" => format!(", continuing execution for {host}"),
            "end_play" | "end_batch" => format!(", continuing {}", name.trim_start_matches("end_")),
            "end_role" => format!(", continuing role {}", task.frame.role().map_or("", |r| &r.name)),
            _ => String::new(),
        };
        let reason = format!("{name} conditional evaluated to False{goes_on}");
        self.tell(&reason);
        let mut result = result::blank(info, scope, Status::Skipped);
        result.values = map! {
            "changed" => false,
            "skipped" => true,
            "msg" => name,
            "skip_reason" => reason,
            "false_condition" => condition,
        };
        self.run.emit(Event::HostResult(result));
    }

    fn flush_handlers(&mut self, host: &Arc<str>, task: &Task) {
        let render = super::finish::name_renderer(self.play.base.clone());
        let notified = self.handlers.flush(host, &render);
        self.tell_notified(&notified, host);
        let handlers = self.handlers.all().clone();
        self.order.insert(handlers.iter().map(|h| h.id).collect());
        cursor_of(&mut self.cursors, host).flush(&handlers);
        let what = format!("triggered running handlers for {host}");
        if !task.implicit {
            self.tell(&what);
        } else if self.play.shared.settings.debug
            && handlers.iter().any(|handler| self.handlers.is_notified(handler, host))
        {
            self.run.emit(Event::Verbose { level: 0, text: format!("META: {what}"), host: None });
        }
    }

    /// Ends the batch, or more than that, for all hosts.
    fn end_all(&mut self, stop: Stop, what: &str) {
        self.cursors.values_mut().for_each(|cursor| cursor.end());
        self.stop = self.stop.max(stop);
        self.tell(what);
    }

    fn end_role(&mut self, host: &Arc<str>, task: &Task) -> Result<(), Error> {
        let Some(role) = task.frame.role() else {
            return Err(Error::new("Cannot execute 'end_role' from outside of a role").at(&task.place));
        };
        let identity = role.identity.clone();
        cursor_of(&mut self.cursors, host)
            .leave(|block| matches!(&block.frame.kind, FrameKind::Role(r) if r.identity == identity));
        self.done_roles.entry(identity).or_default().insert(host.clone());
        Ok(())
    }

    /// Marks that a host has been through a role, unless nothing of the role ran on it.
    fn complete_role(&mut self, host: &Arc<str>, task: &Task) {
        if let Some(role) = task.frame.role()
            && self.begun_roles.get(&role.identity).is_some_and(|hosts| hosts.contains(host))
        {
            self.done_roles.entry(role.identity.clone()).or_default().insert(host.clone());
        }
    }
}

/// The error for a name that means nothing to `meta`.
pub(crate) fn invalid(name: &str, task: &Task) -> Error {
    let mut names: Vec<&str> = Meta::ALL.iter().map(|meta| meta.name()).collect();
    names.retain(|name| *name != Meta::RoleComplete.name());
    let error = Error::new(format!("invalid meta action requested: {name}")).at(&task.place);
    error.with_help(match playbook_api::nearest(name, names.iter().copied()) {
        Some(near) => format!("Did you mean '{near}'?"),
        None => format!("The meta actions are {}.", names.join(", ")),
    })
}
