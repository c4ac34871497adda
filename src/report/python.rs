//! Callback plugins in Python, which run in the helper.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, Map, Redactor, Value};
use serde_json::{Value as Json, json};

use super::{Event, Reporter, RoleInfo, Status, TaskInfo, TaskResult, format_error, output};
use crate::foreign::{Foreign, Kind, nothing_to_ask, wire};
use crate::playbook::TaskId;
use crate::settings::Settings;

/// Passes events to callback plugins in Python. If one of them is the report, there is no other report.
struct Callbacks {
    foreign: Arc<Foreign>,
    /// The built-in report.
    inner: Option<Box<dyn Reporter>>,
    redactor: Redactor,
    /// The task that was last announced for all hosts.
    announced: Option<TaskId>,
}

/// Returns the settings without the enabled callback plugins that run in the helper.
pub fn without(settings: &Settings, foreign: &Foreign) -> Settings {
    let mut settings = settings.clone();
    let theirs = foreign.callbacks(&settings.callbacks_enabled);
    settings.callbacks_enabled.retain(|name| !theirs.contains(name));
    settings
}

/// Adds the callback plugins in Python to a report. One that `stdout_callback` names replaces it.
pub fn with_plugins(
    inner: Option<Box<dyn Reporter>>,
    foreign: &Arc<Foreign>,
    settings: &Settings,
    redactor: Redactor,
) -> Result<Box<dyn Reporter>, Error> {
    let name = &settings.stdout_callback;
    let chosen = foreign.find(Kind::Callback, name, &[])?.filter(|found| found.path.is_some());
    let more = foreign.callbacks(&settings.callbacks_enabled);
    let inner = match inner {
        Some(inner) if chosen.is_none() && more.is_empty() => return Ok(inner),
        None if chosen.is_none() => return Err(super::unknown(name)),
        inner => inner,
    };
    let first = chosen.as_ref().map(|found| &found.name).or(more.first()).cloned().unwrap_or_default();
    let started = foreign.python_for("callback plugin", &first);
    let python = match (started, &chosen) {
        (Ok(python), _) => python,
        (Err(error), None) => match inner {
            Some(mut inner) => {
                inner.event(&Event::Warning(format_error(&error)));
                return Ok(inner);
            }
            None => return Err(error),
        },
        (Err(error), Some(_)) => return Err(error),
    };
    let body = json!({ "stdout": chosen.as_ref().map(|found| &found.name), "more": more });
    python.ask("load callbacks", body, &mut nothing_to_ask)?;
    foreign.set_callbacks();
    let inner = if chosen.is_some() { None } else { inner };
    Ok(Box::new(Callbacks { foreign: foreign.clone(), inner, redactor, announced: None }))
}

impl Reporter for Callbacks {
    fn event(&mut self, event: &Event) {
        if let Some(inner) = &mut self.inner {
            inner.event(event);
            inner.flush();
        }
        if let Event::HostStart { task, .. } = event
            && self.announced != Some(task.id)
        {
            self.tell(json!({ "event": "task", "task": task_of(task) }));
        }
        if let Event::TaskStart(task) = event {
            self.announced = Some(task.id);
        }
        if let Event::PlayStart { .. } = event {
            self.announced = None;
        }
        if let Some(body) = self.body(event) {
            self.tell(body);
        }
    }

    fn flush(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.flush();
        }
    }

    fn wants_arguments(&self) -> bool {
        true
    }
}

impl Callbacks {
    fn tell(&self, body: Json) {
        if let Ok(python) = self.foreign.python()
            && let Err(error) = python.ask("callback", body, &mut nothing_to_ask)
        {
            output::error(&format!("[ERROR]: {}\n", self.redactor.text(&error.to_string())));
        }
    }

