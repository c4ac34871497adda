//! `meta`: tasks that steer the run itself.

use std::sync::Arc;

use playbook_api::{Error, map};

use super::batch::{Batch, Stop, cursor_of};
use super::cursor::Step;
use crate::playbook::{FrameKind, Task};
use crate::report::{Event, Status, TaskInfo};
use crate::run::call::keyword::{self, Verdict};
use crate::run::call::result;
use crate::run::module::on_host;
use crate::vars::HostScope;

/// What a `meta` task does, if it is one.
fn kind(task: &Task) -> String {
    task.action.args.get("_raw_params").map(|n| n.raw().to_text().trim().to_owned()).unwrap_or_default()
}

/// Whether the engine put the task there itself: it is not shown.
pub fn is_implicit(task: &Task) -> bool {
    task.implicit
}

/// Runs a `meta` task. Answers whether it counts for all hosts at once.
pub fn run(
    batch: &mut Batch,
    host: &Arc<str>,
    step: &Step,
    info: &Arc<TaskInfo>,
    scope: &Arc<HostScope>,
) -> Result<bool, Error> {
    let task = &step.task;
    let kind = kind(task);
    let verdict = match keyword::when(task, &scope.renderer()) {
        Ok(verdict) => verdict,
        Err(e) => {
            let result = result::failed(info, scope, e);
            batch.run.emit(Event::HostResult(result));
            batch.run.stats.failed(host);
            cursor_of(&mut batch.cursors, host).fail();
            return Ok(false);
        }
    };
    if let Verdict::False(condition) = verdict {
        if !is_implicit(task) {
            let mut result = result::blank(info, scope, Status::Skipped);
            let goes_on = match kind.as_str() {
                "end_host" => format!(", continuing execution for {host}"),
                "end_play" | "end_batch" => format!(", continuing {}", kind.trim_start_matches("end_")),
                "end_role" => format!(", continuing role {}", task.frame.role().map_or("", |r| &r.name)),
                _ => String::new(),
            };
            let reason = format!("{kind} conditional evaluated to False{goes_on}");
            let text = format!("META: {reason}");
            batch.run.emit(Event::Verbose { level: 2, text, host: None });
            result.values = map! { "changed" => false, "skipped" => true, "msg" => kind.clone(), "skip_reason" => reason, "false_condition" => condition };
            batch.run.emit(Event::HostResult(result));
        }
        return Ok(is_for_all(&kind));
    }
    let say = |text: String, batch: &mut Batch| batch.run.emit(Event::Verbose { level: 2, text, host: None });
    match kind.as_str() {
        "noop" => say("META: noop".into(), batch),
        "reset_connection" => {
            on_host::reset(&batch.play.clone(), host, task, info, scope)?;
            say("META: reset connection".into(), batch);
        }
        "flush_handlers" => {
            let handlers = batch.handlers.all().clone();
            batch.order.insert(handlers.iter().map(|h| h.id).collect());
            cursor_of(&mut batch.cursors, host).flush(&handlers);
            let waiting = handlers.iter().any(|handler| batch.handlers.is_notified(handler, host));
            let text = format!("META: triggered running handlers for {host}");
            match is_implicit(task) {
                false => say(text, batch),
                true if waiting && batch.play.shared.settings.debug => {
                    batch.run.emit(Event::Verbose { level: 0, text, host: None });
                }
                true => {}
            }
        }
        "refresh_inventory" => {
            batch.run.refresh_inventory()?;
            batch.play.base.forget_inventory_layers();
            batch.run.refresh_hosts(&batch.play.clone())?;
            say("META: inventory successfully refreshed".into(), batch);
        }
        "clear_facts" => {
            for host in batch.cursors.keys() {
                batch.play.base.store.clear_facts(host)?;
            }
            say("META: facts cleared".into(), batch);
        }
        "clear_host_errors" => {
            for (host, cursor) in &mut batch.cursors {
                cursor.clear_failure();
                batch.run.failed.remove(host);
                batch.run.unreachable.remove(host);
            }
            batch.play.base.play.restore_all();
            say("META: cleared host errors".into(), batch);
        }
        "end_batch" => {
            batch.cursors.values_mut().for_each(|cursor| cursor.end());
            batch.stop = batch.stop.max(Stop::Batch);
            say("META: ending batch".into(), batch);
        }
        "end_play" => {
            batch.cursors.values_mut().for_each(|cursor| cursor.end());
            batch.stop = batch.stop.max(Stop::Play);
            say("META: ending play".into(), batch);
        }
        "end_host" => {
            cursor_of(&mut batch.cursors, host).end();
            batch.play.base.play.remove(host);
            say(format!("META: ending play for {host}"), batch);
        }
        "end_role" => {
            let Some(role) = task.frame.role() else {
                return Err(Error::new("Cannot execute 'end_role' from outside of a role").at(&task.place));
            };
            let identity = role.identity.clone();
            cursor_of(&mut batch.cursors, host)
                .leave(|block| matches!(&block.frame.kind, FrameKind::Role(r) if r.identity == identity));
            batch.done_roles.entry(identity).or_default().insert(host.clone());
        }
        "role_complete" => {
            // A host on which nothing of the role ran has not been through it.
            if let Some(role) = task.frame.role()
                && batch.begun_roles.get(&role.identity).is_some_and(|hosts| hosts.contains(host))
            {
                batch.done_roles.entry(role.identity.clone()).or_default().insert(host.clone());
            }
        }
        other => {
            let message = format!("invalid meta action requested: {other}");
            return Err(Error::new(message).at(&task.place).with_help(
                "meta knows clear_facts, clear_host_errors, end_batch, end_host, end_play, end_role, flush_handlers, noop, refresh_inventory and reset_connection",
            ));
        }
    }
    Ok(is_for_all(&kind))
}

fn is_for_all(kind: &str) -> bool {
    matches!(kind, "clear_facts" | "clear_host_errors" | "refresh_inventory" | "end_play" | "end_batch")
}
