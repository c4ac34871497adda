//! Documentation as text.

use std::fmt::Write;

use playbook_api::Spec;
use playbook_api::spec::{ArgType, OptionSpec};
use serde_json::Value as Json;

use super::Subject;

/// The width of the text, in columns.
const WIDTH: usize = 100;

/// Formats the documentation of a module.
pub(super) fn text(subject: &Subject) -> String {
    let Subject { doc, spec, probes, .. } = subject;
    let mut out = format!("# {}\n\n", doc.full_name());
    paragraph(&mut out, doc.short, 0);
    if !spec.description.trim().is_empty() && spec.description.trim() != doc.short {
        out.push('\n');
        paragraph(&mut out, &spec.description, 0);
    }
    if !doc.aliases.is_empty() {
        let _ = write!(out, "\nAlso known as: {}\n", doc.aliases.join(", "));
    }
    if !spec.options.is_empty() {
        out.push_str("\n## Parameters\n");
        options(&mut out, spec, 0);
        rules(&mut out, spec);
    }
    if !probes.is_empty() {
        out.push_str("\n## Things to wait for\n");
        for (name, spec) in probes {
            let _ = write!(out, "\n{name} (dict, or a list of dict)\n");
            paragraph(&mut out, &spec.description, 4);
            options(&mut out, spec, 4);
        }
    }
    if !doc.check_mode.is_empty() {
        out.push_str("\n## Check mode\n\n");
        paragraph(&mut out, doc.check_mode, 0);
    }
    if !doc.returns.is_empty() {
        out.push_str("\n## Return values\n\n");
        for (name, kind, meaning) in doc.returns {
            let _ = writeln!(out, "{name} ({kind})");
            paragraph(&mut out, meaning, 4);
        }
    }
    if !doc.examples.trim().is_empty() {
        let _ = write!(out, "\n## Examples\n\n{}\n", doc.examples.trim_matches('\n'));
    }
    out
}

/// Writes the options of a module, or of an option that is a dictionary.
pub(super) fn options(out: &mut String, spec: &Spec, margin: usize) {
    for (name, option) in public(spec) {
        let required = if option.required { ", required" } else { "" };
        let _ = write!(out, "\n{:margin$}{name} ({}{required})\n", "", kind(&option.kind));
        paragraph(out, &option.description, margin + 4);
        let mut note = |label: &str, text: String| {
            let _ = writeln!(out, "{:1$}{label}: {text}", "", margin + 4);
        };
        if !option.choices.is_empty() {
            note("choices", option.choices.join(", "));
        }
        if let Some(default) = &option.default {
            note("default", plain(default));
        }
        if !option.aliases.is_empty() {
            note("aliases", option.aliases.join(", "));
        }
        if option.no_log {
            note("secret", "never shown".into());
        }
        if let Some(inner) = inner(option) {
            options(out, inner, margin + 4);
        }
    }
}

/// Returns the options that users may give. Names that begin with an underscore are internal.
pub(super) fn public(spec: &Spec) -> impl Iterator<Item = (&String, &OptionSpec)> {
    spec.options.iter().filter(|(name, _)| !name.starts_with('_'))
}

/// Returns the options of an option that is a dictionary, or a list of them.
pub(super) fn inner(option: &OptionSpec) -> Option<&Spec> {
    let mut kind = &option.kind;
    while let ArgType::List(items) = kind {
        kind = items;
    }
    match kind {
        ArgType::Dict(inner) => inner.as_deref(),
        _ => None,
    }
}

/// Names a type.
fn kind(kind: &ArgType) -> String {
    match kind {
        ArgType::List(items) => format!("list of {}", self::kind(items)),
        other => other.name().to_owned(),
    }
}

/// Formats a default.
fn plain(default: &Json) -> String {
    default.as_str().map_or_else(|| default.to_string(), str::to_owned)
}

/// Writes the rules between options.
fn rules(out: &mut String, spec: &Spec) {
    let shown = |names: &[String]| {
        names.iter().map(|n| if n == "_raw_params" { "free form" } else { n }).collect::<Vec<_>>().join(", ")
    };
    let mut lines: Vec<String> = Vec::new();
    lines.extend(spec.mutually_exclusive.iter().map(|names| format!("At most one of: {}", shown(names))));
    lines.extend(spec.required_one_of.iter().map(|names| format!("At least one of: {}", shown(names))));
    lines.extend(spec.required_together.iter().map(|names| format!("All or none of: {}", names.join(", "))));
    lines.extend(spec.required_if.iter().map(|(name, value, needs, any)| {
        let count = if *any { "one" } else { "all" };
        format!("With {name}={}, {count} of: {}", plain(value), needs.join(", "))
    }));
    lines.extend(spec.required_by.iter().map(|(name, needs)| format!("{name} needs: {}", needs.join(", "))));
    if !lines.is_empty() {
        let _ = write!(out, "\n{}\n", lines.join("\n"));
    }
}

/// Writes text in lines of at most 100 columns. The lines of a paragraph are joined, so that the line breaks of the source
/// do not matter; lists, tables and indented lines are kept.
pub(super) fn paragraph(out: &mut String, text: &str, margin: usize) {
    let mut line = String::new();
    let mut end = |line: &mut String| {
        if !line.is_empty() {
            let _ = writeln!(out, "{:margin$}{line}", "");
            line.clear();
        }
    };
    for source in text.trim().lines() {
        let is_item =
            source.starts_with([' ', '-', '*', '|']) || (source.starts_with('`') && source.contains("`: "));
        if source.trim().is_empty() || is_item {
            end(&mut line);
        }
        if source.starts_with([' ', '|']) {
            line.push_str(source);
            end(&mut line);
            continue;
        }
        for word in source.split_whitespace() {
            if !line.is_empty() && margin + line.chars().count() + 1 + word.chars().count() > WIDTH {
                end(&mut line);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    end(&mut line);
}

/// Formats a task with every parameter.
pub(super) fn snippet(subject: &Subject) -> String {
    let mut out = format!("- name: {}\n  {}:\n", subject.doc.short, subject.doc.full_name());
    for (name, option) in public(subject.spec) {
        let default = option.default.as_ref().map(plain).unwrap_or_default();
        let about = option.description.lines().next().unwrap_or_default();
        let required = if option.required { "(required) " } else { "" };
        let _ = writeln!(out, "    {name}: {default}  # {required}{about}");
    }
    out
}
