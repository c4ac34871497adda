//! `playbook config`, which is also `ansible-config`.

mod dump;
mod init;
mod plugins;
mod validate;

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use playbook_api::python::{JsonStyle, json};
use playbook_api::{Error, Map, Value, map, nearest};
use serde_json::json;

use super::{Fault, session};
use crate::foreign::{self, Foreign, nothing_to_ask};
use crate::settings::{Entry, Kind, Settings, Surroundings};

/// Prints each setting with its value and origin.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook config dump --only-changed       The settings that differ from their defaults
  playbook config list                      All settings with their documentation
  playbook config init --disabled           A configuration file to start from
  playbook config validate                  Unknown names in the configuration file")]
pub(super) struct Config {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    dump: dump::Dump,
}

#[derive(Subcommand)]
enum Action {
    /// Prints each setting with its value and origin (the default).
    Dump(dump::Dump),
    /// Prints all settings with their documentation.
    List(List),
    /// Prints the configuration file in use.
    View(Common),
    /// Prints a configuration file with all defaults, to start from.
    Init(init::Init),
    /// Reports unknown names in the configuration file or the environment.
    Validate(validate::Validate),
}

#[derive(Args)]
struct Common {
    /// The configuration file, instead of the first one that exists
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    file: Option<PathBuf>,
    /// The type of plugin whose settings are printed; `all` adds all types to the settings of the engine
    #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "base",
          value_parser = clap::builder::PossibleValuesParser::new(TYPES))]
    kind: String,
    /// The plugins whose settings are printed, with --type
    #[arg(value_name = "PLUGIN")]
    plugins: Vec<String>,
    /// Print more
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

const TYPES: [&str; 13] = [
    "all",
    "base",
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "shell",
    "vars",
];

#[derive(Args)]
struct List {
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Data::Yaml)]
    format: Data,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Data {
    Json,
    Yaml,
}

impl Config {
    pub(super) fn run(self, by_project: bool) -> Result<u8, Fault> {
        if self.action.is_none() {
            self.dump.common.reject_word(by_project);
        }
        let action = self.action.unwrap_or(Action::Dump(self.dump));
        let common = match &action {
            Action::Dump(options) => &options.common,
            Action::List(options) => &options.common,
            Action::View(common) => common,
            Action::Init(options) => &options.common,
            Action::Validate(options) => &options.common,
        };
        let settings = common.settings(by_project)?;
        if let Some(text) = common.of_python(&settings, by_project)? {
            super::show(&text);
            return Ok(0);
        }
        match &action {
            Action::Dump(options) => options.print(&settings, by_project),
            Action::List(options) => list(&settings, options),
            Action::View(_) => match &settings.config_file {
                Some(path) => super::show(&std::fs::read_to_string(path)?),
                None => return Err(Error::new("Invalid or no config file was supplied").into()),
            },
            Action::Init(options) => super::show(&options.text(&settings)),
            Action::Validate(options) => return options.run(&settings),
        }
        Ok(0)
    }
}

impl Common {
    /// Ends the program if a word stands where the name of an action belongs. ansible-config requires such a name.
    fn reject_word(&self, by_project: bool) {
        let program = if by_project { "playbook config" } else { "ansible-config" };
        let mut command = Config::command().name(program).bin_name(program);
        let actions: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let (kind, message) = match self.plugins.first().filter(|_| self.kind == "base") {
            Some(word) => {
                let near = nearest(word, actions.iter().copied());
                let tip = near.map_or(String::new(), |near| format!("\n\nDid you mean '{near}'?"));
                (ErrorKind::InvalidSubcommand, format!("unrecognized subcommand '{word}'{tip}"))
            }
            None if by_project => return,
            None => {
                let names = actions.join(", ");
                (ErrorKind::MissingSubcommand, format!("an action is required: one of {names}"))
            }
        };
        command.error(kind, message).exit();
    }

    /// Reads the settings, from the file that was named if there is one.
    fn settings(&self, by_project: bool) -> Result<Settings, Fault> {
        let mut surroundings = Surroundings::of_process();
        if let Some(file) = &self.file {
            let path = crate::paths::absolute(file);
            let shown = path.display();
            if std::fs::File::open(&path).is_err() || path.is_dir() {
                let message =
                    format!("The provided configuration file is missing or not accessible: {shown}");
                return Err(Fault::options(Error::new(message)));
            }
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if !matches!(ending.as_str(), "cfg" | "ini") {
                let dot = if ending.is_empty() { "" } else { "." };
                let message = format!("Unsupported configuration file extension for {shown}: {dot}{ending}");
                return Err(Fault::options(Error::new(message).with_help("It must end in .cfg or .ini.")));
            }
            surroundings.variables.insert("ANSIBLE_CONFIG".into(), path.to_string_lossy().into_owned());
        }
        let (settings, _) = session::settings_of(surroundings, by_project)?;
        if self.verbose > 0 {
            say!("{}", super::common::config_line(&settings));
        }
        Ok(settings)
    }

