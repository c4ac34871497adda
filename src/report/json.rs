//! `json`: prints the run as one JSON document at the end, as the callback of ansible.posix does.

use playbook_api::python::{JsonStyle, json};
use playbook_api::{Error, Map, Place, Redactor, Value, map};

use super::result::{shown, visible};
use super::{Display, Event, Reporter, Status, TaskInfo, TaskResult};
use crate::playbook::TaskId;
use crate::settings::Settings;

/// The report that prints one JSON document at the end.
pub(super) struct Json {
    display: Display,
    custom_stats: bool,
    plays: Vec<Play>,
}

struct Play {
    about: Map,
    start: String,
    end: Option<String>,
    tasks: Vec<Task>,
}

struct Task {
    id: TaskId,
    about: Map,
    start: String,
    end: Option<String>,
    hosts: Map,
}

impl Json {
    /// Returns the report without any play.
    pub(super) fn new(settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        let display = Display::new(settings, verbosity, redactor);
        Json { display, custom_stats: settings.show_custom_stats, plays: Vec::new() }
    }

    fn task(&mut self, task: &TaskInfo) -> Option<&mut Task> {
        let play = self.plays.last_mut()?;
        let found = play.tasks.iter().rposition(|known| known.id == task.id);
        let at = found.unwrap_or_else(|| {
            play.tasks.push(Task {
                id: task.id,
                about: about(&task.name, &task.place),
                start: now(),
                end: None,
                hosts: Map::default(),
            });
            play.tasks.len() - 1
        });
        play.tasks.get_mut(at)
    }

    fn result(&mut self, result: &TaskResult) {
        let mut values = visible(&shown(result));
        for (status, mark) in [(Status::Failed, "failed"), (Status::Skipped, "skipped")] {
            if result.status == status {
                values.insert(mark.into(), true.into());
            }
        }
        if result.status == Status::Unreachable {
            values.insert("unreachable".into(), true.into());
        }
        values.insert("action".into(), result.task.action.as_str().into());
        let end = now();
        if let Some(task) = self.task(&result.task) {
            task.hosts.insert(result.host.clone().into(), values.into());
            task.end = Some(end.clone());
        }
        if let Some(play) = self.plays.last_mut() {
            play.end = Some(end);
        }
    }

    fn document(&self, stats: Map, custom: Map, run: Map) -> Map {
        let duration = |start: &str, end: &Option<String>| {
            let mut duration = map! { "start" => start };
            duration.extend(end.as_ref().map(|end| ("end".into(), end.as_str().into())));
            duration
        };
        let task = |task: &Task| {
            let mut about = task.about.clone();
            about.insert("duration".into(), duration(&task.start, &task.end).into());
            Value::from(map! { "task" => about, "hosts" => task.hosts.clone() })
        };
        let play = |play: &Play| {
            let mut about = play.about.clone();
            about.insert("duration".into(), duration(&play.start, &play.end).into());
            let tasks: Value = play.tasks.iter().map(task).collect();
            Value::from(map! { "play" => about, "tasks" => tasks })
        };
        let plays: Value = self.plays.iter().map(play).collect();
        map! { "plays" => plays, "stats" => stats, "custom_stats" => custom, "global_custom_stats" => run }
    }
}

fn about(name: &str, place: &Place) -> Map {
    let id = uuid::Uuid::new_v4().to_string();
    map! { "name" => name, "id" => id, "path" => format!("{}:{}", place.file, place.line.max(1)) }
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { name, place, .. } => self.plays.push(Play {
                about: about(name, place),
                start: now(),
                end: None,
                tasks: Vec::new(),
            }),
            Event::TaskStart(task) => {
                self.task(task);
            }
            Event::HostResult(result) => self.result(result),
            Event::Stats { hosts, custom } => {
                let stats = hosts.iter().map(|(host, stats)| {
                    let summary = map! {
                        "ok" => stats.ok, "failures" => stats.failed, "unreachable" => stats.unreachable,
                        "changed" => stats.changed, "skipped" => stats.skipped, "rescued" => stats.rescued,
                        "ignored" => stats.ignored,
                    };
                    (host.clone().into(), summary.into())
                });
                let kept = |run: bool| -> Map {
                    let wanted =
                        custom.iter().filter(|(name, _)| self.custom_stats && (&***name == "_run") == run);
                    wanted.map(|(name, values)| (name.clone().into(), values.clone().into())).collect()
                };
                let run = kept(true).get("_run").and_then(Value::as_map).cloned().unwrap_or_default();
                let document = self.document(stats.collect(), kept(false), run);
                let document = self.display.redactor().map(&document);
                let style = JsonStyle { indent: Some(4), sort_keys: true, ensure_ascii: true };
                self.display.line(&json(&document.into(), style), None);
                self.display.flush();
            }
            Event::Warning(text) => self.display.warning(text),
            Event::Deprecation(text) => self.display.deprecated(&Error::new(text.as_str())),
            Event::Error(error) => self.display.error(error, true),
            _ => {}
        }
    }

    fn flush(&mut self) {
        self.display.flush();
    }
}
