//! Where the settings' values come from: the default, ansible.cfg, the environment; flags on top.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use playbook_api::{Error, Place, Value};

use super::accepted::ACCEPTED;
use super::table::{Kind, Setting};
use super::value::{SETTINGS, Settings};
use super::{expand, ini};
use crate::document::unquote;
use crate::paths::{absolute, cannot_read};

/// What the settings are read from: the process's own environment, except in tests.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The environment variables.
    pub variables: HashMap<String, String>,
    /// The current directory.
    pub directory: PathBuf,
}

impl Surroundings {
    /// Returns the environment of this process.
    pub fn of_process() -> Self {
        let text = |s: std::ffi::OsString| s.to_string_lossy().into_owned();
        Surroundings {
            variables: std::env::vars_os().map(|(k, v)| (text(k), text(v))).collect(),
            directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
        }
    }
}

/// A setting's value and where it came from.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value.
    pub value: Value,
    /// Where the value came from.
    pub origin: Origin,
}

/// Where a setting's value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The default.
    Default,
    /// An environment variable.
    Env(&'static str),
    /// A configuration file.
    File(PathBuf),
    /// A command-line flag.
    Flag,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Env(name) => write!(f, "env: {name}"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Flag => f.write_str("flag"),
        }
    }
}

impl Settings {
    /// Reads the settings, and returns them with warnings.
    pub fn load(surroundings: &Surroundings) -> Result<(Settings, Vec<Error>), Error> {
        let mut warnings = Vec::new();
        let file = find_file(surroundings, &mut warnings);
        let values = match &file {
            Some(path) => {
                let bytes = crate::paths::read(path).map_err(|e| cannot_read(path, e))?;
                ini::parse(&String::from_utf8_lossy(&bytes), path)?
            }
            None => HashMap::new(),
        };
        let mut loader = Loader { surroundings, file: file.as_deref(), values: &values, home: String::new() };
        let mut entries = Vec::with_capacity(SETTINGS.len());
        let home = SETTINGS.iter().find(|setting| setting.name == "ANSIBLE_HOME");
        if let Some(home) = home {
            loader.home = loader.entry(home)?.value.to_text().into_owned();
        }
        for setting in SETTINGS.iter().chain(ACCEPTED) {
            entries.push(loader.entry(setting)?);
        }
        Ok((Settings::from_entries(entries, file), warnings))
    }

    /// Returns every setting with its value and where that came from.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns a setting by Ansible's name or by its field's.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.setting.name == name || entry.setting.field == name)
    }

    /// Sets a setting from a command-line flag, which wins over everything.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let Some(entry) = self.entries.iter_mut().find(|e| e.setting.name == name || e.setting.field == name)
        else {
            return;
        };
        entry.value = value.clone();
        entry.origin = Origin::Flag;
        let field = entry.setting.field;
        self.take_field(field, &value);
    }
}

impl Default for Settings {
    /// Returns the defaults, with only the home directory taken from the environment.
    fn default() -> Self {
        let mut surroundings = Surroundings::of_process();
        surroundings.variables.retain(|name, _| name == "HOME");
        let values = HashMap::new();
        let home = expand(&surroundings, "~/.ansible", None);
        let loader = Loader { surroundings: &surroundings, file: None, values: &values, home };
        let entries = SETTINGS.iter().filter_map(|setting| loader.entry(setting).ok()).collect();
        Settings::from_entries(entries, None)
    }
}

/// Finds the first of ANSIBLE_CONFIG, ./ansible.cfg, ~/.ansible.cfg and /etc/ansible/ansible.cfg that exists.
fn find_file(surroundings: &Surroundings, warnings: &mut Vec<Error>) -> Option<PathBuf> {
    let mut candidates = Vec::new();
    if let Some(given) = surroundings.variables.get("ANSIBLE_CONFIG") {
        let path = PathBuf::from(expand(surroundings, given, None));
        candidates.push(if path.is_dir() { path.join("ansible.cfg") } else { path });
    }
    let here = surroundings.directory.join("ansible.cfg");
    let writable = std::fs::metadata(&surroundings.directory)
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o002 != 0);
    if writable && here.exists() && !candidates.contains(&here) {
        warnings.push(
            Error::new(format!(
                "The current directory ({}) is world-writable, so its ansible.cfg is ignored.",
                surroundings.directory.display()
            ))
            .with_help("Run `chmod o-w` on the directory, or name the file in ANSIBLE_CONFIG."),
        );
    } else if !writable {
        candidates.push(here);
    }
    candidates.push(expand(surroundings, "~/.ansible.cfg", None).into());
    candidates.push("/etc/ansible/ansible.cfg".into());
    candidates.into_iter().find(|path| path.is_file()).map(|path| absolute(&path))
}