    /// Returns what ansible-core's own program prints, if plugins in Python are named.
    fn of_python(&self, settings: &Settings, by_project: bool) -> Result<Option<String>, Error> {
        let foreign = Foreign::new(settings, 0);
        foreign.add_playbook(&crate::paths::absolute(Path::new(".")));
        let kind = foreign::Kind::ALL.into_iter().find(|kind| kind.name() == self.kind);
        let mut named = self.plugins.iter();
        let Some(plugin) = kind.and_then(|kind| {
            named.find(|name| foreign.find(kind, name, &[]).is_ok_and(|found| found.is_some()))
        }) else {
            return Ok(None);
        };
        let python = foreign.python_for(&format!("{} plugin", self.kind), plugin)?;
        let own = std::env::args().skip(if by_project { 2 } else { 1 });
        let words: Vec<String> = std::iter::once("ansible-config".to_owned()).chain(own).collect();
        let printed = python.ask("program", json!(words), &mut nothing_to_ask)?;
        Ok(printed.as_str().map(str::to_owned))
    }

    fn has_base(&self) -> bool {
        matches!(self.kind.as_str(), "base" | "all")
    }

    /// Returns the settings of the engine itself, by name.
    fn base<'s>(&self, settings: &'s Settings) -> Vec<&'s Entry> {
        let base = |entry: &&Entry| self.has_base() && !plugins::is_only_plugins(entry.setting.name);
        let mut entries: Vec<&Entry> = settings.entries().iter().filter(base).collect();
        entries.sort_by_key(|entry| entry.setting.name);
        entries
    }

    /// Returns the settings of the engine and of plugins that are asked for.
    fn entries<'s>(&self, settings: &'s Settings) -> Vec<&'s Entry> {
        let plugins = self.plugins(settings).into_iter().flat_map(|kind| kind.plugins);
        let of_plugins = plugins.flat_map(|(_, entries)| entries).map(|(_, entry)| entry);
        self.base(settings).into_iter().chain(of_plugins).collect()
    }

    /// Returns the settings of plugins: types, their plugins and their options.
    fn plugins<'s>(&self, settings: &'s Settings) -> Vec<plugins::Type<'s>> {
        let wanted = |kind: &str| self.kind == "all" || self.kind == kind;
        let types = TYPES[2..].iter().filter(|kind| wanted(kind));
        types.map(|kind| plugins::of(kind, settings, &self.plugins)).collect()
    }
}

/// Returns the definition of a setting for other programs.
fn definition(entry: &Entry) -> Value {
    let setting = entry.setting;
    let mut map = map! {
        "default" => if setting.default.is_empty() { Value::Null } else { setting.default.into() },
        "description" => setting.about,
        "type" => kind_name(setting.kind),
    };
    let names = |names: &[&str], to_value: &dyn Fn(&str) -> Value| -> Value {
        names.iter().map(|name| to_value(name)).collect()
    };
    if !setting.env.is_empty() {
        map.insert("env".into(), names(setting.env, &|name| map! { "name" => name }.into()));
    }
    if !setting.ini.is_empty() {
        let split = |name: &str| {
            let (section, key) = name.split_once('.').unwrap_or(("defaults", name));
            Value::from(map! { "key" => key, "section" => section })
        };
        map.insert("ini".into(), names(setting.ini, &split));
    }
    if !setting.choices.is_empty() {
        map.insert("choices".into(), setting.choices.to_vec().into());
    }
    map.sort_by(|a, _, b, _| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
    map.into()
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "boolean",
        Kind::Int => "integer",
        Kind::Text | Kind::RemotePath => "string",
        Kind::List => "list",
        Kind::Path => "path",
        Kind::PathSpec => "pathspec",
        Kind::PathList => "pathlist",
    }
}

fn list(settings: &Settings, options: &List) {
    let common = &options.common;
    let mut all: Map = common
        .base(settings)
        .into_iter()
        .map(|entry| (Value::from(entry.setting.name), definition(entry)))
        .collect();
    if common.has_base() {
        all.insert("GALAXY_SERVERS".into(), Map::default().into());
    }
    let types = common.plugins(settings);
    if !types.is_empty() {
        let kinds: Map = types
            .iter()
            .map(|kind| {
                let plugins: Map = kind
                    .plugins
                    .iter()
                    .map(|(plugin, entries)| {
                        let options: Map =
                            entries.iter().map(|(name, e)| (Value::from(*name), definition(e))).collect();
                        (Value::from(*plugin), options.into())
                    })
                    .collect();
                let name = if common.kind == "all" { kind.name.to_uppercase() } else { kind.name.to_owned() };
                (Value::from(name), plugins.into())
            })
            .collect();
        all.insert("PLUGINS".into(), kinds.into());
    }
    print(&all.into(), options.format);
}

fn print(value: &Value, format: Data) {
    match format {
        Data::Yaml => super::show(&crate::report::yaml::dump(value, 2, false)),
        Data::Json => {
            say!("{}", json(value, JsonStyle { indent: Some(4), sort_keys: true, ensure_ascii: false }))
        }
    }
}
