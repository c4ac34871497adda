//! `config init`: prints each setting with its default, to start a configuration from.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use indexmap::IndexMap;

use super::{Common, kind_name};
use crate::settings::{Entry, Kind, Settings};

#[derive(Args)]
pub(super) struct Init {
    /// The form: an ansible.cfg, environment variables or variables of playbooks
    #[arg(short, long, value_enum, default_value_t = Form::Ini)]
    format: Form,
    /// Write each setting as a comment
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    Ini,
    Env,
    Vars,
}

impl Init {
    pub(super) fn text(&self, settings: &Settings) -> String {
        let entries = self.common.entries(settings);
        match self.format {
            Form::Ini => self.ini(settings, &entries),
            Form::Env => self.env(settings, &entries),
            // Variables set only the options of connections, which are documented there.
            Form::Vars => String::new(),
        }
    }

    fn ini(&self, settings: &Settings, entries: &[&Entry]) -> String {
        let mut sections: IndexMap<&str, IndexMap<&str, &Entry>> = IndexMap::new();
        for entry in entries {
            if let Some((section, key)) = entry.setting.ini.last().and_then(|name| name.split_once('.')) {
                sections.entry(section).or_default().entry(key).or_insert(entry);
            }
        }
        let mark = if self.disabled { ";" } else { "" };
        let mut out = String::new();
        for (section, keys) in sections {
            let _ = writeln!(out, "[{section}]");
            for (key, entry) in keys {
                let setting = entry.setting;
                let _ = writeln!(out, "# ({}) {}", kind_name(setting.kind), setting.about);
                let _ = writeln!(out, "{mark}{key}={}\n", default(settings, entry));
            }
            out.push('\n');
        }
        out
    }

    fn env(&self, settings: &Settings, entries: &[&Entry]) -> String {
        let mark = if self.disabled { "#" } else { "" };
        let mut out = String::new();
        for entry in entries {
            let setting = entry.setting;
            if let Some(name) = setting.env.last().filter(|name| !name.starts_with('_')) {
                let default = match setting.kind {
                    Kind::Bool => if setting.default == "true" { "1" } else { "0" }.to_owned(),
                    _ => shlex::try_quote(&default(settings, entry)).unwrap_or_default().into_owned(),
                };
                let default = if default == "''" { String::new() } else { default };
                let _ = writeln!(out, "# {}({}): {}", setting.name, kind_name(setting.kind), setting.about);
                let _ = writeln!(out, "{mark}{name}={default}\n");
            }
        }
        out
    }
}

/// Returns the default as it is written in a file.
fn default(settings: &Settings, entry: &Entry) -> String {
    let home = settings.home.to_string_lossy();
    match (entry.setting.kind, entry.setting.default) {
        (Kind::Bool, "true") => "True".into(),
        (Kind::Bool, "false") => "False".into(),
        (Kind::List, text) => text.split(',').map(str::trim).collect::<Vec<_>>().join(", "),
        (_, text) => text.replace("{{ANSIBLE_HOME}}", &home),
    }
}