struct Loader<'a> {
    surroundings: &'a Surroundings,
    file: Option<&'a Path>,
    values: &'a HashMap<String, String>,
    home: String,
}

impl Loader<'_> {
    fn entry(&self, setting: &'static Setting) -> Result<Entry, Error> {
        let variable =
            setting.env.iter().rev().find_map(|name| Some((*name, self.surroundings.variables.get(*name)?)));
        if let Some((name, text)) = variable {
            return self.read(setting, text, Origin::Env(name), None);
        }
        let written = setting.ini.iter().rev().find_map(|key| self.values.get(*key));
        match (written, self.file) {
            (Some(text), Some(file)) => {
                let text =
                    if matches!(setting.kind, Kind::List | Kind::PathList) { text } else { unquote(text) };
                self.read(setting, text, Origin::File(file.to_owned()), file.parent())
            }
            _ => {
                let text = setting.default.replace("{{ANSIBLE_HOME}}", &self.home);
                self.read(setting, &text, Origin::Default, None)
            }
        }
    }

    fn read(
        &self,
        setting: &'static Setting,
        text: &str,
        origin: Origin,
        base: Option<&Path>,
    ) -> Result<Entry, Error> {
        let path = |text: &str| Value::from(expand(self.surroundings, text, base));
        let value = match setting.kind {
            Kind::List if text.is_empty() => Value::from(Vec::<Value>::new()),
            Kind::List => text.split(',').map(|item| Value::from(unquote(item.trim()))).collect(),
            Kind::PathSpec => text.split(':').map(path).collect(),
            Kind::PathList => text.split(',').map(|item| self.source(item.trim(), base)).collect(),
            _ if text.is_empty() => Value::Null,
            Kind::Bool => Value::Bool(boolean(text)),
            Kind::Int => text.trim().parse::<i64>().map(Value::Int).map_err(|_| {
                let name = setting.name;
                let fault = format!(
                    "Config '{name}' from '{origin}' has an invalid value: '{text}' is not an integer"
                );
                Error::new(fault).at_opt(self.place_of(setting, &origin).as_ref())
            })?,
            Kind::Text | Kind::RemotePath => text.into(),
            Kind::Path => path(text),
        };
        if !setting.choices.is_empty() && !setting.choices.contains(&text) {
            return Err(Error::new(format!(
                "Invalid value \"{text}\" for configuration option \"setting: {}\", valid values are: {}",
                setting.name,
                setting.choices.join(", ")
            ))
            .at_opt(self.place(&origin).as_ref()));
        }
        Ok(Entry { setting, value, origin })
    }

    fn place(&self, origin: &Origin) -> Option<Place> {
        match origin {
            Origin::File(path) => Some(Place::file_only(path.to_string_lossy())),
            _ => None,
        }
    }

    /// Returns the line of a configuration file that sets a setting.
    fn place_of(&self, setting: &Setting, origin: &Origin) -> Option<Place> {
        let file = self.place(origin)?;
        let text = std::fs::read_to_string(&*file.file).ok()?;
        let mut section = "";
        for (line, at) in text.lines().zip(1..) {
            let named = line.trim_start();
            if let Some((name, _)) = named.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                section = name;
            }
            let key = named.split(['=', ':']).next().unwrap_or_default().trim().to_lowercase();
            if setting.ini.iter().any(|ini| ini.split_once('.') == Some((section, &*key))) {
                return Some(Place::new(file.file, at, (line.len() - named.len()) as u32 + 1));
            }
        }
        Some(file)
    }

    /// An inventory source: a path, unless it names hosts (`a,b,`) or a plugin (`terraform:…`).
    fn source(&self, text: &str, base: Option<&Path>) -> Value {
        if text.starts_with("terraform:") {
            return text.into();
        }
        expand(self.surroundings, text, base).into()
    }
}

