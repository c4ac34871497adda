//! `profile_tasks`: prints when each task started, and at the end which tasks took longest.

use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::Callback;
use crate::playbook::TaskId;
use crate::report::{Event, TaskInfo};
use crate::settings::Settings;

/// The width of the lines, in columns.
const WIDEST: usize = 79;

/// The callback `profile_tasks`.
pub(super) struct ProfileTasks {
    start: Instant,
    last: Instant,
    tasks: IndexMap<TaskId, Profile>,
    current: Option<TaskId>,
    order: String,
    /// The number of tasks that the summary shows.
    limit: usize,
    summary_only: bool,
    datetime_format: String,
    paths: bool,
}

struct Profile {
    name: String,
    path: String,
    started: Instant,
    elapsed: Duration,
}

impl ProfileTasks {
    /// Returns the callback, whose clock starts now.
    pub(super) fn new(settings: &Settings, verbosity: u8) -> Self {
        let now = Instant::now();
        ProfileTasks {
            start: now,
            last: now,
            tasks: IndexMap::new(),
            current: None,
            order: settings.profile_tasks_sort_order.clone(),
            limit: settings.profile_tasks_output_limit.parse().unwrap_or(usize::MAX),
            summary_only: settings.profile_tasks_summary_only,
            datetime_format: settings.profile_tasks_datetime_format.clone(),
            paths: verbosity >= 2,
        }
    }

    /// Returns the line `DATE (time since the last task)       time since the start ***`.
    fn time(&mut self) -> Event {
        let now = Instant::now();
        let date = jiff::Zoned::now();
        let date = jiff::fmt::strtime::format(&self.datetime_format, &date).unwrap_or_default();
        let (since_last, since_start) = (now - self.last, now - self.start);
        self.last = now;
        Event::Text(filled(&format!("{date} ({})       {}", clock(since_last), clock(since_start)), '*'))
    }

    fn end_current(&mut self) {
        if let Some(profile) = self.current.take().and_then(|id| self.tasks.get_mut(&id)) {
            profile.elapsed += profile.started.elapsed();
        }
    }

    fn task(&mut self, task: &TaskInfo) -> Vec<Event> {
        let shown = if self.summary_only { Vec::new() } else { vec![self.time()] };
        self.end_current();
        self.current = Some(task.id);
        let profile = self.tasks.entry(task.id).or_insert_with(|| Profile {
            name: task.name.clone(),
            path: format!("{}:{}", task.place.file, task.place.line.max(1)),
            started: Instant::now(),
            elapsed: Duration::ZERO,
        });
        profile.started = Instant::now();
        shown
    }

    fn summary(&mut self) -> Vec<Event> {
        let mut shown = vec![Event::Banner("TASKS RECAP".into()), self.time()];
        shown.push(Event::Text(filled("", '=')));
        self.end_current();
        let mut all: Vec<&Profile> = self.tasks.values().collect();
        match self.order.as_str() {
            "ascending" => all.sort_by_key(|profile| profile.elapsed),
            "descending" => all.sort_by_key(|profile| std::cmp::Reverse(profile.elapsed)),
            _ => {}
        }
        for profile in all.into_iter().take(self.limit) {
            let name = padded(&format!("{} ", profile.name), WIDEST - 9);
            let seconds = format!(" {:.2}s", profile.elapsed.as_secs_f64());
            let mut text = format!("{name}{seconds:->9}");
            if self.paths {
                text += &format!("\n{}", padded(&format!("{} ", profile.path), WIDEST));
            }
            shown.push(Event::Text(text));
        }
        shown
    }
}

impl Callback for ProfileTasks {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        match event {
            Event::TaskStart(task) => self.task(task),
            Event::Stats { .. } => self.summary(),
            _ => Vec::new(),
        }
    }

    fn shows_results(&self) -> bool {
        false
    }
}

/// Formats a duration as `0:00:01.250`.
fn clock(time: Duration) -> String {
    let (seconds, milliseconds) = (time.as_secs(), time.subsec_millis());
    format!("{}:{:02}:{:02}.{milliseconds:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn filled(text: &str, with: char) -> String {
    let text = if text.is_empty() { String::new() } else { format!("{text} ") };
    let room = WIDEST.saturating_sub(text.chars().count()).max(3);
    format!("{text}{} ", with.to_string().repeat(room))
}

fn padded(text: &str, width: usize) -> String {
    text.to_owned() + &"-".repeat(width.saturating_sub(text.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_plugins() {
        assert_eq!(clock(Duration::from_millis(3_723_045)), "1:02:03.045");
        assert_eq!(filled("", '='), format!("{} ", "=".repeat(79)));
        assert_eq!(filled("x", '*'), format!("x {} ", "*".repeat(77)));
        assert_eq!(padded("web ", 8), "web ----");
    }
}
