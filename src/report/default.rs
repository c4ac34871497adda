//! The default report: the text that ansible-playbook prints.

use playbook_api::name::builtin;
use playbook_api::{Error, Map, Redactor, Value};

use super::diff::format_diff;
use super::display::{Color, Display, Streams};
use super::recap;
use super::result::{Format, host_label, item_label, shown};
use super::{Event, Reporter, Status, TaskInfo, TaskKind, TaskResult};
use crate::playbook::TaskId;
use crate::settings::Settings;

/// The report that prints ansible-playbook's text.
pub struct Default {
    display: Display,
    options: Options,
    /// The task whose title was printed last.
    banner: Option<TaskId>,
    check: bool,
}

struct Options {
    format: Format,
    skipped: bool,
    ok: bool,
    failed_to_stderr: bool,
    warnings: bool,
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
            warnings: settings.action_warnings,
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
    /// Returns the report on the streams of the process.
    pub fn new(settings: &Settings, verbosity: u8, redactor: Redactor) -> Self {
        Default::with(Display::new(settings, verbosity, redactor), settings)
    }

    /// Returns the report on other streams.
    pub fn on(streams: Streams, settings: &Settings, verbosity: u8, color: bool, redactor: Redactor) -> Self {
        Default::with(Display::on(streams, settings, verbosity, color, redactor), settings)
    }

    fn with(display: Display, settings: &Settings) -> Self {
        let options = Options::new(settings, display.verbosity);
        Default { display, options, banner: None, check: false }
    }

    fn failed_line(&mut self, text: &str, color: Color) {
        if self.options.failed_to_stderr {
            self.display.error_line(text, Some(color));
        } else {
            self.display.line(text, Some(color));
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
        self.display.line(&path, Some(Color::Debug));
    }

    /// Prints the warnings and the error of a result, which stand above its line.
    fn notes(&mut self, result: &TaskResult) {
        for warning in result.warnings.iter().filter(|_| self.options.warnings) {
            self.display.warning(warning);
        }
        for deprecation in &result.deprecations {
            self.display.deprecated(deprecation);
        }
        let failed = matches!(result.status, Status::Failed | Status::Unreachable);
        if let Some(error) = result.error.as_ref().filter(|_| failed) {
            let to_error = self.options.failed_to_stderr;
            if result.no_log {
                // The causes may name what is hidden, so only the place is printed.
                let hidden = Error::new(error.message()).at_opt(error.place());
                self.display.error(&hidden, to_error);
            } else {
                self.display.error(error, to_error);
            }
        }
    }

    fn is_verbose(&self, result: &TaskResult, above: u8) -> bool {
        let marked = |key: &str| result.values.get(key).and_then(Value::as_bool).unwrap_or(false);
        let quiet = marked("_ansible_verbose_override") || builtin(&result.task.action) == "gather_facts";
        // What `no_log` hides is not to be seen at any verbosity.
        let always = !result.no_log && (result.verbose_always || marked("_ansible_verbose_always"));
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
            self.display.line(&text, None);
        }
    }

    fn item(&mut self, result: &TaskResult) {
        if is_include(&result.task.action) && !matches!(result.status, Status::Failed | Status::Skipped) {
            return;
        }
        let label = item_label(result, self.display.redactor());
        match result.status {
            Status::Ok | Status::Changed => self.succeeded(result, &format!(" => (item={label})")),
            Status::Skipped => self.skipped(result, &format!(" => (item={label}) ")),
            Status::Failed | Status::Unreachable => {
                self.task_banner(&result.task);
                self.notes(result);
                let dump = self.dump(result, &shown(result));
                let text = format!("failed: [{}] (item={label}) => {dump}", host_label(result));
                self.failed_line(&text, Color::Error);
            }
        }
    }

    fn result(&mut self, result: &TaskResult) {
        match result.status {
            Status::Ok | Status::Changed if is_include(&result.task.action) => {
                self.task_banner(&result.task);
            }
            Status::Ok | Status::Changed => self.succeeded(result, ""),
            Status::Skipped => self.skipped(result, ""),
            Status::Failed => {
                let values = shown(result);
                self.task_banner(&result.task);
                // The items of a loop have been printed, unless this is debug, which shows only its message.
                if !(result.is_loop && values.contains_key("results")) {
                    self.notes(result);
                    if self.display.verbosity < 2 && self.options.path_on_failure {
                        self.task_path(&result.task);
                    }
                    let always = result.verbose_always && !result.no_log && !result.is_loop;
                    let dump = self.options.format.dump(&values, always, self.display.redactor());
                    let text = format!("fatal: [{}]: FAILED! => {dump}", host_label(result));
                    self.failed_line(&text, Color::Error);
                }
                self.ignoring(result);
            }
            Status::Unreachable => {
                self.task_banner(&result.task);
                self.notes(result);
                let dump = self.dump(result, &shown(result));
                let text = format!("fatal: [{}]: UNREACHABLE! => {dump}", host_label(result));
                self.failed_line(&text, Color::Unreachable);
                self.ignoring(result);
            }
        }
    }

