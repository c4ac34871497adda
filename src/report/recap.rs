//! The lines at the end of a run.

use playbook_api::Map;
use playbook_api::python::{JsonStyle, json};

use super::HostStats;
use super::display::{Colour, Display};

/// What became of a host.
pub fn line(display: &Display, host: &str, stats: &HostStats) -> String {
    let colour = if stats.failed != 0 || stats.unreachable != 0 {
        Colour::Error
    } else if stats.changed != 0 {
        Colour::Changed
    } else {
        Colour::Ok
    };
    // Ansible pads the text with its escape codes in it.
    let room: usize = if display.colour { 37 } else { 26 };
    let host = display.painted(host, colour);
    let padding = " ".repeat(room.saturating_sub(host.chars().count()));
    let counts = [
        ("ok", stats.ok, Colour::Ok),
        ("changed", stats.changed, Colour::Changed),
        ("unreachable", stats.unreachable, Colour::Unreachable),
        ("failed", stats.failed, Colour::Error),
        ("skipped", stats.skipped, Colour::Skip),
        ("rescued", stats.rescued, Colour::Ok),
        ("ignored", stats.ignored, Colour::Warn),
    ];
    let counts = counts.map(|(name, count, colour)| {
        let text = format!("{name}={count:<4}");
        if count == 0 { text } else { display.painted(&text, colour) }
    });
    format!("{host}{padding} : {}", counts.join(" "))
}

/// `set_stats` values on one line, as Ansible squeezes its indented JSON.
pub fn custom(display: &Display, values: &Map) -> String {
    let values = display.redactor().map(values);
    let style = JsonStyle { indent: Some(1), sort_keys: true, ensure_ascii: false };
    json(&values.into(), style).replace('\n', "")
}
