//! `playbook doc`, which is also `ansible-doc`.

use std::fmt::Write;
use std::path::Path;

use clap::Parser;
use playbook_api::spec::{ArgType, OptionSpec};
use playbook_api::{Doc, Error, Registry, Spec};
use serde_json::{Value as Json, json};

use super::{Fault, Register, show};
use crate::foreign::{Foreign, Kind, nothing_to_ask};
use crate::run::actions;
use playbook_api::nearest;

/// Print the documentation of modules.
#[derive(Parser)]
pub struct Docs {
    /// List all modules, one line each.
    #[arg(short, long)]
    list: bool,
    /// As JSON, with the JSON Schema of the arguments.
    #[arg(short, long)]
    json: bool,
    /// A task to start from, instead of the documentation.
    #[arg(short, long)]
    snippet: bool,
    /// The kind of plugin; those that are not modules are Python.
    #[arg(short = 't', long = "type", default_value = "module")]
    kind: String,
    /// Say more.
    #[arg(short, long, action = clap::ArgAction::Count, hide = true)]
    verbose: u8,
    /// The modules' names.
    names: Vec<String>,
}

/// A module or action, as its documentation needs it.
struct Subject<'a> {
    doc: &'a Doc,
    spec: &'a Spec,
    schema: Option<Json>,
}

impl Docs {
    pub fn run(self, register: Register, _by_project: bool) -> Result<u8, Fault> {
        let mut registry = Registry::default();
        register(&mut registry);
        if self.kind != "module" {
            // These are Python, all of them.
            show(&self.of_python(&self.names)?);
            return Ok(0);
        }
        if self.list || self.names.is_empty() {
            show(&self.listing(&registry));
            return Ok(0);
        }
        let mut all = serde_json::Map::new();
        for name in &self.names {
            let subject = match find(&registry, name) {
                Ok(subject) => subject,
                Err(unknown) => {
                    if !installed(name)? {
                        return Err(unknown.into());
                    }
                    let text = self.of_python(std::slice::from_ref(name))?;
                    match serde_json::from_str::<serde_json::Map<String, Json>>(&text) {
                        Ok(docs) if self.json => all.extend(docs),
                        _ => show(&text),
                    }
                    continue;
                }
            };
            match (self.json, self.snippet) {
                (true, _) => {
                    all.insert(name.clone(), as_json(&subject));
                }
                (_, true) => show(&snippet(&subject)),
                _ => show(&text(&subject, &registry)),
            }
        }
        if self.json {
            show(&(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"));
        }
        Ok(0)
    }

    /// The documentation of what is written in Python, as ansible-core's own command prints it.
    fn of_python(&self, names: &[String]) -> Result<String, Error> {
        let foreign = foreign()?;
        let what = if self.kind == "module" { "module".to_owned() } else { format!("{} plugin", self.kind) };
        let python = foreign.python_for(&what, names.first().map_or("", String::as_str))?;
        let flags = [(self.list || names.is_empty(), "-l"), (self.json, "-j"), (self.snippet, "-s")];
        let mut arguments = vec!["ansible-doc", "-t", &self.kind];
        arguments.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag));
        arguments.extend(names.iter().map(String::as_str));
        let answer = python.ask("program", json!(arguments), &mut nothing_to_ask)?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    fn listing(&self, registry: &Registry) -> String {
        let mut docs: Vec<&Doc> =
            registry.module_names().filter_map(|n| registry.module(n)).map(|m| m.doc).collect();
        docs.extend(actions::TABLE.iter().map(|(_, action)| action.doc));
        docs.retain(|doc| !doc.name.starts_with('_'));
        docs.retain(|doc| {
            self.names.is_empty() || self.names.iter().any(|n| doc.full_name().starts_with(n.as_str()))
        });
        docs.sort_by_key(|doc| doc.full_name());
        docs.dedup_by_key(|doc| doc.full_name());
        if self.json {
            let all: serde_json::Map<String, Json> =
                docs.iter().map(|doc| (doc.full_name(), doc.short.into())).collect();
            return serde_json::to_string_pretty(&all).unwrap_or_default() + "\n";
        }
        let widest = docs.iter().map(|doc| doc.full_name().len()).max().unwrap_or(0);
        docs.iter().map(|doc| format!("{:widest$}  {}\n", doc.full_name(), doc.short)).collect()
    }
}

/// What lies beside the playbooks of this folder, and in collections.
fn foreign() -> Result<Foreign, Error> {
    let (settings, _) = super::session::settings(false).map_err(|fault| fault.error)?;
    let foreign = Foreign::new(&settings, 0);
    foreign.add_playbook(&crate::paths::absolute(Path::new(".")));
    Ok(foreign)
}

/// Whether a module of this name is there, in whatever language.
fn installed(name: &str) -> Result<bool, Error> {
    let foreign = foreign()?;
    Ok(foreign.find(Kind::Module, name, &[])?.is_some() || foreign.core_module(name).is_some())
}

fn find<'a>(registry: &'a Registry, name: &str) -> Result<Subject<'a>, Error> {
    if let Some(action) = actions::TABLE.find(name) {
        return Ok(Subject { doc: action.doc, spec: action.spec(), schema: None });
    }
    if let Some(module) = registry.module(name) {
        return Ok(Subject { doc: module.doc, spec: module.spec(), schema: Some(module.json_schema()) });
    }
    let names = crate::run::action_names(registry);
    let error = Error::new(format!("module {name} not found"));
    Err(match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.with_help(format!("Did you mean '{near}'?")),
        None => error.with_help("'playbook doc --list' names all modules."),
    })
}

