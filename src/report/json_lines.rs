//! `--output json`: one JSON event per line, for other programs.

use playbook_api::{Error, Map, Redactor, Value, map};

use super::result::shown;
use super::{Event, Reporter, Streams, TaskInfo, TaskKind, TaskResult, format_error, output};

/// The report that prints one JSON object per event. Each has `event`, the kind of the event, and `time`, in UTC.
pub struct JsonLines {
    streams: Streams,
    redactor: Redactor,
}

impl JsonLines {
    /// Returns the report on these streams.
    pub fn new(streams: Streams, redactor: Redactor) -> Self {
        JsonLines { streams, redactor }
    }

    /// Prints an event.
    pub fn put(&mut self, name: &str, values: Map) {
        let mut event = map! { "event" => name, "time" => jiff::Timestamp::now().to_string() };
        event.extend(values);
        let event = Value::from(self.redactor.map(&event));
        let line = event.to_json().to_string() + "\n";
        output::write(&self.streams.out, &line);
    }
}

fn task(info: &TaskInfo) -> Map {
    let kind = if info.kind == TaskKind::Handler { "handler" } else { "task" };
    map! {
        "task" => info.name.as_str(), "kind" => kind, "action" => info.action.as_str(),
        "path" => info.place.to_string(), "check" => info.check,
    }
}

fn result(result: &TaskResult) -> Map {
    let mut values = map! { "host" => result.host.clone() };
    if let Some(delegated) = &result.delegated {
        values.insert("delegated".into(), delegated.clone().into());
    }
    values.extend(task(&result.task));
    values.extend(map! {
        "status" => result.status.name(), "ignored" => result.ignored, "loop" => result.is_loop,
        "duration" => (result.duration.as_secs_f64() * 1e6).round() / 1e6,
    });
    if let Some(item) = result.item.as_ref().filter(|_| !result.no_log) {
        values.insert("item".into(), item.clone());
    }
    let own = |key: &Value| key.as_str().is_some_and(|key| key.starts_with("_ansible_"));
    let shown: Map = shown(result).into_iter().filter(|(key, _)| !own(key)).collect();
    values.insert("result".into(), shown.into());
    if let Some(error) = result.error.as_ref().filter(|_| !result.no_log) {
        values.insert("error".into(), format_error(error).trim_end().into());
    }
    if let Some(change) = result.change.as_ref().filter(|_| !result.no_log) {
        values.insert("change".into(), change.to_map().into());
    }
    if !result.warnings.is_empty() {
        values.insert("warnings".into(), result.warnings.clone().into());
    }
    values
}

/// Returns an error with its place and the next step.
fn fault(error: &Error) -> Map {
    let chain = || std::iter::successors(Some(error), |error| error.cause());
    let mut values = map! { "message" => super::brief(error), "text" => format_error(error).trim_end() };
    if let Some(place) = chain().find_map(Error::place) {
        values.insert("path".into(), place.to_string().into());
    }
    if let Some(help) = chain().find_map(Error::help) {
        values.insert("help".into(), help.into());
    }
    values
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStart { playbook, check } => {
                self.put("run_start", map! { "playbook" => playbook.as_str(), "check" => *check });
            }
            Event::PlayStart { name, hosts, check, place, .. } => {
                let hosts: Vec<Value> = hosts.iter().map(|host| host.clone().into()).collect();
                let values = map! {
                    "play" => name.as_str(), "hosts" => hosts, "check" => *check, "path" => place.to_string(),
                };
                self.put("play_start", values);
            }
            Event::NoHostsMatched => self.put("no_hosts_matched", map! {}),
            Event::NoHostsRemaining => self.put("no_hosts_remaining", map! {}),
            Event::TaskStart(info) => self.put("task_start", task(info)),
            Event::HostStart { task: info, host } => {
                let mut values = map! { "host" => host.clone() };
                values.extend(task(info));
                self.put("host_start", values);
            }
            Event::ItemResult(r) => self.put("item_result", result(r)),
            Event::HostResult(r) => self.put("host_result", result(r)),
            Event::Retry { result: r, left } => {
                let mut values = result(r);
                values.insert("left".into(), (*left).into());
                self.put("retry", values);
            }
            Event::Poll { result: r, job } => {
                let mut values = result(r);
                values.insert("job".into(), job.as_str().into());
                self.put("poll", values);
            }
            Event::Polled { host, job, failed, .. } => {
                let values = map! { "host" => host.clone(), "job" => job.as_str(), "failed" => *failed };
                self.put("polled", values);
            }
            Event::Included { file, hosts, item } => {
                let hosts: Vec<Value> = hosts.iter().map(|host| host.clone().into()).collect();
                self.put(
                    "included",
                    map! { "file" => file.as_str(), "hosts" => hosts, "item" => item.clone() },
                );
            }
            Event::Notified { handler, host } => {
                self.put("notified", map! { "handler" => handler.as_str(), "host" => host.clone() });
            }
            Event::Progress { host, message } => {
                self.put("progress", map! { "host" => host.clone(), "message" => message.as_str() });
            }
            Event::Warning(text) => self.put("warning", map! { "message" => text.as_str() }),
            Event::Deprecation(text) => self.put("deprecation", map! { "message" => text.as_str() }),
            Event::ImplicitTaskStart(_)
            | Event::VarsPrompt { .. }
            | Event::Text(_)
            | Event::Banner(_)
            | Event::Verbose { .. } => {}
            Event::Error(error) => {
                self.put("error", fault(error));
            }
            Event::Stats { hosts, custom } => {
                let counts = hosts.iter().map(|(host, s)| {
                    let counts = map! {
                        "ok" => s.ok, "changed" => s.changed, "unreachable" => s.unreachable, "failed" => s.failed,
                        "skipped" => s.skipped, "rescued" => s.rescued, "ignored" => s.ignored,
                    };
                    (Value::from(host.clone()), Value::from(counts))
                });
                let hosts: Map = counts.collect();
                let custom: Map =
                    custom.iter().map(|(k, v)| (Value::from(k.clone()), Value::from(v.clone()))).collect();
                self.put("stats", map! { "hosts" => hosts, "custom" => custom });
            }
        }
    }
}