    /// Prints the line of a task, or of an item of its loop, that succeeded. A loop as a whole has no line: its items
    /// have theirs.
    fn succeeded(&mut self, result: &TaskResult, label: &str) {
        if !result.is_loop {
            self.diff(result);
        }
        let (word, color) = word(result.status);
        if result.status == Status::Ok && !self.options.ok {
            return;
        }
        self.task_banner(&result.task);
        self.notes(result);
        if !result.is_loop {
            let text = format!("{word}: [{}]{label}", host_label(result));
            self.verbose_line(text, result, color);
        }
    }

    fn skipped(&mut self, result: &TaskResult, label: &str) {
        if self.options.skipped {
            self.task_banner(&result.task);
            self.notes(result);
            let text = format!("skipping: [{}]{label}", result.host);
            self.verbose_line(text, result, Color::Skip);
        }
    }

    /// Prints a line, with the result behind it if the verbosity asks for that.
    fn verbose_line(&mut self, mut text: String, result: &TaskResult, color: Color) {
        if self.is_verbose(result, 0) {
            let mut values = shown(result);
            if result.is_loop {
                values.shift_remove("results");
            }
            text += &format!(" => {}", self.dump(result, &values));
        }
        self.display.line(&text, Some(color));
    }

    fn ignoring(&mut self, result: &TaskResult) {
        if result.ignored {
            self.display.line("...ignoring", Some(Color::Skip));
        }
    }

    fn retry(&mut self, result: &TaskResult, left: u64) {
        let name = without_role(&result.task.name);
        let mut text = format!("FAILED - RETRYING: [{}]: {name} ({left} retries left).", host_label(result));
        if self.is_verbose(result, 2) {
            text += &format!("Result was: {}", self.dump(result, &shown(result)));
        }
        self.display.line(&text, Some(Color::Debug));
    }
}

fn word(status: Status) -> (&'static str, Color) {
    if status == Status::Changed { ("changed", Color::Changed) } else { ("ok", Color::Ok) }
}

fn is_include(action: &str) -> bool {
    matches!(builtin(action), "include_tasks" | "include_role" | "import_tasks" | "import_role")
}

/// Returns the task's name of `role : name`.
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
            Event::NoHostsMatched => self.display.line("skipping: no hosts matched", Some(Color::Skip)),
            Event::NoHostsRemaining => self.display.banner("NO MORE HOSTS LEFT"),
            Event::TaskStart(task) => {
                self.banner = None;
                if self.options.skipped && self.options.ok {
                    self.task_banner(task);
                }
                // The title must be visible while the task runs.
                self.display.flush();
            }
            Event::HostStart { task, host } => {
                if self.options.per_host_start {
                    let kind = if task.kind == TaskKind::Handler { "HANDLER" } else { "TASK" };
                    let text = format!(" [started {kind}: {} on {host}]", task.name);
                    self.display.line(&text, Some(Color::Ok));
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
                self.display.line(&text, Some(Color::Debug));
            }
            Event::Polled { host, job, failed, .. } => {
                let end = if *failed { "FAILED" } else { "OK" };
                self.display.line(&format!("ASYNC {end} on {host}: jid={job}"), Some(Color::Debug));
            }
            Event::ImplicitTaskStart(_) | Event::VarsPrompt { .. } => {}
            Event::Included { file, hosts, item } => {
                let hosts: Vec<&str> = hosts.iter().map(|host| &**host).collect();
                let mut text = format!("included: {file} for {}", hosts.join(", "));
                if let Some(item) = item.as_deref().filter(|item| !item.is_empty()) {
                    text += &format!(" => (item={item})");
                }
                self.display.line(&text, Some(Color::Included));
            }
            Event::Notified { handler, host } => {
                self.display.verbose(2, &format!("NOTIFIED HANDLER {handler} for {host}"));
            }
            Event::Progress { host, message } => self.display.waiting(host, Some(message)),
            Event::Warning(text) => self.display.warning(text),
            Event::Deprecation(text) => self.display.deprecated(&Error::new(text.as_str())),
            Event::Text(text) => self.display.line(text, None),
            Event::Banner(text) => self.display.banner(text),
            Event::Verbose { level, text, host: Some(host) } => {
                self.display.verbose(*level, &format!("<{host}> {text}"));
            }
            Event::Verbose { level, text, host: None } => self.display.verbose(*level, text),
            Event::Error(error) => self.display.error(error, true),
            Event::Stats { hosts, custom } => {
                recap::print(&mut self.display, hosts);
                if self.options.custom_stats {
                    recap::print_custom(&mut self.display, custom);
                }
                if self.check && self.options.check_markers {
                    self.display.banner("DRY RUN");
                }
                self.display.flush();
            }
        }
        self.display.settle();
    }

    fn flush(&mut self) {
        self.display.flush();
    }

    fn wants_arguments(&self) -> bool {
        self.options.args
    }

    fn shows_results(&self) -> bool {
        self.display.verbosity > 0
    }
}
