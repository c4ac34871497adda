//! `playbook doc`, which is also `ansible-doc`.

mod json;
mod plugins;
mod readme;
mod roles;
mod statements;
mod text;

use std::path::Path;

use clap::Parser;
use playbook_api::{Doc, Error, Registry, Spec, nearest};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Fault, Register, show};
use crate::foreign::{Foreign, Kind, nothing_to_ask};
use crate::run::actions;
use plugins::Plugin;

/// Prints the documentation of modules, plugins, keywords and roles.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook doc copy                     A module
  playbook doc -l aws                   The modules whose names contain a word
  playbook doc -s ecs_service           A task with every parameter, to start from
  playbook doc -t filter combine        A filter
  playbook doc -t keyword -l            All keywords
  playbook doc -t role my_role          A role's arguments
  playbook doc -j copy                  JSON, with the JSON Schema of the arguments")]
pub(super) struct Docs {
    /// List names with a summary each
    #[arg(short, long)]
    list: bool,
    /// Print JSON; of a module with the JSON Schema of its arguments
    #[arg(short, long)]
    json: bool,
    /// Print a task to start from
    #[arg(short, long)]
    snippet: bool,
    /// The type: module, lookup, filter, test, inventory, callback, connection, become, strategy, keyword or role; other
    /// types of plugins are those of ansible-core
    #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "module", hide_possible_values = true,
          value_parser = clap::builder::PossibleValuesParser::new(TYPES))]
    kind: String,
    /// Print the modules as the table of README.md
    #[arg(long, hide = true)]
    readme: bool,
    /// Print more
    #[arg(short, long, action = clap::ArgAction::Count, hide = true)]
    verbose: u8,
    /// The names; with --list, parts of names
    names: Vec<String>,
}

/// The types of what can be documented.
const TYPES: [&str; 17] = [
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "filter",
    "httpapi",
    "inventory",
    "keyword",
    "lookup",
    "module",
    "netconf",
    "role",
    "shell",
    "strategy",
    "test",
    "vars",
];

/// A module or action with its documentation.
pub(super) struct Subject<'a> {
    /// Its names, summary, return values and examples.
    doc: &'a Doc,
    /// Its arguments.
    spec: &'a Spec,
    /// The JSON Schema of its arguments.
    schema: Json,
    /// A probe of `wait_until`.
    probes: Vec<(&'static str, Spec)>,
}

impl Docs {
    /// Prints the documentation. Under the name of Ansible's program, lists of plugins are those of ansible-core, since
    /// they include the plugins of collections.
    pub(super) fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let mut registry = Registry::default();
        register(&mut registry);
        if self.readme {
            show(&readme::table(&registry));
            return Ok(0);
        }
        let lists = self.list || self.names.is_empty();
        let text = match self.kind.as_str() {
            "module" if lists => self.listing(modules(&registry)),
            "module" => self.modules(&registry)?,
            "role" => self.roles(lists)?,
            kind if plugins::TYPES.contains(&kind) => match (lists, by_project) {
                (true, true) => {
                    self.listing(plugins::of(kind).map(|plugin| (plugin.full_name(), plugin.about)))
                }
                (true, false) => match self.of_python(&self.names) {
                    Ok(text) => text,
                    Err(_) => self.listing(plugins::of(kind).map(|p| (p.full_name(), p.about))),
                },
                (false, _) => self.plugins(kind)?,
            },
            _ => self.of_python(&self.names)?,
        };
        show(&text);
        Ok(0)
    }

    /// Formats names and their summaries; only those that contain one of the words, if there are any.
    fn listing(&self, all: impl Iterator<Item = (String, &'static str)>) -> String {
        let wanted = |(name, _): &(String, &str)| {
            self.names.is_empty() || self.names.iter().any(|word| name.contains(word.as_str()))
        };
        let mut all: Vec<(String, &str)> = all.filter(wanted).collect();
        all.sort();
        all.dedup();
        if self.json {
            return pretty(all.into_iter().map(|(name, about)| (name, about.into())).collect());
        }
        let widest = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        all.iter().map(|(name, about)| format!("{name:widest$}  {about}\n")).collect()
    }

    fn modules(&self, registry: &Registry) -> Result<String, Error> {
        let mut all = JsonMap::new();
        let mut out = String::new();
        for name in &self.names {
            match find(registry, name) {
                Ok(subject) if self.json => {
                    all.insert(name.clone(), json::of_module(&subject));
                }
                Ok(subject) if self.snippet => out += &text::snippet(&subject),
                Ok(subject) => out += &text::text(&subject),
                Err(unknown) => {
                    if !installed(name)? {
                        return Err(unknown);
                    }
                    self.take(self.of_python(std::slice::from_ref(name))?, &mut all, &mut out);
                }
            }
        }
        Ok(if self.json { pretty(all) } else { out })
    }

    fn plugins(&self, kind: &str) -> Result<String, Error> {
        let mut all = JsonMap::new();
        let mut out = String::new();
        for name in &self.names {
            match Plugin::find(kind, name) {
                Some(plugin) if self.json => {
                    all.insert(name.clone(), plugin.json());
                }
                Some(plugin) => out += &plugin.text(),
                None => {
                    let names: Vec<&str> =
                        plugins::of(kind).flat_map(|plugin| plugin.names.clone()).collect();
                    if let Some(near) = nearest(name, names.iter().copied()) {
                        return Err(Error::new(format!("{kind} {name} not found"))
                            .with_help(format!("Did you mean '{near}'?")));
                    }
                    let printed = self.of_python(std::slice::from_ref(name)).map_err(|_| {
                        Error::new(format!("{kind} {name} not found"))
                            .with_help(format!("Run 'playbook doc -t {kind} -l' to list all names."))
                    })?;
                    self.take(printed, &mut all, &mut out);
                }
            }
        }
        Ok(if self.json { pretty(all) } else { out })
    }

    fn roles(&self, lists: bool) -> Result<String, Error> {
        let (settings, _) = super::session::settings(true).map_err(|fault| fault.error)?;
        let roles = roles::all(&settings)?;
        if lists {
            let about = |role: &roles::Role| (role.name.clone(), role.about());
            let all: JsonMap<String, Json> =
                roles.iter().map(about).map(|(name, about)| (name, about.into())).collect();
            let widest = all.keys().map(String::len).max().unwrap_or(0);
            let line = |(name, about): (&String, &Json)| {
                format!("{name:widest$}  {}\n", about.as_str().unwrap_or_default())
            };
            return Ok(if self.json { pretty(all) } else { all.iter().map(line).collect() });
        }
        let mut all = JsonMap::new();
        let mut out = String::new();
        for name in &self.names {
            let Some(role) = roles.iter().find(|role| role.name == *name) else {
                let error = Error::new(format!("role {name} not found, or it has no argument specification"));
                let near = nearest(name, roles.iter().map(|role| role.name.as_str()));
                return Err(match near {
                    Some(near) => error.with_help(format!("Did you mean '{near}'?")),
                    None => error.with_help("Describe its arguments in meta/argument_specs.yml."),
                });
            };
            all.insert(name.clone(), role.json());
            out += &role.text();
        }
        Ok(if self.json { pretty(all) } else { out })
    }

    /// Adds what ansible-core's program has printed.
    fn take(&self, printed: String, all: &mut JsonMap<String, Json>, out: &mut String) {
        match serde_json::from_str::<JsonMap<String, Json>>(&printed) {
            Ok(docs) if self.json => all.extend(docs),
            _ => *out += &printed,
        }
    }

    /// Returns what ansible-core's own program prints.
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
}

