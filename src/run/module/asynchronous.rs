//! `async` and `poll`: the module runs as a job on the host, which the task may wait for.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Arguments, Error, Failure, Map, Outcome, Run, Value, map};

use super::{dispatch, external};
use crate::playbook::Task;
use crate::report::{Event, Status};
use crate::run::call::action::ActionEntry;
use crate::run::call::{ActionCall, keyword, result};
use crate::template::Scope;
use crate::vars::HostScope;

/// Returns the time limit of the task's job in seconds; nothing if it does not run as a job.
pub fn limit(task: &Task, scope: &Arc<HostScope>) -> Result<Option<u64>, Error> {
    let Some(node) = &task.async_seconds else { return Ok(None) };
    let seconds = keyword::integer(node, "async_val", &scope.renderer())?;
    Ok(seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0))
}

/// Returns the interval in seconds in which the task asks for its job's end; nothing if it does not wait for it.
fn poll(call: &ActionCall) -> Result<Option<u64>, Error> {
    let seconds = match &call.item.task.poll {
        Some(node) => keyword::integer(node, "poll", &call.renderer())?.unwrap_or(0),
        None => i64::try_from(call.item.play.shared.settings.poll_interval).unwrap_or(0),
    };
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0))
}

/// Returns whether the task waits for a job.
pub fn waits(call: &ActionCall) -> Result<bool, Error> {
    Ok(limit(call.item.task, call.scope)?.is_some() && poll(call)?.is_some())
}

/// Starts the task's module as a job and, with `poll`, waits for its end.
pub fn run(call: &mut ActionCall, action: Option<&ActionEntry>) -> Result<Outcome, Failure> {
    let (task, shared) = (call.item.task, &call.item.play.shared);
    let name = &task.action.name;
    let needs_the_run = action.is_some_and(|action| !action.asynchronous);
    let resolved = if needs_the_run { None } else { Some(dispatch::resolve(call, name)?) };
    let (entry, foreign) = match resolved {
        Some(dispatch::Resolved::Native(entry)) if matches!(entry.run, Run::Host(_)) => (entry, None),
        Some(dispatch::Resolved::Foreign(found, path)) => {
            let prepared = external::prepare(call, &found, &path, &call.args, true)?;
            call.args = prepared.args.clone();
            call.args.values.insert("job".into(), true.into());
            (prepared.entry.clone(), Some(prepared))
        }
        _ => return Err(Failure::new(format!("This action ({name}) does not support async."))),
    };
    let limit = limit(task, call.scope)?.unwrap_or_default();
    let poll = poll(call)?;
    for (option, _) in entry.spec().options.iter().filter(|(_, option)| option.no_log) {
        if let Some(secret) = call.args.get(option) {
            shared.context.redactor.register_value(secret);
        }
    }
    let shown = shared.shows_invocations().then(|| dispatch::invocation(&entry, &call.args));
    let prefix = format!("j{}", RandomState::new().hash_one(0) % 1_000_000_000_000);
    let directory = directory(call)?;
    let started = call.call_module(
        "ansible.builtin.async_wrapper",
        Arguments {
            values: map! {
                "_prefix" => prefix, "_limit" => limit, "_async_dir" => directory.as_str(),
                "_module" => entry.doc.full_name(), "_module_args" => call.args.values.clone(),
            },
            ..call.args.clone()
        },
    )?;
    let done = match poll {
        Some(poll) => wait(call, &started.values, limit, poll),
        None => Ok(started),
    };
    let done = match &foreign {
        Some(prepared) => return prepared.finish(done),
        None => done,
    };
    let Some(shown) = shown else { return done };
    match done {
        Ok(outcome) => Ok(outcome.with("invocation", shown)),
        Err(failure) => Err(failure.with("invocation", shown)),
    }
}

/// Returns the directory of jobs on the host.
pub fn directory(call: &ActionCall) -> Result<String, Error> {
    match call.scope.get("ansible_async_dir").transpose()? {
        Some(directory) => Ok(crate::template::Renderer::finalize(directory)?.to_text().into_owned()),
        None => Ok(call.item.play.shared.settings.async_dir.to_string_lossy().into_owned()),
    }
}

/// Polls a job until it ends or its time limit is reached.
fn wait(call: &mut ActionCall, started: &Map, limit: u64, poll: u64) -> Result<Outcome, Failure> {
    let job = started.get("ansible_job_id").map(|id| id.to_text().into_owned()).unwrap_or_default();
    let end = watch(call, &job, limit, poll);
    let host = call.item.host.clone();
    let (task, failed) = (call.item.info.clone(), end.is_err());
    (call.item.emit)(Event::Polled { task, host, job, failed });
    end
}

fn watch(call: &mut ActionCall, job: &str, limit: u64, poll: u64) -> Result<Outcome, Failure> {
    let mut left = limit;
    loop {
        call.item.play.sleep(Duration::from_secs(poll))?;
        let seen = status(call, job, "status");
        left = left.saturating_sub(poll);
        match seen {
            Ok(outcome) if finished(&outcome) || outcome.skipped => {
                status(call, job, "cleanup")?;
                return Ok(outcome);
            }
            Err(failure) if finished(&failure.outcome) => {
                // A job that does not exist cannot be cleaned up either.
                let _ = status(call, job, "cleanup");
                return Err(failure);
            }
            Err(failure) if left == 0 => return Err(failure),
            // A connection may fail while the job continues.
            Err(_) => {}
            Ok(outcome) => {
                let mut result = result::blank(call.item.info, call.scope, Status::Ok);
                result.values = outcome.values;
                if left == 0 {
                    let message = format!("async task did not complete within the requested time - {limit}s");
                    return Err(Failure::new(message).with("async_result", result.values));
                }
                (call.item.emit)(Event::Poll { result, job: job.to_owned() });
            }
        }
    }
}

fn status(call: &mut ActionCall, job: &str, mode: &str) -> Result<Outcome, Failure> {
    let values = map! { "jid" => job, "mode" => mode, "_async_dir" => directory(call)? };
    let args = Arguments { values, ..call.args.clone() };
    call.call_module("ansible.builtin.async_status", args)
}

fn finished(outcome: &Outcome) -> bool {
    outcome.values.get("finished").is_some_and(Value::is_true)
}
