//! Callbacks that run beside the report: those of the setting `callbacks_enabled`, and `--tree` of ad hoc commands.

#[cfg(test)]
mod example;
mod junit;
mod profile_tasks;
mod timer;
mod tree;

use playbook_api::{Redactor, name};

use super::{Event, Reporter};
use crate::settings::Settings;
use junit::JUnit;
use profile_tasks::ProfileTasks;
use timer::Timer;
pub use tree::Tree;

/// A reader of the events that runs beside the report. The events that it returns are shown by the report.
pub trait Callback: Send {
    /// Takes note of an event.
    fn event(&mut self, event: &Event) -> Vec<Event>;

    /// Whether the callback shows the arguments of tasks.
    fn wants_arguments(&self) -> bool {
        false
    }

    /// Whether the callback shows what a successful task returns.
    fn shows_results(&self) -> bool {
        true
    }
}

/// The collections whose callbacks are built in.
const COLLECTIONS: &[&str] = &["ansible.posix", "community.general"];

/// A callback that is built in.
pub struct Native {
    /// Its short name.
    pub name: &'static str,
    /// The collection of Ansible's callback of this name.
    pub collection: &'static str,
    /// Whether it is a report, for the setting `stdout_callback`; otherwise it is one for `callbacks_enabled`.
    pub is_report: bool,
    /// A summary in one sentence.
    pub about: &'static str,
}

/// The callbacks that are built in.
pub const NATIVE: &[Native] = &[
    report("default", "ansible.builtin", "Prints the text that ansible-playbook prints."),
    report("json", "ansible.posix", "Prints one JSON document when the run has ended."),
    callback("junit", "ansible.builtin", "Writes a JUnit file with a test case for each task and host."),
    report("minimal", "ansible.builtin", "Prints the result of each host, as ad hoc commands do."),
    report("oneline", "ansible.builtin", "Prints the result of each host on one line."),
    callback(
        "profile_tasks",
        "ansible.posix",
        "Prints when each task started, and which tasks took longest.",
    ),
    callback("timer", "ansible.posix", "Prints how long the playbook took."),
    callback("tree", "ansible.builtin", "Writes the last result of each host to a file."),
    report("yaml", "community.general", "Prints the text of `default` with results as YAML."),
];

const fn report(name: &'static str, collection: &'static str, about: &'static str) -> Native {
    Native { name, collection, is_report: true, about }
}

const fn callback(name: &'static str, collection: &'static str, about: &'static str) -> Native {
    Native { name, collection, is_report: false, about }
}

/// Returns the built-in callback of a short or fully qualified name.
pub fn find(name: &str) -> Option<&'static Native> {
    let short = short_name(name);
    NATIVE.iter().find(|native| native.name == short)
}

/// Returns the short name of a callback that is built in. Other names are returned as they are.
pub fn short_name(name: &str) -> &str {
    name::within(COLLECTIONS, name.trim())
}

/// Returns the callbacks that the settings enable. One that does not exist is reported when the run starts.
pub fn enabled(settings: &Settings, verbosity: u8, redactor: &Redactor) -> Vec<Box<dyn Callback>> {
    let one = |name: &String| -> Option<Box<dyn Callback>> {
        Some(match short_name(name) {
            "" => return None,
            "junit" => Box::new(JUnit::new(settings, redactor.clone())),
            "profile_tasks" => Box::new(ProfileTasks::new(settings, verbosity)),
            "timer" => Box::new(Timer::new()),
            "tree" => {
                let directory = settings.callback_tree_dir.clone();
                Box::new(Tree::new(directory, settings, verbosity, redactor.clone()))
            }
            // A report is only one for `stdout_callback`.
            _ if find(name).is_some() => return None,
            _ => Box::new(Missing(name.trim().to_owned())),
        })
    };
    settings.callbacks_enabled.iter().filter_map(one).collect()
}

/// A callback that does not exist.
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

    fn shows_results(&self) -> bool {
        false
    }
}

/// A report and the callbacks beside it.
pub struct Several {
    /// The report.
    pub main: Box<dyn Reporter>,
    /// The callbacks.
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

    fn wants_arguments(&self) -> bool {
        self.main.wants_arguments() || self.callbacks.iter().any(|callback| callback.wants_arguments())
    }

    fn shows_results(&self) -> bool {
        self.main.shows_results() || self.callbacks.iter().any(|callback| callback.shows_results())
    }
}