/// A module in short: what it does, and its options with a line each.
pub fn summary(registry: &Registry, name: &str) -> Result<String, Error> {
    let Subject { doc, spec, .. } = find(registry, name)?;
    let options = spec.options.iter().filter(|(name, _)| !name.starts_with('_'));
    let lines = options.map(|(name, option)| {
        format!("\n  {name:<20} {}", option.description.trim().lines().next().unwrap_or_default())
    });
    Ok(format!("{}{}", doc.short, lines.collect::<String>()))
}

fn text(subject: &Subject, registry: &Registry) -> String {
    let Subject { doc, spec, .. } = subject;
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
    if doc.probes {
        probes(&mut out, registry);
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

/// Writes the probes that the module takes as options, each with its own.
fn probes(out: &mut String, registry: &Registry) {
    let mut probes: Vec<(&str, Spec)> = registry.probes.iter().map(|p| (p.name(), p.spec())).collect();
    probes.sort_by_key(|(name, _)| *name);
    for (name, spec) in probes {
        let _ = write!(out, "\n## Probe {name}\n\n");
        paragraph(out, &spec.description, 0);
        options(out, &spec, 0);
        rules(out, &spec);
    }
}

fn options(out: &mut String, spec: &Spec, margin: usize) {
    // Names that begin with an underscore are between the engine and its modules.
    for (name, option) in spec.options.iter().filter(|(name, _)| !name.starts_with('_')) {
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

/// What an option that is a dictionary, or a list of them, may hold.
fn inner(option: &OptionSpec) -> Option<&Spec> {
    let mut kind = &option.kind;
    while let ArgType::List(items) = kind {
        kind = items;
    }
    match kind {
        ArgType::Dict(inner) => inner.as_deref(),
        _ => None,
    }
}

fn kind(kind: &ArgType) -> String {
    match kind {
        ArgType::List(items) => format!("list of {}", self::kind(items)),
        other => other.name().to_owned(),
    }
}

fn plain(default: &Json) -> String {
    default.as_str().map_or_else(|| default.to_string(), str::to_owned)
}

fn rules(out: &mut String, spec: &Spec) {
    let public = |names: &[String]| {
        names.iter().map(|n| if n == "_raw_params" { "free form" } else { n }).collect::<Vec<_>>().join(", ")
    };
    let mut lines: Vec<String> = Vec::new();
    lines.extend(spec.mutually_exclusive.iter().map(|names| format!("At most one of: {}", public(names))));
    lines.extend(spec.required_one_of.iter().map(|names| format!("At least one of: {}", public(names))));
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

/// Text in lines of at most 100 characters; lines that are indented or a list stay as they are.
fn paragraph(out: &mut String, text: &str, margin: usize) {
    let mut line = String::new();
    let mut end = |line: &mut String| {
        if !line.is_empty() {
            let _ = writeln!(out, "{:margin$}{line}", "");
            line.clear();
        }
    };
    for source in text.trim().lines() {
        if source.trim().is_empty() || source.starts_with([' ', '-', '*', '`', '|']) {
            end(&mut line);
        }
        if source.starts_with([' ', '|']) {
            line.push_str(source);
            end(&mut line);
            continue;
        }
        for word in source.split_whitespace() {
            if !line.is_empty() && margin + line.chars().count() + 1 + word.chars().count() > 100 {
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

/// A task with every parameter.
fn snippet(subject: &Subject) -> String {
    let mut out = format!("- name: {}\n  {}:\n", subject.doc.short, subject.doc.full_name());
    for (name, option) in subject.spec.options.iter().filter(|(name, _)| !name.starts_with('_')) {
        let default = option.default.as_ref().map(plain).unwrap_or_default();
        let about = option.description.lines().next().unwrap_or_default();
        let required = if option.required { "(required) " } else { "" };
        let _ = writeln!(out, "    {name}: {default}  # {required}{about}");
    }
    out
}

fn as_json(subject: &Subject) -> Json {
    let Subject { doc, spec, schema } = subject;
    let returns: serde_json::Map<String, Json> = doc
        .returns
        .iter()
        .map(|(name, kind, meaning)| ((*name).to_owned(), json!({"type": kind, "description": meaning})))
        .collect();
    let mut out = json!({
        "doc": {
            "module": doc.name,
            "collection": doc.collection,
            "plugin_name": doc.full_name(),
            "aliases": doc.aliases,
            "short_description": doc.short,
            "description": spec.description,
            "options": options_json(spec),
            "check_mode": doc.check_mode,
        },
        "examples": doc.examples,
        "return": returns,
    });
    if let (Some(schema), Some(map)) = (schema, out.as_object_mut()) {
        map.insert("schema".into(), schema.clone());
    }
    out
}

fn options_json(spec: &Spec) -> Json {
    let options = spec.options.iter().map(|(name, option)| {
        let mut json = json!({
            "type": option.kind.name(),
            "description": option.description,
            "required": option.required,
            "default": option.default,
        });
        if let Some(map) = json.as_object_mut() {
            if let ArgType::List(items) = &option.kind {
                map.insert("elements".into(), items.name().into());
            }
            if !option.choices.is_empty() {
                map.insert("choices".into(), json!(option.choices));
            }
            if !option.aliases.is_empty() {
                map.insert("aliases".into(), json!(option.aliases));
            }
            if let Some(inner) = inner(option) {
                map.insert("suboptions".into(), options_json(inner));
            }
        }
        (name.clone(), json)
    });
    Json::Object(options.collect())
}
