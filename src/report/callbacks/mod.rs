//! Reports beside the text on standard output: the setting `callbacks_enabled`, and `--tree` of ad hoc commands.

mod junit;
mod profile_tasks;
mod timer;
mod tree;

use playbook_api::Redactor;

use super::{Event, Reporter};
use crate::settings::Settings;
use junit::JUnit;
use profile_tasks::ProfileTasks;
use timer::Timer;
pub use tree::Tree;

/// A reader of the event stream that goes on beside the text; the events it answers are shown with it.
pub trait Callback: Send {
    fn event(&mut self, event: &Event) -> Vec<Event>;
}

/// The names that a setting may give a callback of ours: its own, and those it has in collections.
pub fn short_name(name: &str) -> &str {
    const COLLECTIONS: [&str; 4] =
        ["ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general."];
    COLLECTIONS.iter().find_map(|collection| name.strip_prefix(collection)).unwrap_or(name)
}

/// The callbacks that the settings enable; where a name of a collection is none of ours, a warning.
pub fn enabled(settings: &Settings, verbosity: u8, redactor: &Redactor) -> Vec<Box<dyn Callback>> {
    let mut callbacks: Vec<Box<dyn Callback>> = Vec::new();
    for name in &settings.callbacks_enabled {
        match short_name(name.trim()) {
            "junit" => callbacks.push(Box::new(JUnit::new(settings, redactor.clone()))),
            "profile_tasks" => callbacks.push(Box::new(ProfileTasks::new(settings, verbosity))),
            "timer" => callbacks.push(Box::new(Timer::new())),
            "tree" => {
                let folder = settings.callback_tree_dir.clone();
                callbacks.push(Box::new(Tree::new(folder, settings, verbosity, redactor.clone())));
            }
            other if other.matches('.').count() >= 2 => callbacks.push(Box::new(Missing(name.clone()))),
            _ => {}
        }
    }
    callbacks
}

/// Whether reports show the arguments of tasks.
pub fn want_arguments(settings: &Settings) -> bool {
    let junit = settings.callbacks_enabled.iter().any(|name| short_name(name.trim()) == "junit");
    settings.display_args_to_stdout || (junit && !settings.junit_hide_task_arguments)
}

/// A callback that is not there; told at the start.
struct Missing(String);

impl Callback for Missing {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        match event {
            Event::RunStart { .. } => {
                vec![Event::Warning(format!("Skipping callback plugin '{}', unable to load", self.0))]
            }
            _ => Vec::new(),
        }
    }
}

/// The text and what goes on beside it.
pub struct Several {
    pub main: Box<dyn Reporter>,
    pub callbacks: Vec<Box<dyn Callback>>,
}

impl Reporter for Several {
    fn event(&mut self, event: &Event) {
        self.main.event(event);
        let answers: Vec<Event> =
            self.callbacks.iter_mut().flat_map(|callback| callback.event(event)).collect();
        answers.iter().for_each(|answer| self.main.event(answer));
    }

    fn flush(&mut self) {
        self.main.flush();
    }
}