    /// Returns an event in the form of the helper, or nothing for events that callback plugins are not told.
    fn body(&self, event: &Event) -> Option<Json> {
        let alone = self.inner.is_none();
        Some(match event {
            Event::RunStart { playbook, .. } => json!({ "event": "start", "playbook": playbook }),
            Event::PlayStart { name, pattern, check, place, .. } => json!({
                "event": "play", "name": name, "check": check, "file": &*place.file, "line": place.line,
                "hosts": [pattern],
            }),
            Event::NoHostsMatched => json!({ "event": "no hosts matched" }),
            Event::NoHostsRemaining => json!({ "event": "no hosts remaining" }),
            Event::TaskStart(task) => json!({ "event": "task", "task": task_of(task) }),
            Event::ImplicitTaskStart(task) => {
                json!({ "event": "task", "task": task_of(task), "implicit": true })
            }
            Event::HostStart { task, host } => {
                json!({ "event": "host start", "task": task_of(task), "host": &**host })
            }
            Event::ItemResult(result) => self.result("item", result),
            Event::HostResult(result) => self.result("result", result),
            Event::Retry { result, left } => {
                let mut body = self.result("retry", result);
                body["left"] = (*left).into();
                body
            }
            Event::Poll { result, .. } => self.result("poll", result),
            Event::Polled { task, host, job, failed } => {
                let values = playbook_api::map! { "ansible_job_id" => job.as_str() };
                json!({
                    "event": "polled", "status": if *failed { "failed" } else { "ok" }, "ignored": false,
                    "host": &**host, "task": task_of(task), "values": wire::encode(&values.into()),
                })
            }
            Event::VarsPrompt { name, private } => {
                json!({ "event": "vars prompt", "name": &**name, "private": private })
            }
            Event::Included { file, hosts, item } => json!({
                "event": "included", "file": file, "item": item,
                "hosts": hosts.iter().map(|h| &**h).collect::<Vec<_>>(),
            }),
            Event::Notified { handler, host } => {
                json!({ "event": "notified", "handler": handler, "host": &**host })
            }
            Event::Warning(text) if alone => json!({ "event": "warning", "text": self.redactor.text(text) }),
            Event::Deprecation(text) if alone => {
                json!({ "event": "deprecation", "text": self.redactor.text(text) })
            }
            Event::Error(error) if alone => {
                json!({ "event": "error", "text": self.redactor.text(&format_error(error)) })
            }
            Event::Verbose { level, text, host } if alone => json!({
                "event": "verbose", "level": level, "text": self.redactor.text(text), "host": host.as_deref(),
            }),
            Event::Stats { hosts, custom } => {
                let hosts = hosts.iter().map(|(name, s)| {
                    let counts = json!({
                        "ok": s.ok, "changed": s.changed, "dark": s.unreachable, "failures": s.failed,
                        "skipped": s.skipped, "rescued": s.rescued, "ignored": s.ignored,
                    });
                    (name.to_string(), counts)
                });
                let custom =
                    custom.iter().map(|(n, v)| (n.to_string(), wire::encode(&self.redactor.map(v).into())));
                json!({
                    "event": "stats", "hosts": hosts.collect::<serde_json::Map<_, _>>(),
                    "custom": custom.collect::<serde_json::Map<_, _>>(),
                })
            }
            _ => return None,
        })
    }

    fn result(&self, event: &str, result: &TaskResult) -> Json {
        let status = match result.status {
            Status::Ok | Status::Changed => "ok",
            Status::Failed => "failed",
            Status::Unreachable => "unreachable",
            Status::Skipped => "skipped",
        };
        let mut values: Map = self.redactor.map(&result.values);
        values.entry("changed".into()).or_insert_with(|| (result.status == Status::Changed).into());
        if let Some(item) = &result.item {
            values.insert("_ansible_item_label".into(), self.redactor.value(item));
        }
        for (name, flag) in
            [("_ansible_no_log", result.no_log), ("_ansible_verbose_always", result.verbose_always)]
        {
            if flag {
                values.insert(name.into(), true.into());
            }
        }
        if let Some(delegate) = &result.delegated {
            let host: Map =
                [(Value::from("ansible_host"), Value::from(delegate.clone()))].into_iter().collect();
            values.insert("_ansible_delegated_vars".into(), host.into());
        }
        json!({
            "event": event, "status": status, "ignored": result.ignored, "host": &*result.host,
            "task": task_of(&result.task), "values": wire::encode(&values.into()),
            "error": result.error.as_ref().map(|e| self.redactor.text(&format_error(e))),
        })
    }
}

fn task_of(task: &TaskInfo) -> Json {
    // In ansible-core a task's name is without its role's.
    let of_role = |role: &RoleInfo| task.name.strip_prefix(&*role.full_name)?.strip_prefix(" : ");
    let name = task.role.as_ref().and_then(of_role).unwrap_or(&task.name);
    let name = if name == task.action { "" } else { name };
    let role = task.role.as_ref().map(|role| {
        let collection = role.full_name.strip_suffix(&*role.name).map(|text| text.trim_end_matches('.'));
        json!({ "name": &*role.name, "collection": collection, "path": role.path })
    });
    json!({
        "id": task.id.to_string(), "name": name, "role": role, "action": task.action, "check": task.check,
        "no_log": task.no_log, "file": &*task.place.file, "line": task.place.line, "column": task.place.column,
        "handler": task.kind == super::TaskKind::Handler,
        "args": wire::encode(&Value::from(task.args.clone())),
    })
}

/// Makes the directories of the playbooks known, since they may hold callback plugins.
pub fn add_directories(playbooks: &[PathBuf], foreign: &Foreign) {
    for path in playbooks {
        if let Some(directory) = crate::paths::absolute(path).parent() {
            foreign.add_playbook(directory);
        }
    }
}
