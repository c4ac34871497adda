//! The text that ansible-playbook prints.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Error, Map, Redactor, Value};

use super::diff::format_diff;
use super::display::{Colour, Display, Streams};
use super::recap;
use super::result::{Format, host_label, item_label, shown};
use super::{Event, HostStats, Reporter, Status, TaskInfo, TaskKind, TaskResult};
use crate::playbook::TaskId;
use crate::settings::Settings;

/// The text that ansible-playbook prints.
pub struct Default {
    display: Display,
    options: Options,
    /// The task whose banner was printed last.
    banner: Option<TaskId>,
    check: bool,
}

struct Options {
    format: Format,
    skipped: bool,
    ok: bool,
    failed_to_stderr: bool,
    custom_stats: bool,
    check_markers: bool,
    per_host_start: bool,
    path_on_failure: bool,
    args: bool,
    diff_context: usize,
}

impl Options {
    fn new(settings: &Settings, verbosity: u8) -> Self {
        Options {
            format: Format::new(settings, verbosity),
            skipped: settings.display_skipped_hosts,
            ok: settings.display_ok_hosts,
            failed_to_stderr: settings.display_failed_stderr,
            custom_stats: settings.show_custom_stats,
            check_markers: settings.check_mode_markers,
            per_host_start: settings.show_per_host_start,
            path_on_failure: settings.show_task_path_on_failure,
            args: settings.display_args_to_stdout,
            diff_context: settings.diff_context,
        }
    }
}

impl Default {
    pub fn new(settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        Default::with(Display::new(settings, verbosity, redactor), settings)
    }

    /// On other streams than the process's own.
    pub fn on(
        streams: Streams,
        settings: &Settings,
        verbosity: u8,
        colour: bool,
        redactor: Redactor,
    ) -> Self {
        Default::with(Display::on(streams, settings, verbosity, colour, redactor), settings)
    }

    fn with(display: Display, settings: &Settings) -> Self {
        let options = Options::new(settings, display.verbosity);
        Default { display, options, banner: None, check: false }
    }

    fn failed_line(&mut self, text: &str, colour: Colour) {
        if self.options.failed_to_stderr {
            self.display.error_line(text, Some(colour));
        } else {
            self.display.line(text, Some(colour));
        }
    }

