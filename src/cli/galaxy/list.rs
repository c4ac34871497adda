//! `list` of roles and of collections.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use playbook_api::python::{JsonStyle, json};
use playbook_api::{Error, Map, Value, map};

use super::artifact::{self, About};
use super::installed_version;
use crate::cli::core::Core;
use crate::cli::{Fault, show, warn};
use crate::paths;
use crate::settings::Settings;

/// The options of `role list`.
#[derive(Args)]
pub(super) struct Roles {
    /// The directories to search, separated by colons, instead of roles_path
    #[arg(short = 'p', long, value_name = "PATHS")]
    roles_path: Vec<String>,
    /// The role to show; all roles by default
    role: Option<String>,
}

/// The options of `collection list`.
#[derive(Args)]
pub(super) struct Collections {
    /// More directories to search, separated by colons
    #[arg(short = 'p', long, value_name = "PATHS")]
    collections_path: Vec<String>,
    /// The form of the list
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
    /// The collection to show; all collections by default
    collection: Option<String>,
}

/// The form of a list.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    /// A table
    Human,
    /// YAML
    Yaml,
    /// JSON
    Json,
}

/// Splits the values of a repeatable option with paths.
fn split(given: &[String]) -> Vec<PathBuf> {
    let paths = given.iter().flat_map(|paths| paths.split(':')).filter(|path| !path.is_empty());
    paths.map(|path| paths::absolute(&crate::paths::expand_home(Path::new(path)))).collect()
}

/// The error for a search path without any directory.
fn no_directory(kind: &str) -> Fault {
    Fault::options(Error::new(format!(
        "- None of the provided paths were usable. Please specify a valid path with --{kind}s-path"
    )))
}

impl Roles {
    /// Prints the installed roles.
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Fault> {
        let directories = match self.roles_path.as_slice() {
            [] => settings.roles_path.clone(),
            given => split(given),
        };
        let mut warnings: Vec<String> = Vec::new();
        let mut any = false;
        let mut found = false;
        for directory in &directories {
            if !directory.is_dir() {
                warnings.push(missing(directory));
                continue;
            }
            any = true;
            let roles: Vec<String> = match &self.role {
                Some(role) if directory.join(role).is_dir() => vec![role.clone()],
                Some(role) => {
                    warnings.push(format!("- the role {role} was not found"));
                    continue;
                }
                None => names(directory).into_iter().filter(|name| has_meta(&directory.join(name))).collect(),
            };
            say!("# {}", directory.display());
            for role in roles {
                let version = installed_version(&directory.join(&role));
                say!("- {role}, {}", version.unwrap_or_else(|| "(unknown version)".into()));
            }
            if self.role.is_some() {
                found = true;
                break;
            }
        }
        if !found {
            warnings.iter().for_each(|warning| warn(warning));
        }
        if any { Ok(0) } else { Err(no_directory("role")) }
    }
}

fn missing(directory: &Path) -> String {
    if directory.exists() {
        format!("- the configured path {}, exists, but it is not a directory.", directory.display())
    } else {
        format!("- the configured path {} does not exist.", directory.display())
    }
}

/// Whether a role has `meta/main.yml`, without which ansible-galaxy does not list it.
fn has_meta(directory: &Path) -> bool {
    ["main.yml", "main.yaml", "main"].iter().any(|name| directory.join("meta").join(name).is_file())
}

/// The names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

impl Collections {
    /// Prints the installed collections.
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Fault> {
        if let Some(name) = self.collection.as_ref().filter(|name| name.split('.').count() != 2) {
            return Err(Error::new(format!(
                "Invalid collection name '{name}', name must be in the format <namespace>.<collection>. \
                 Please make sure namespace and collection name contains characters from [a-zA-Z0-9_] only."
            ))
            .into());
        }
        let given = split(&self.collections_path);
        let packages = Core::find(settings).map(|core| core.paths).unwrap_or_default();
        let mut roots: Vec<PathBuf> = Vec::new();
        for path in given.iter().chain(&settings.collections_path).chain(&packages) {
            let root = match path.ends_with("ansible_collections") {
                true => path.clone(),
                false => path.join("ansible_collections"),
            };
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        let mut found: BTreeMap<&Path, Vec<About>> = BTreeMap::new();
        for root in &roots {
            let collections = self.under(root);
            if !collections.is_empty() {
                found.insert(root, collections);
            }
        }
        let is_found = !found.is_empty();
        let mut paths = given.iter().chain(&settings.collections_path).chain(&packages);
        if !is_found && !paths.any(|path| path.is_dir()) {
            return Err(no_directory("collection"));
        }
        match self.format {
            Form::Human => show(&table(&found)),
            Form::Json => {
                let style = JsonStyle { indent: None, sort_keys: false, ensure_ascii: true };
                say!("{}", json(&data(&found), style));
            }
            Form::Yaml => show(&crate::report::yaml::dump(&data(&found), 2, false)),
        }
        if !(is_found && self.collection.is_some()) {
            given.iter().filter(|path| !path.is_dir()).for_each(|path| warn(&missing(path)));
        }
        Ok(0)
    }

    /// The collections in a directory `ansible_collections`, sorted by name.
    fn under(&self, root: &Path) -> Vec<About> {
        let names = names(root).into_iter().flat_map(|namespace| {
            let inside = names(&root.join(&namespace)).into_iter();
            inside.map(move |name| format!("{namespace}.{name}"))
        });
        let wanted = names.filter(|name| self.collection.as_ref().is_none_or(|wanted| wanted == name));
        let about = |name: String| {
            let directory = root.join(name.replacen('.', "/", 1));
            artifact::about(&directory).ok().map(|about| About { name, ..about })
        };
        wanted.filter_map(about).collect()
    }
}

fn table(found: &BTreeMap<&Path, Vec<About>>) -> String {
    let all = || found.values().flatten();
    let widest = |title: &str, length: &dyn Fn(&About) -> usize| {
        all().map(length).max().unwrap_or_default().max(title.len())
    };
    let names = widest("Collection", &|about| about.name.len());
    let versions = widest("Version", &|about| about.version.len());
    let mut text = String::new();
    for (root, collections) in found {
        text += &format!(
            "\n# {}\n{:names$} {:versions$}\n{} {}\n",
            root.display(),
            "Collection",
            "Version",
            "-".repeat(names),
            "-".repeat(versions)
        );
        for about in collections {
            text += &format!("{:names$} {:versions$}\n", about.name, about.version);
        }
    }
    text
}

fn data(found: &BTreeMap<&Path, Vec<About>>) -> Value {
    let roots = found.iter().map(|(root, collections)| {
        let collections = collections.iter().map(|about| {
            (Value::from(about.name.as_str()), Value::from(map! { "version" => about.version.as_str() }))
        });
        (Value::from(root.to_string_lossy().into_owned()), Value::from(collections.collect::<Map>()))
    });
    roots.collect::<Map>().into()
}