fn pretty(all: JsonMap<String, Json>) -> String {
    format!("{:#}\n", Json::Object(all))
}

/// The documentation of everything that can stand in a task, internal modules excepted.
fn docs(registry: &Registry) -> Vec<&'static Doc> {
    let modules = registry.module_names().filter_map(|name| registry.module(name)).map(|module| module.doc);
    let actions = actions::TABLE.iter().map(|(_, action)| action.doc);
    let mut docs: Vec<&Doc> = modules.chain(actions).chain(statements::all().map(|s| s.doc)).collect();
    docs.retain(|doc| !is_internal(doc));
    docs.sort_by_key(|doc| doc.full_name());
    docs.dedup_by_key(|doc| doc.full_name());
    docs
}

/// Whether only the engine runs a module.
fn is_internal(doc: &Doc) -> bool {
    doc.name.starts_with('_') || doc.name == "async_wrapper" || doc.name.contains("_protomatter")
}

fn modules(registry: &Registry) -> impl Iterator<Item = (String, &'static str)> + use<> {
    docs(registry).into_iter().map(|doc| (doc.full_name(), doc.short))
}

/// The modules and plugins beside the playbooks of this directory and in collections.
fn foreign() -> Result<Foreign, Error> {
    let (settings, _) = super::session::settings(false).map_err(|fault| fault.error)?;
    let foreign = Foreign::new(&settings, 0);
    foreign.add_playbook(&crate::paths::absolute(Path::new(".")));
    Ok(foreign)
}

/// Whether a module of this name is installed, in any language.
fn installed(name: &str) -> Result<bool, Error> {
    let foreign = foreign()?;
    Ok(foreign.find(Kind::Module, name, &[])?.is_some() || foreign.core_module(name).is_some())
}

fn find<'a>(registry: &'a Registry, name: &str) -> Result<Subject<'a>, Error> {
    if let Some(action) = actions::TABLE.find(name) {
        let schema = action.json_schema();
        return Ok(Subject { doc: action.doc, spec: action.spec(), schema, probes: Vec::new() });
    }
    if let Some(module) = registry.module(name) {
        let waits = module.doc.name == "wait_until";
        let mut probes: Vec<(&'static str, Spec)> = match waits {
            true => registry.probes.iter().map(|probe| (probe.name(), probe.spec())).collect(),
            false => Vec::new(),
        };
        probes.sort_by_key(|(name, _)| *name);
        return Ok(Subject { doc: module.doc, spec: module.spec(), schema: module.json_schema(), probes });
    }
    if let Some(statement) = statements::find(name) {
        let (doc, spec, schema) = (statement.doc, statement.spec(), (statement.schema)());
        return Ok(Subject { doc, spec, schema, probes: Vec::new() });
    }
    let names: Vec<&str> = docs(registry).into_iter().map(|doc| doc.name).collect();
    let error = Error::new(format!("module {name} not found"));
    Err(match nearest(name, names) {
        Some(near) => error.with_help(format!("Did you mean '{near}'?")),
        None => error.with_help("Run 'playbook doc --list' to list all modules."),
    })
}

/// Returns the summary of a module, and its options with a line each.
pub(super) fn summary(registry: &Registry, name: &str) -> Result<String, Error> {
    let Subject { doc, spec, .. } = find(registry, name)?;
    let lines = text::public(spec).map(|(name, option)| {
        format!("\n  {name:<20} {}", option.description.trim().lines().next().unwrap_or_default())
    });
    Ok(format!("{}{}", doc.short, lines.collect::<String>()))
}