    fn check_mark(&self, check: bool) -> &'static str {
        if check && self.options.check_markers { " [CHECK MODE]" } else { "" }
    }

    fn task_banner(&mut self, task: &TaskInfo) {
        if self.banner == Some(task.id) {
            return;
        }
        let prefix = match task.kind {
            TaskKind::Task => "TASK",
            TaskKind::Handler => "RUNNING HANDLER",
        };
        let mut args = String::new();
        if self.options.args && !task.no_log {
            let redacted = self.display.redactor().map(&task.args);
            let listed: Vec<String> = redacted.iter().map(|(k, v)| format!("{k}={v}")).collect();
            args = format!(" {}", listed.join(", "));
        }
        let check = self.check_mark(task.check);
        self.display.banner(&format!("{prefix} [{}{args}]{check}", task.name.trim()));
        if self.display.verbosity >= 2 {
            self.task_path(task);
        }
        self.banner = Some(task.id);
    }

    fn task_path(&mut self, task: &TaskInfo) {
        let path = format!("task path: {}:{}", task.place.file, task.place.line.max(1));
        self.display.line(&path, Some(Colour::Debug));
    }

    /// Warnings and the error with its places, above the line of the result.
    fn notes(&mut self, result: &TaskResult) {
        for warning in &result.warnings {
            self.display.warning(warning);
        }
        for deprecation in &result.deprecations {
            self.display.deprecated(deprecation);
        }
        let failed = matches!(result.status, Status::Failed | Status::Unreachable);
        if let Some(error) = result.error.as_ref().filter(|_| failed) {
            let to_error = self.options.failed_to_stderr;
            if result.no_log {
                // What the causes say may be what is hidden: only where it happened is told.
                let hidden = Error::new(error.message()).at_opt(error.place());
                self.display.error(&hidden, to_error);
            } else {
                self.display.error(error, to_error);
            }
        }
    }

    fn is_verbose(&self, result: &TaskResult, above: u8) -> bool {
        let marked = |key: &str| result.values.get(key).and_then(Value::as_bool).unwrap_or(false);
        let quiet = marked("_ansible_verbose_override")
            || matches!(&*result.task.action, "gather_facts" | "ansible.builtin.gather_facts");
        let always = result.verbose_always || marked("_ansible_verbose_always");
        (self.display.verbosity > above || always) && !quiet
    }

    fn dump(&self, result: &TaskResult, values: &Map) -> String {
        let always = result.verbose_always && !result.no_log;
        self.options.format.dump(values, always, self.display.redactor())
    }

    fn diff(&mut self, result: &TaskResult) {
        let values = &result.values;
        let changed = values.get("changed").is_some_and(Value::is_true);
        let Some(diff) = values.get("diff").filter(|diff| diff.is_true() && changed) else { return };
        if result.no_log {
            return;
        }
        let diff = self.display.redactor().value(diff);
        let text = format_diff(&diff, self.options.diff_context, &self.display);
        if !text.is_empty() {
            self.task_banner(&result.task);
            // The last line break of a diff is its own; the line's comes on top.
            self.display.line(&text, None);
        }
    }

    fn item(&mut self, result: &TaskResult) {
        if is_include(&result.task.action) && !matches!(result.status, Status::Failed | Status::Skipped) {
            return;
        }
        let label = item_label(result, self.display.redactor());
        let values = shown(result);
        match result.status {
            Status::Ok | Status::Changed => {
                self.diff(result);
                let (word, colour) = word(result.status);
                if result.status == Status::Ok && !self.options.ok {
                    return;
                }
                self.task_banner(&result.task);
                self.notes(result);
                let mut text = format!("{word}: [{}] => (item={label})", host_label(result));
                if self.is_verbose(result, 0) {
                    text += &format!(" => {}", self.dump(result, &values));
                }
                self.display.line(&text, Some(colour));
            }
            Status::Skipped => {
                if !self.options.skipped {
                    return;
                }
                self.task_banner(&result.task);
                self.notes(result);
                let mut text = format!("skipping: [{}] => (item={label}) ", result.host);
                if self.is_verbose(result, 0) {
                    text += &format!(" => {}", self.dump(result, &values));
                }
                self.display.line(&text, Some(Colour::Skip));
            }
            Status::Failed | Status::Unreachable => {
                self.task_banner(&result.task);
                self.notes(result);
                let dump = self.dump(result, &values);
                self.failed_line(
                    &format!("failed: [{}] (item={label}) => {dump}", host_label(result)),
                    Colour::Error,
                );
            }
        }
    }

    fn result(&mut self, result: &TaskResult) {
        let is_loop = result.values.get("results").is_some_and(|r| r.as_list().is_some());
        let mut values = shown(result);
        match result.status {
            Status::Ok | Status::Changed => {
                if is_include(&result.task.action) {
                    self.task_banner(&result.task);
                    return;
                }
                if !is_loop {
                    self.diff(result);
                }
                let (word, colour) = word(result.status);
                if result.status == Status::Ok && !self.options.ok {
                    return;
                }
                self.task_banner(&result.task);
                self.notes(result);
                if is_loop {
                    return;
                }
                let mut text = format!("{word}: [{}]", host_label(result));
                if self.is_verbose(result, 0) {
                    text += &format!(" => {}", self.dump(result, &values));
                }
                self.display.line(&text, Some(colour));
            }
            Status::Skipped => {
                if !self.options.skipped {
                    return;
                }
                self.task_banner(&result.task);
                self.notes(result);
                if is_loop {
                    values.shift_remove("results");
                }
                let mut text = format!("skipping: [{}]", result.host);
                if self.is_verbose(result, 0) {
                    text += &format!(" => {}", self.dump(result, &values));
                }
                self.display.line(&text, Some(Colour::Skip));
            }
            Status::Failed => {
                self.task_banner(&result.task);
                // What debug shows of a loop is its message alone.
                if !values.contains_key("results") {
                    if !is_loop {
                        self.notes(result);
                    }
                    if self.display.verbosity < 2 && self.options.path_on_failure {
                        self.task_path(&result.task);
                    }
                    let always = result.verbose_always && !result.no_log && !is_loop;
                    let dump = self.options.format.dump(&values, always, self.display.redactor());
                    self.failed_line(
                        &format!("fatal: [{}]: FAILED! => {dump}", host_label(result)),
                        Colour::Error,
                    );
                }
                self.ignoring(result);
            }
            Status::Unreachable => {
                self.task_banner(&result.task);
                self.notes(result);
                let dump = self.dump(result, &values);
                let text = format!("fatal: [{}]: UNREACHABLE! => {dump}", host_label(result));
                self.failed_line(&text, Colour::Unreachable);
                self.ignoring(result);
            }
        }
    }

    fn ignoring(&mut self, result: &TaskResult) {
        if result.ignored {
            self.display.line("...ignoring", Some(Colour::Skip));
        }
    }

    fn retry(&mut self, result: &TaskResult, left: u64) {
        let name = without_role(&result.task.name);
        let mut text = format!("FAILED - RETRYING: [{}]: {name} ({left} retries left).", host_label(result));
        if self.is_verbose(result, 2) {
            text += &format!("Result was: {}", self.dump(result, &shown(result)));
        }
        self.display.line(&text, Some(Colour::Debug));
    }

    fn stats(&mut self, hosts: &IndexMap<Arc<str>, HostStats>, custom: &IndexMap<Arc<str>, Map>) {
        self.display.banner("PLAY RECAP");
        let mut names: Vec<&Arc<str>> = hosts.keys().collect();
        names.sort();
        for name in names {
            let line = recap::line(&self.display, name, &hosts[name]);
            self.display.line(&line, None);
        }
        self.display.line("", None);
        if !custom.is_empty() && self.options.custom_stats {
            self.display.banner("CUSTOM STATS: ");
            let mut names: Vec<&Arc<str>> = custom.keys().filter(|name| &***name != "_run").collect();
            names.sort();
            for name in names {
                let text = recap::custom(&self.display, &custom[name]);
                self.display.line(&format!("\t{name}: {text}"), None);
            }
            if let Some(run) = custom.get("_run") {
                let text = recap::custom(&self.display, run);
                self.display.line("", None);
                self.display.line(&format!("\tRUN: {text}"), None);
            }
            self.display.line("", None);
        }
        if self.check && self.options.check_markers {
            self.display.banner("DRY RUN");
        }
    }
}

