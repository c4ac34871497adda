//! `config dump`: prints each setting with its value and origin.

use std::path::Path;

use clap::{Args, ValueEnum};
use playbook_api::{Map, Value, map};

use super::{Common, Data, print};
use crate::settings::{Entry, Origin, ServerEntry, Settings};

#[derive(Args)]
pub(super) struct Dump {
    /// Print only settings that differ from their defaults
    #[arg(long, visible_alias = "changed-only")]
    only_changed: bool,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Form::Display)]
    format: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    Display,
    Json,
    Yaml,
}

fn line(name: &str, entry: &Entry) -> String {
    format!("{name}({}) = {}", entry.origin, repr(&entry.value))
}

/// Returns an entry for other programs.
fn data(name: &str, entry: &Entry) -> Value {
    map! { "name" => name, "origin" => entry.origin.to_string(), "value" => entry.value.clone() }.into()
}

impl Dump {
    pub(super) fn print(&self, settings: &Settings, by_project: bool) {
        let common = &self.common;
        let shown = |entry: &Entry| !self.only_changed || entry.origin != Origin::Default;
        let base = common.base(settings).into_iter().filter(|entry| shown(entry));
        let file = settings.config_file.as_deref().map(Path::to_string_lossy);
        let mut named: Vec<(&str, Option<&Entry>)> =
            base.map(|entry| (entry.setting.name, Some(entry))).collect();
        if common.has_base() {
            named.push(("CONFIG_FILE", None));
        }
        named.sort_by_key(|(name, _)| *name);
        let types = common.plugins(settings);
        if self.format != Form::Display {
            let file = file.map_or(Value::Null, Value::from);
            let mut all: Vec<Value> = named
                .iter()
                .map(|(name, entry)| match entry {
                    Some(entry) => data(name, entry),
                    None => map! { "name" => *name, "origin" => "", "value" => file.clone() }.into(),
                })
                .collect();
            if common.has_base() {
                let servers = servers(settings, self.only_changed, by_project);
                let servers = servers.into_iter().map(|(name, entries)| {
                    let entries = entries.into_iter().map(|e| {
                        Value::from(map! { "name" => e.key, "origin" => e.origin, "value" => e.value })
                    });
                    (Value::from(name), entries.collect::<Value>())
                });
                all.push(map! { "GALAXY_SERVERS" => servers.collect::<Map>() }.into());
            }
            for kind in types {
                let plugins = kind.plugins.iter().filter_map(|(plugin, entries)| {
                    let entries = entries.iter().filter(|(_, entry)| shown(entry));
                    let entries: Vec<Value> = entries.map(|(name, entry)| data(name, entry)).collect();
                    (!entries.is_empty()).then(|| Value::from(map! { *plugin => entries }))
                });
                let plugins: Vec<Value> = plugins.collect();
                if common.kind == "all" {
                    let mut entry = Map::default();
                    entry.insert(format!("{}_PLUGINS", kind.name.to_uppercase()).into(), plugins.into());
                    all.push(entry.into());
                } else {
                    all.extend(plugins);
                }
            }
            let format = if self.format == Form::Json { Data::Json } else { Data::Yaml };
            return print(&all.into(), format);
        }
        let mut lines: Vec<String> = named
            .iter()
            .map(|(name, entry)| match entry {
                Some(entry) => line(name, entry),
                None => format!("CONFIG_FILE() = {}", file.as_deref().unwrap_or("None")),
            })
            .collect();
        if common.has_base() {
            lines.push("\nGALAXY_SERVERS:\n".into());
            for (name, entries) in servers(settings, self.only_changed, by_project) {
                lines.push(format!("\n{name}:\n{}", "_".repeat(name.len())));
                lines.extend(
                    entries.into_iter().map(|e| {
                        format!("{}({}) = {}", e.key, e.origin, e.value.as_deref().unwrap_or("None"))
                    }),
                );
            }
        }
        for kind in types {
            let mut part: Vec<String> = Vec::new();
            for (plugin, entries) in &kind.plugins {
                let entries: Vec<String> =
                    entries.iter().filter(|(_, e)| shown(e)).map(|(name, e)| line(name, e)).collect();
                if !entries.is_empty() {
                    part.push(format!("\n{plugin}:\n{}", "_".repeat(plugin.len())));
                    part.extend(entries);
                }
            }
            if common.kind == "all" && (!self.only_changed || !part.is_empty()) {
                lines.push(format!("\n{}:\n{}", kind.name.to_uppercase(), "=".repeat(kind.name.len())));
            }
            lines.extend(part);
        }
        say!("{}", lines.join("\n"));
    }
}

/// Returns the settings of each Galaxy server. Secrets are shown only under the name of Ansible's program.
fn servers(settings: &Settings, only_changed: bool, by_project: bool) -> Vec<(String, Vec<ServerEntry>)> {
    let mut servers = settings.galaxy_server_entries();
    for (_, entries) in &mut servers {
        entries.retain(|entry| !only_changed || entry.value.is_some());
        for entry in entries.iter_mut().filter(|_| by_project) {
            if matches!(entry.key, "token" | "password" | "client_secret") {
                entry.value = entry.value.take().map(|_| "********".into());
            }
        }
    }
    servers
}

fn repr(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        other => other.to_string(),
    }
}
