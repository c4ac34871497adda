//! Selects what is shown of a result, and formats it.

use playbook_api::name::builtin;
use playbook_api::python::{JsonStyle, json};
use playbook_api::{Map, Redactor, Value};

use super::TaskResult;
use super::yaml;
use crate::settings::{Release, Settings};

/// The text that replaces a result that `no_log` hides.
const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// The format of printed results.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Whether results are printed as YAML, and not as JSON.
    pub yaml: bool,
    /// The setting `callback_format_pretty`, if it is set.
    pub pretty: Option<bool>,
    /// The number of `-v` flags.
    pub verbosity: u8,
}

impl Format {
    /// Returns the format that the settings ask for.
    pub(super) fn new(settings: &Settings, verbosity: u8) -> Self {
        let pretty = settings.callback_format_pretty;
        Format { yaml: settings.result_format == "yaml", pretty, verbosity }
    }

    /// Formats the result that follows `=>`.
    pub(super) fn dump(&self, values: &Map, verbose_always: bool, redactor: &Redactor) -> String {
        self.dump_indented(values, self.indent(verbose_always), redactor)
    }

    fn indent(&self, verbose_always: bool) -> Option<usize> {
        let expanded = verbose_always
            || (self.pretty.is_none() && self.yaml)
            || self.pretty == Some(true)
            || self.verbosity > 2;
        if expanded && self.pretty != Some(false) { Some(4) } else { None }
    }

    /// Formats a result with this indentation.
    pub(super) fn dump_indented(&self, values: &Map, indent: Option<usize>, redactor: &Redactor) -> String {
        let mut shown = redactor.map(&visible(values));
        for key in ["exception", "warnings", "deprecations"] {
            shown.shift_remove(key);
        }
        if self.verbosity < 3 {
            shown.shift_remove("invocation");
            shown.shift_remove("diff");
        }
        if !self.yaml {
            return json(&shown.into(), JsonStyle { indent, sort_keys: true, ensure_ascii: false });
        }
        let lossy = self.pretty != Some(false);
        if lossy {
            for name in ["stdout", "stderr"] {
                let lines = format!("{name}_lines");
                if shown.contains_key(name) && shown.contains_key(lines.as_str()) {
                    shown.insert(lines.into(), "<omitted>".into());
                }
            }
        }
        let text = yaml::dump(&shown.into(), indent.unwrap_or(2), lossy);
        let margin = " ".repeat(indent.unwrap_or(4));
        let lines: Vec<String> = text
            .lines()
            .map(|line| if line.trim().is_empty() { line.to_owned() } else { format!("{margin}{line}") })
            .collect();
        format!("\n{}", lines.join("\n"))
    }
}

/// Returns a result without internal keys, at any depth.
pub(super) fn visible(values: &Map) -> Map {
    let own = |key: &Value| key.as_str().is_some_and(|key| key.starts_with("_ansible_"));
    values.iter().filter(|(key, _)| !own(key)).map(|(key, value)| (key.clone(), deep(value))).collect()
}

fn deep(value: &Value) -> Value {
    match value {
        Value::Map(map) => visible(map).into(),
        Value::List(items) => items.iter().map(deep).collect(),
        other => other.clone(),
    }
}

/// Returns the values of a result that a report shows: without its status, which the report prints otherwise. With
/// `no_log` only a note is left, and of `debug` only what it was asked to show.
pub(super) fn shown(result: &TaskResult) -> Map {
    let mut values = whole(result);
    if builtin(&result.task.action) == "debug" {
        clean_debug(&mut values, result.task.release);
    }
    values
}

/// Returns the same values, with everything that `debug` returned.
pub(super) fn whole(result: &TaskResult) -> Map {
    let mut values = if result.no_log { censored(&result.values) } else { result.values.clone() };
    values.shift_remove("failed");
    values.shift_remove("skipped");
    values
}

fn censored(values: &Map) -> Map {
    let mut shown = Map::default();
    shown.insert("censored".into(), CENSORED.into());
    for key in ["attempts", "changed", "retries"] {
        if let Some(value) = values.get(key) {
            shown.insert(key.into(), value.clone());
        }
    }
    if let Some(results) = values.get("results").and_then(Value::as_list) {
        let results = results.iter().filter_map(Value::as_map).map(|item| Value::from(censored(item)));
        shown.insert("results".into(), results.collect());
    }
    shown
}

fn clean_debug(values: &mut Map, release: Release) {
    const HIDDEN: [&str; 8] = [
        "changed",
        "failed",
        "skipped",
        "invocation",
        "skip_reason",
        "ansible_loop_var",
        "ansible_index_var",
        "ansible_loop",
    ];
    const WITH_MESSAGE: [&str; 4] = ["msg", "exception", "warnings", "deprecations"];
    let has_message = values.contains_key("msg");
    let of_loop: Vec<Value> = ["ansible_loop_var", "ansible_index_var"]
        .into_iter()
        .filter(|_| release.debug_hides_variables_of_loops())
        .filter_map(|name| values.get(name).cloned())
        .collect();
    values.retain(|key, _| match key.as_str() {
        Some(name) if has_message => {
            WITH_MESSAGE.contains(&name) || name.starts_with('_') && !of_loop.contains(key)
        }
        Some(key) => !HIDDEN.contains(&key),
        None => !has_message,
    });
}

/// Returns the label of an item, which stands in `(item=…)`.
pub(super) fn item_label(result: &TaskResult, redactor: &Redactor) -> String {
    if result.no_log {
        return "(censored due to no_log)".to_owned();
    }
    let item = result
        .item
        .as_ref()
        .or_else(|| result.values.get("_ansible_item_label"))
        .or_else(|| result.values.get("item"));
    item.map_or_else(|| "None".to_owned(), |item| redactor.value(item).to_text().into_owned())
}

/// Returns the host, with the host that the task was delegated to.
pub(super) fn host_label(result: &TaskResult) -> String {
    match &result.delegated {
        Some(other) if *other != result.host => {
            match result.delegated_address.as_ref().filter(|address| *address != other) {
                Some(address) => format!("{} -> {other}({address})", result.host),
                None => format!("{} -> {other}", result.host),
            }
        }
        _ => result.host.to_string(),
    }
}
