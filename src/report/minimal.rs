//! The short reports of ad hoc commands: one result per host, in full (`minimal`) or on one line (`oneline`).

use playbook_api::name::builtin;
use playbook_api::{Error, Map, Redactor, Value};

use super::diff::format_diff;
use super::display::{Color, Display};
use super::result::{Format, shown};
use super::{Event, Reporter, Status, TaskResult};
use crate::settings::Settings;

/// The report that prints one result per host.
pub struct Minimal {
    display: Display,
    format: Format,
    one_line: bool,
    diff_context: usize,
}

impl Minimal {
    /// Returns the report; `one_line` puts each result on one line.
    pub fn new(settings: &Settings, verbosity: u8, redactor: Redactor, one_line: bool) -> Self {
        let display = Display::new(settings, verbosity, redactor);
        let format = Format::new(settings, verbosity);
        Minimal { display, format, one_line, diff_context: settings.diff_context }
    }

    fn result(&mut self, result: &TaskResult) {
        let host = &result.host;
        let values = shown(result);
        let (state, color) = match result.status {
            Status::Ok => ("SUCCESS", Color::Ok),
            Status::Changed => ("CHANGED", Color::Changed),
            Status::Failed => ("FAILED", Color::Error),
            Status::Unreachable => ("UNREACHABLE", Color::Unreachable),
            Status::Skipped => ("SKIPPED", Color::Skip),
        };
        result.warnings.iter().for_each(|warning| self.display.warning(warning));
        result.deprecations.iter().for_each(|deprecation| self.display.deprecated(deprecation));
        let failed = matches!(result.status, Status::Failed | Status::Unreachable);
        if let Some(error) = result.error.as_ref().filter(|_| failed && !result.no_log) {
            self.display.error(error, false);
        }
        self.diff(result);
        let text = match result.status {
            Status::Skipped => format!("{host} | SKIPPED"),
            Status::Unreachable if self.one_line => {
                let message = values.get("msg").map(Value::to_text).unwrap_or_default();
                format!("{host} | UNREACHABLE!: {message}")
            }
            _ if is_command(&result.task.action) && values.contains_key("rc") => {
                self.command(host, state, &values)
            }
            _ => {
                let mark = if failed { "!" } else { "" };
                format!("{host} | {state}{mark} => {}", self.dump(&values))
            }
        };
        self.display.line(&text, Some(color));
    }

    fn diff(&mut self, result: &TaskResult) {
        if let Some(diff) = result.values.get("diff").filter(|diff| diff.is_true() && !result.no_log) {
            let diff = self.display.redactor().value(diff);
            let text = format_diff(&diff, self.diff_context, &self.display);
            if !text.is_empty() {
                self.display.line(&text, None);
            }
        }
    }

    fn dump(&self, values: &Map) -> String {
        self.format.dump(values, !self.one_line, self.display.redactor())
    }

    /// Formats the output of a command.
    fn command(&self, host: &str, state: &str, values: &Map) -> String {
        let text = |name: &str| values.get(name).map(|v| v.to_text().into_owned()).unwrap_or_default();
        let code = text("rc");
        if !self.one_line {
            let (out, err, msg) = (text("stdout"), text("stderr"), text("msg"));
            return format!("{host} | {state} | rc={code} >>\n{out}{err}{msg}\n");
        }
        let flat = |name: &str| text(name).replace('\n', "\\n").replace('\r', "\\r");
        match flat("stderr") {
            err if err.is_empty() => format!("{host} | {state} | rc={code} | (stdout) {}", flat("stdout")),
            err => format!("{host} | {state} | rc={code} | (stdout) {} (stderr) {err}", flat("stdout")),
        }
    }
}

fn is_command(action: &str) -> bool {
    matches!(builtin(action), "command" | "shell" | "raw")
}

impl Reporter for Minimal {
    fn event(&mut self, event: &Event) {
        match event {
            Event::HostResult(result) => self.result(result),
            Event::NoHostsMatched => self.display.warning("No hosts matched, nothing to do"),
            Event::Warning(text) => self.display.warning(text),
            Event::Deprecation(text) => self.display.deprecated(&Error::new(text.as_str())),
            Event::Error(error) => self.display.error(error, true),
            Event::Text(text) => self.display.line(text, None),
            Event::Banner(text) => self.display.banner(text),
            Event::Progress { host, message } => self.display.waiting(host, Some(message)),
            Event::Verbose { level, text, .. } => self.display.verbose(*level, text),
            Event::Stats { .. } => self.display.flush(),
            _ => {}
        }
        self.display.settle();
    }

    fn flush(&mut self) {
        self.display.flush();
    }
}