/// Whether Ansible takes a text for true. Anything else is false.
fn boolean(text: &str) -> bool {
    matches!(text.trim().to_lowercase().as_str(), "y" | "yes" | "on" | "1" | "true" | "t" | "1.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(dir: &Path, variables: &[(&str, &str)]) -> Surroundings {
        let mut variables: HashMap<String, String> =
            variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        variables.insert("HOME".into(), "/home/me".into());
        Surroundings { variables, directory: dir.to_owned() }
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let cfg = "[defaults]\nforks = 20\nroles_path = roles:$HOME/r:/abs\n\
            inventory = inv,{{CWD}}/hosts\ngathering=smart\n\
                   [ssh_connection]\nretries = 3\n";
        std::fs::write(dir.path().join("ansible.cfg"), cfg).unwrap();
        let (settings, _) =
            Settings::load(&surroundings(dir.path(), &[("ANSIBLE_FORKS", "7"), ("NO_COLOR", "1")])).unwrap();
        assert_eq!(settings.forks, 7);
        assert_eq!(settings.get("DEFAULT_FORKS").unwrap().origin.to_string(), "env: ANSIBLE_FORKS");
        assert!(settings.ssh_retries == 3 && settings.nocolor);
        assert_eq!(settings.roles_path, [dir.path().join("roles"), "/home/me/r".into(), "/abs".into()]);
        assert_eq!(settings.inventory[1], dir.path().join("hosts").to_string_lossy());
        assert_eq!(settings.get("gathering").unwrap().origin, Origin::File(dir.path().join("ansible.cfg")));
        assert_eq!(settings.collections_path[0], Path::new("/home/me/.ansible/collections"));
        assert_eq!(settings.get("timeout").unwrap().origin, Origin::Default);
        assert_eq!(settings.callback_format_pretty, None);
    }

    #[test]
    fn a_world_writable_directory_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ansible.cfg"), "[defaults]\nforks = 20\n").unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let (settings, warnings) = Settings::load(&surroundings(dir.path(), &[])).unwrap();
        assert_eq!(settings.forks, 5);
        assert_eq!(warnings.len(), 1);
        let given = dir.path().join("ansible.cfg");
        let (settings, _) =
            Settings::load(&surroundings(dir.path(), &[("ANSIBLE_CONFIG", given.to_str().unwrap())]))
                .unwrap();
        assert_eq!(settings.forks, 20);
    }

    #[test]
    fn wrong_values_say_what_is_possible() {
        let dir = tempfile::tempdir().unwrap();
        let load = |name, value| Settings::load(&surroundings(dir.path(), &[(name, value)])).map(drop);
        let error = load("ANSIBLE_GATHERING", "often").unwrap_err().to_string();
        assert!(error.contains("valid values are: implicit, explicit, smart"), "{error}");
        let error = load("ANSIBLE_FORKS", "many").unwrap_err().to_string();
        assert!(error.contains("env: ANSIBLE_FORKS"), "{error}");
        std::fs::write(
            dir.path().join("ansible.cfg"),
            "[defaults]
Forks = many
",
        )
        .unwrap();
        let error = Settings::load(&surroundings(dir.path(), &[])).map(drop).unwrap_err();
        assert_eq!(error.place().map(|place| place.line), Some(2), "{error}");
    }

    #[test]
    fn flags_win_over_everything() {
        let mut settings = Settings::default();
        assert_eq!((settings.forks, settings.transport.as_str()), (5, "ssh"));
        assert_eq!(settings.inventory_enabled[0], "host_list");
        settings.set("forks", 50);
        settings.set("roles_path", vec!["/r"]);
        assert_eq!((settings.forks, settings.roles_path[0].to_str()), (50, Some("/r")));
        assert_eq!(settings.get("forks").unwrap().origin, Origin::Flag);
    }
}
