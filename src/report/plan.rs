//! `playbook plan`: what a run would change, as a table or as JSON.

use playbook_api::{Change, ChangeAction, Map, Redactor, Value, map};

use super::diff::format_diff;
use super::display::{Color, Display};
use super::result::{host_label, item_label};
use super::{Event, Reporter, Status, TaskResult, output};
use crate::settings::Settings;

/// The report that shows only changes, after each playbook.
pub struct Plan {
    display: Display,
    json: bool,
    diff_context: usize,
    rows: Vec<Row>,
    failed: u64,
}

/// A change of the plan.
struct Row {
    action: ChangeAction,
    module: String,
    /// The resource, or the task and its item where a module names no resource.
    resource: String,
    host: String,
    /// What differs.
    details: String,
    diff: Value,
    json: Map,
}

impl Row {
    fn of(result: &TaskResult, redactor: &Redactor) -> Row {
        let change = result.change.as_deref().filter(|_| !result.no_log);
        let label = || match &result.item {
            Some(_) => format!("{} ({})", result.task.name, item_label(result, redactor)),
            None => result.task.name.clone(),
        };
        let diff = result.values.get("diff").filter(|_| !result.no_log).cloned().unwrap_or(Value::Null);
        let message = result.values.get("msg").filter(|_| !result.no_log).and_then(Value::as_str);
        // Only the run will tell what such a task does.
        let unknown = message.filter(|text| text.starts_with("would run")).unwrap_or_default();
        let details = match change {
            Some(change) => change.members.join(", "),
            None => unknown.to_owned(),
        };
        let action = change.map_or(ChangeAction::Modify, |change| change.action);
        let mut json = map! {
            "action" => action.name(), "module" => result.task.action.as_str(), "host" => result.host.clone(),
            "task" => result.task.name.as_str(), "path" => result.task.place.to_string(),
            "resource" => change.map_or(Value::Null, |change| change.to_map().into()),
        };
        if let Some(item) = result.item.as_ref().filter(|_| !result.no_log) {
            json.insert("item".into(), item.clone());
        }
        if !diff.is_null() {
            json.insert("diff".into(), diff.clone());
        }
        if !unknown.is_empty() {
            json.insert("msg".into(), unknown.into());
        }
        Row {
            action,
            module: result.task.action.rsplit('.').next().unwrap_or_default().to_owned(),
            resource: redactor.text(&change.map_or_else(label, named)),
            host: host_label(result),
            details: redactor.text(&details),
            diff,
            json,
        }
    }

    fn color(&self) -> Color {
        match self.action {
            ChangeAction::Create | ChangeAction::Run => Color::DiffAdd,
            ChangeAction::Delete => Color::DiffRemove,
            ChangeAction::Modify | ChangeAction::Replace => Color::Changed,
        }
    }
}

/// Returns a resource as people name it: `VPC production (vpc-0a1b2c3d)`.
fn named(change: &Change) -> String {
    let resource = &change.resource;
    let kind = resource.kind.trim_start_matches("AWS::").replace("::", " ");
    match resource.id.as_deref().filter(|id| *id != resource.name) {
        Some(id) => format!("{kind} {} ({id})", resource.name),
        None => format!("{kind} {}", resource.name),
    }
}

/// Returns the symbol of an action, as Terraform writes it.
fn symbol(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Create => "+",
        ChangeAction::Modify => "~",
        ChangeAction::Replace => "-/+",
        ChangeAction::Delete => "-",
        ChangeAction::Run => ">",
    }
}

impl Plan {
    /// Returns the report, as text or as one JSON object for each playbook.
    pub fn new(settings: &Settings, verbosity: u8, redactor: Redactor, json: bool) -> Self {
        let display = Display::new(settings, verbosity, redactor);
        Plan { display, json, diff_context: settings.diff_context, rows: Vec::new(), failed: 0 }
    }

    fn result(&mut self, result: &TaskResult) {
        result.warnings.iter().for_each(|warning| self.display.warning(warning));
        match result.status {
            Status::Failed | Status::Unreachable if !result.ignored => {
                self.failed += 1;
                match result.error.as_ref().filter(|_| !result.no_log) {
                    Some(error) => self.display.error(error, true),
                    None => {
                        let text = format!("{}: {} failed", host_label(result), result.task.name);
                        self.display.error_line(&text, Some(Color::Error));
                    }
                }
            }
            Status::Changed => self.rows.push(Row::of(result, self.display.redactor())),
            _ => {}
        }
    }

    fn counts(&self) -> [(&'static str, usize); 5] {
        let count = |action| self.rows.iter().filter(|row| row.action == action).count();
        [
            ("create", count(ChangeAction::Create)),
            ("modify", count(ChangeAction::Modify)),
            ("replace", count(ChangeAction::Replace)),
            ("delete", count(ChangeAction::Delete)),
            ("run", count(ChangeAction::Run)),
        ]
    }

    fn table(&mut self) {
        let width = |column: fn(&Row) -> &str| {
            self.rows.iter().map(|row| super::width::width(column(row))).max().unwrap_or(0)
        };
        let (module, resource, host) = (width(|r| &r.module), width(|r| &r.resource), width(|r| &r.host));
        let pad = |text: &str, to: usize| " ".repeat(to.saturating_sub(super::width::width(text)));
        for row in std::mem::take(&mut self.rows) {
            let line = format!(
                "{:>3} {}{}  {}{}  {}{}  {}",
                symbol(row.action),
                row.module,
                pad(&row.module, module),
                row.resource,
                pad(&row.resource, resource),
                row.host,
                pad(&row.host, host),
                row.details
            );
            self.display.line(line.trim_end(), Some(row.color()));
            if row.diff.is_true() {
                let diff = self.display.redactor().value(&row.diff);
                let text = format_diff(&diff, self.diff_context, &self.display);
                self.display.line(text.trim_end(), None);
            }
        }
    }

    fn end(&mut self) {
        let counts = self.counts();
        if self.json {
            let rows = std::mem::take(&mut self.rows);
            let changes: Vec<Value> = rows.into_iter().map(|row| row.json.into()).collect();
            let counts: Map = counts.into_iter().map(|(name, n)| (name.into(), n.into())).collect();
            let plan = map! { "changes" => changes, "counts" => counts, "failed" => self.failed };
            let plan = Value::from(self.display.redactor().map(&plan));
            output::standard(&(plan.to_json().to_string() + "\n"));
            return;
        }
        let total: usize = counts.iter().map(|(_, n)| n).sum();
        self.table();
        let summary = match (total, self.failed) {
            (0, 0) => "Nothing would change.".to_owned(),
            (_, failed) => {
                let parts = counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} to {name}"));
                let failures = (failed > 0).then(|| format!("{failed} failed"));
                format!("Plan: {}.", parts.chain(failures).collect::<Vec<_>>().join(", "))
            }
        };
        let gap = if total > 0 { "\n" } else { "" };
        self.display.line(&format!("{gap}{summary}"), None);
    }
}

impl Reporter for Plan {
    fn event(&mut self, event: &Event) {
        match event {
            Event::ItemResult(result) => self.result(result),
            // The items of a loop are rows of their own.
            Event::HostResult(result) if !result.is_loop => self.result(result),
            Event::Progress { host, message } => self.display.waiting(host, Some(message)),
            Event::Warning(text) => self.display.warning(text),
            Event::Error(error) => self.display.error(error, true),
            Event::NoHostsMatched => self.display.warning("no hosts matched"),
            Event::Stats { .. } => self.end(),
            _ => {}
        }
    }

    fn flush(&mut self) {
        self.display.flush();
    }
}
