//! The recap at the end of a playbook.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::Map;
use playbook_api::python::{JsonStyle, json};

use super::HostStats;
use super::display::{Color, Display};

/// Prints the counts of each host.
pub(super) fn print(display: &mut Display, hosts: &IndexMap<Arc<str>, HostStats>) {
    display.banner("PLAY RECAP");
    let mut sorted: Vec<(&Arc<str>, &HostStats)> = hosts.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (name, stats) in sorted {
        let line = line(display, name, stats);
        display.line(&line, None);
    }
    display.line("", None);
}

/// Prints the values of `set_stats`, if there are any.
pub(super) fn print_custom(display: &mut Display, custom: &IndexMap<Arc<str>, Map>) {
    if custom.is_empty() {
        return;
    }
    display.banner("CUSTOM STATS: ");
    let mut sorted: Vec<(&Arc<str>, &Map)> = custom.iter().filter(|(name, _)| &***name != "_run").collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (name, values) in sorted {
        let text = one_line(display, values);
        display.line(&format!("\t{name}: {text}"), None);
    }
    if let Some(run) = custom.get("_run") {
        let text = one_line(display, run);
        display.line("", None);
        display.line(&format!("\tRUN: {text}"), None);
    }
    display.line("", None);
}

/// Returns the line of a host.
fn line(display: &Display, host: &str, stats: &HostStats) -> String {
    let color = if stats.failed != 0 || stats.unreachable != 0 {
        Color::Error
    } else if stats.changed != 0 {
        Color::Changed
    } else {
        Color::Ok
    };
    // Ansible counts the escape codes as characters.
    let room: usize = if display.color { 37 } else { 26 };
    let host = display.painted(host, color);
    let padding = " ".repeat(room.saturating_sub(host.chars().count()));
    let counts = [
        ("ok", stats.ok, Color::Ok),
        ("changed", stats.changed, Color::Changed),
        ("unreachable", stats.unreachable, Color::Unreachable),
        ("failed", stats.failed, Color::Error),
        ("skipped", stats.skipped, Color::Skip),
        ("rescued", stats.rescued, Color::Ok),
        ("ignored", stats.ignored, Color::Warn),
    ];
    let counts = counts.map(|(name, count, color)| {
        let text = format!("{name}={count:<4}");
        if count == 0 { text } else { display.painted(&text, color) }
    });
    format!("{host}{padding} : {}", counts.join(" "))
}

/// Returns the values of `set_stats` on one line: Ansible removes the line breaks of indented JSON.
fn one_line(display: &Display, values: &Map) -> String {
    let values = display.redactor().map(values);
    let style = JsonStyle { indent: Some(1), sort_keys: true, ensure_ascii: false };
    json(&values.into(), style).replace('\n', "")
}