fn word(status: Status) -> (&'static str, Colour) {
    if status == Status::Changed { ("changed", Colour::Changed) } else { ("ok", Colour::Ok) }
}

fn is_include(action: &str) -> bool {
    let short = action.strip_prefix("ansible.builtin.").or_else(|| action.strip_prefix("ansible.legacy."));
    matches!(short.unwrap_or(action), "include_tasks" | "include_role" | "import_tasks" | "import_role")
}

/// `role : name` without the role.
fn without_role(name: &str) -> &str {
    match name.split_once(" : ") {
        Some((role, rest)) if !role.contains(' ') => rest,
        _ => name,
    }
}

impl Reporter for Default {
    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStart { playbook, check } => {
                self.check = *check;
                if self.display.verbosity > 1 {
                    let name = playbook.rsplit('/').next().unwrap_or(playbook);
                    self.display.banner(&format!("PLAYBOOK: {name}"));
                }
                if *check && self.options.check_markers {
                    self.display.banner("DRY RUN");
                }
            }
            Event::PlayStart { name, check, .. } => {
                self.banner = None;
                let check = self.check_mark(*check);
                match name.trim() {
                    "" => self.display.banner(&format!("PLAY{check}")),
                    name => self.display.banner(&format!("PLAY [{name}]{check}")),
                }
            }
            Event::NoHostsMatched => self.display.line("skipping: no hosts matched", Some(Colour::Skip)),
            Event::NoHostsRemaining => self.display.banner("NO MORE HOSTS LEFT"),
            Event::TaskStart(task) => {
                self.banner = None;
                if self.options.skipped && self.options.ok {
                    self.task_banner(task);
                }
                // The task may take its time; its title is there meanwhile.
                self.display.flush();
            }
            Event::HostStart { task, host } => {
                if self.options.per_host_start {
                    let kind = if task.kind == TaskKind::Handler { "HANDLER" } else { "TASK" };
                    let text = format!(" [started {kind}: {} on {host}]", task.name);
                    self.display.line(&text, Some(Colour::Ok));
                }
            }
            Event::ItemResult(result) => self.item(result),
            Event::HostResult(result) => {
                self.display.waiting(&result.host, None);
                self.result(result);
            }
            Event::Retry { result, left } => self.retry(result, *left),
            Event::Poll { result, job } => {
                let get = |key: &str| {
                    result.values.get(key).map_or_else(|| "None".into(), |v| v.to_text().into_owned())
                };
                let text = format!(
                    "ASYNC POLL on {}: jid={job} started={} finished={}",
                    result.host,
                    get("started"),
                    get("finished")
                );
                self.display.line(&text, Some(Colour::Debug));
            }
            Event::Polled { host, job, failed, .. } => {
                let end = if *failed { "FAILED" } else { "OK" };
                self.display.line(&format!("ASYNC {end} on {host}: jid={job}"), Some(Colour::Debug));
            }
            Event::ImplicitTaskStart(_) | Event::VarsPrompt { .. } => {}
            Event::Included { file, hosts, item } => {
                let hosts: Vec<&str> = hosts.iter().map(|host| &**host).collect();
                let mut text = format!("included: {file} for {}", hosts.join(", "));
                if let Some(item) = item.as_deref().filter(|item| !item.is_empty()) {
                    text += &format!(" => (item={item})");
                }
                self.display.line(&text, Some(Colour::Included));
            }
            Event::Notified { handler, host } => {
                if self.display.verbosity > 1 {
                    let text = format!("NOTIFIED HANDLER {handler} for {host}");
                    self.display.line(&text, Some(Colour::Verbose));
                }
            }
            Event::Progress { host, message } => self.display.waiting(host, Some(message)),
            Event::Warning(text) => self.display.warning(text),
            Event::Deprecation(text) => self.display.deprecated(&Error::new(text.as_str())),
            Event::Text(text) => self.display.line(text, None),
            Event::Banner(text) => self.display.banner(text),
            Event::Verbose { level, text, host } => {
                if self.display.verbosity >= *level {
                    let text = match host {
                        Some(host) => format!("<{host}> {text}"),
                        None => text.clone(),
                    };
                    self.display.verbose(&text);
                }
            }
            Event::Error(error) => self.display.error(error, true),
            Event::Stats { hosts, custom } => {
                self.stats(hosts, custom);
                self.display.flush();
            }
        }
        self.display.settle();
    }

    fn flush(&mut self) {
        self.display.flush();
    }
}
