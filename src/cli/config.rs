//! `playbook config`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use playbook_api::python::{JsonStyle, json};
use playbook_api::{Error, Map, Value, map};

use super::Fault;
use super::session;
use crate::settings::{Entry, Origin, Settings};

/// Print every setting, its value and where it came from.
#[derive(Parser)]
pub struct Config {
    /// Say more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, hide = true)]
    verbose: u8,
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    dump: Dump,
}

#[derive(Subcommand)]
enum Action {
    /// Print every setting, its value and where it came from (the default).
    Dump(Dump),
    /// Print what settings there are, with their documentation.
    List(List),
    /// Print the configuration file in use.
    View,
}

#[derive(Args)]
struct Dump {
    /// Only what differs from the defaults.
    #[arg(long, visible_alias = "changed-only")]
    only_changed: bool,
    /// The form of the output.
    #[arg(short, long, value_enum, default_value_t = Form::Display)]
    format: Form,
}

#[derive(Args)]
struct List {
    /// The form of the output.
    #[arg(short, long, value_enum, default_value_t = Form::Display)]
    format: Form,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    Display,
    Json,
    Yaml,
}

impl Config {
    pub fn run(self, by_project: bool) -> Result<u8, Fault> {
        let (settings, _) = session::settings(by_project)?;
        match self.action {
            None => dump(&settings, &self.dump),
            Some(Action::Dump(options)) => dump(&settings, &options),
            Some(Action::List(options)) => list(&settings, options.format),
            Some(Action::View) => match &settings.config_file {
                Some(path) => super::show(&std::fs::read_to_string(path)?),
                None => return Err(Fault::options(Error::new("Invalid or no config file was supplied"))),
            },
        }
        Ok(0)
    }
}

fn dump(settings: &Settings, options: &Dump) {
    let shown = |entry: &&Entry| !options.only_changed || entry.origin != Origin::Default;
    let mut entries: Vec<&Entry> = settings.entries().iter().filter(shown).collect();
    entries.sort_by_key(|entry| entry.setting.name);
    if options.format == Form::Display {
        let config = settings.config_file.as_ref().map_or("None".into(), |path| path.display().to_string());
        say!("CONFIG_FILE() = {config}");
        for entry in entries {
            say!("{}({}) = {}", entry.setting.name, entry.origin, repr(&entry.value));
        }
        return;
    }
    let entries = entries.into_iter().map(|entry| {
        Value::from(map! {
            "name" => entry.setting.name, "origin" => entry.origin.to_string(), "value" => entry.value.clone(),
        })
    });
    print(&entries.collect(), options.format);
}

fn repr(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        other => other.to_string(),
    }
}

fn list(settings: &Settings, format: Form) {
    if format == Form::Display {
        for entry in settings.entries() {
            let setting = entry.setting;
            say!("{}: {}", setting.name, setting.about);
            let places = [("ansible.cfg", setting.ini.join(", ")), ("environment", setting.env.join(", "))];
            for (place, names) in places.iter().filter(|(_, names)| !names.is_empty()) {
                say!("    {place}: {names}");
            }
            say!("    default: {}", setting.default);
        }
        return;
    }
    let all: Map = settings
        .entries()
        .iter()
        .map(|entry| {
            let setting = entry.setting;
            let value = map! {
                "description" => setting.about, "default" => setting.default,
                "env" => setting.env.to_vec(), "ini" => setting.ini.to_vec(),
            };
            (Value::from(setting.name), Value::from(value))
        })
        .collect();
    print(&all.into(), format);
}

fn print(value: &Value, format: Form) {
    match format {
        Form::Yaml => super::show(&crate::report::yaml::dump(value, 2, false)),
        _ => say!("{}", json(value, JsonStyle { indent: Some(4), sort_keys: true, ensure_ascii: false })),
    }
}
