//! `include_vars`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fancy_regex::Regex;
use playbook_api::spec::CheckedBy;
use playbook_api::{Doc, Error, Failure, JsonSchema, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, exception};
use crate::document::{self, Node, Trust};
use crate::inventory::Vars;
use crate::paths;
use crate::report::Event;
use crate::run::call::effect::Effect;
use crate::template::Deprecation;

/// Loads variables from a file, or from all files of a directory, when the task is reached.
#[derive(Deserialize, JsonSchema)]
pub struct IncludeVars {
    /// The file: in the role's `vars` directory, next to the playbook or in its `vars` directory.
    #[schemars(extend("aliases" = ["_raw_params"]))]
    file: Option<String>,
    /// A directory whose files are loaded in alphabetical order.
    dir: Option<String>,
    /// The name of a variable that holds the loaded variables as a dictionary.
    name: Option<String>,
    /// The number of directory levels to load; 0 loads all.
    #[serde(default)]
    depth: usize,
    /// A regular expression; only files whose name matches it are loaded.
    files_matching: Option<String>,
    /// The files of the directory to leave out: names, or regular expressions for the end of a name.
    ignore_files: Option<Vec<String>>,
    /// The extensions of the files to load.
    extensions: Option<Vec<String>>,
    /// Whether to skip files with other extensions instead of failing.
    #[serde(default)]
    ignore_unknown_extensions: bool,
    /// Whether to `merge` the variables into existing dictionaries or to `replace` those.
    hash_behaviour: Option<String>,
}

impl Action for IncludeVars {
    const DOC: Doc = Doc {
        name: "include_vars",
        short: "Loads variables from files when it is reached",
        free_form: true,
        returns: &[
            ("ansible_facts", "dict", "the variables"),
            ("ansible_included_var_files", "list", "the files that they were loaded from"),
        ],
        examples: "- include_vars: \"{{ environment_name }}.yml\"\n- include_vars:\n    dir: vars/common\n",
        ..BUILTIN
    };

    const CHECKED_BY: CheckedBy = CheckedBy::ActionByOption;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if call.scope.release().include_vars_takes_only_lists() {
            check_lists(call)?;
        }
        if self.dir.is_some() && self.file.is_some() {
            let message = "You are mixing file only and dir only arguments, these are incompatible";
            return Err(exception(Error::new(message)));
        }
        self.include(call).map_err(|failure| {
            let message = failure.error.to_string();
            failure.with("message", message)
        })
    }
}

/// Rejects options that have to be lists and are not.
fn check_lists(call: &ActionCall) -> Result<(), Failure> {
    for name in ["extensions", "ignore_files"] {
        match call.args.get(name) {
            None | Some(Value::Null | Value::List(_) | Value::Tuple(_)) => {}
            Some(Value::Str(_)) if name == "ignore_files" => {
                let what = Error::new("Specifying 'ignore_files' as a string is deprecated.")
                    .at_opt(call.args.places.get(name))
                    .with_help("Use a list of strings instead.");
                call.renderer().scope.deprecate(Deprecation::new(what, "2.24").of("action", "include_vars"));
            }
            Some(_) => {
                let message = format!("The '{name}' option must be a list.");
                return Err(exception(Error::new(message).at_opt(call.args.places.get(name))));
            }
        }
    }
    Ok(())
}

impl IncludeVars {
    fn include(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let mut vars = Vars::default();
        let mut files = Vec::new();
        match (&self.dir, &self.file) {
            (Some(dir), _) => {
                let directory = find(call, dir, true).ok_or_else(|| {
                    Failure::new(format!(
                        "{} directory does not exist",
                        place_of_directory(call, dir).display()
                    ))
                })?;
                if !directory.is_dir() {
                    return Err(Failure::new(format!("{} is not a directory", directory.display())));
                }
                for file in self.files_in(&directory)? {
                    vars.extend(load(call, &file)?);
                    files.push(file);
                }
            }
            (None, Some(file)) => {
                let file = file.trim();
                let path = find(call, file, false).ok_or_else(|| {
                    Failure::new(format!("Could not find or access '{file}' on the Ansible Controller."))
                        .with_help(format!("looked in {}", searched(call)))
                })?;
                vars.extend(load(call, &path)?);
                files.push(path);
            }
            (None, None) => {
                return Err(Failure::new(
                    "Could not find file to load variables from: neither file nor dir was given",
                )
                .with_help("`include_vars: FILE.yml`"));
            }
        }
        if let Some(name) = &self.name {
            let members = vars.iter().map(|(k, n)| {
                (Value::from(k.clone()), document::Entry { key: n.place().clone(), node: n.clone() })
            });
            let dict = Node::new(call.item.task.place.clone(), document::Kind::Map(members.collect()));
            vars = Vars::from_iter([(Arc::from(name.as_str()), dict)]);
        }
        if self.hash_behaviour.as_deref() == Some("merge") {
            vars = merged(call, vars)?;
        }
        let facts = vars.iter().map(|(k, n)| (Value::from(k.clone()), n.raw())).collect();
        let renderer = call.renderer();
        let carry = vars.iter().filter_map(|(k, n)| Some((k.clone(), renderer.resolve(n).ok()?)));
        call.carry.extend(carry);
        let delegate =
            crate::run::call::keyword::of(call.item.task, &renderer).delegate_facts()? == Some(true);
        let host = if delegate { call.target().clone() } else { call.item.host.clone() };
        call.effects.push(Effect::Include { host, vars });
        let outcome = Outcome { facts, ..Outcome::default() };
        let names: Vec<String> = files.iter().map(|f| f.to_string_lossy().into_owned()).collect();
        Ok(outcome.with("ansible_included_var_files", names))
    }
}

impl IncludeVars {
    fn extensions(&self) -> Vec<String> {
        self.extensions.clone().unwrap_or_else(|| vec!["yaml".into(), "yml".into(), "json".into()])
    }

    /// A file without an extension matches an empty extension in the list.
    fn is_wanted_extension(&self, path: &Path) -> bool {
        let extension = path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        self.extensions().contains(&extension)
    }

    fn files_in(&self, directory: &Path) -> Result<Vec<PathBuf>, Failure> {
        let pattern = |text: &str| {
            Regex::new(text).map_err(|e| Failure::new(format!("Invalid regular expression: {text}: {e}")))
        };
        let matching = self.files_matching.as_deref().map(pattern).transpose()?;
        let ignored: Vec<Regex> = self
            .ignore_files
            .iter()
            .flatten()
            .map(|f| pattern(&format!("{f}$")))
            .collect::<Result<_, _>>()?;
        let mut walk = walkdir::WalkDir::new(directory).follow_links(true).sort_by_file_name().min_depth(1);
        if self.depth > 0 {
            walk = walk.max_depth(self.depth);
        }
        let mut files = Vec::new();
        for entry in walk {
            let entry = entry.map_err(|e| Failure::new(e.to_string()))?;
            let name = entry.file_name().to_string_lossy();
            let hits = |regex: &Regex| regex.is_match(&*name).unwrap_or(false);
            if !entry.file_type().is_file() || name.starts_with('.') && name.ends_with('~') {
                continue;
            }
            if matching.as_ref().is_some_and(|m| !hits(m)) || ignored.iter().any(hits) {
                continue;
            }
            if !self.is_wanted_extension(entry.path()) {
                if self.ignore_unknown_extensions {
                    continue;
                }
                return Err(Failure::new(format!(
                    "{} does not have a valid extension: {}",
                    entry.path().display(),
                    self.extensions().join(", ")
                )));
            }
            files.push(entry.into_path());
        }
        Ok(files)
    }
}

fn directories(call: &ActionCall) -> Vec<PathBuf> {
    call.scope.search_path()
}

fn searched(call: &ActionCall) -> String {
    directories(call).iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn place_of_directory(call: &ActionCall, dir: &str) -> PathBuf {
    if Path::new(dir).is_absolute() {
        return dir.into();
    }
    match call.scope.role() {
        Some(role) => role.path.join("vars").join(dir),
        None => directories(call).first().map(|f| f.join(dir)).unwrap_or_else(|| dir.into()),
    }
}

fn find(call: &ActionCall, name: &str, directory: bool) -> Option<PathBuf> {
    find_in(directories(call), name, directory)
}

/// Finds a file or directory in the directories of a search path.
pub fn find_in(directories: Vec<PathBuf>, name: &str, directory: bool) -> Option<PathBuf> {
    let exists = |path: PathBuf| {
        (if directory { path.exists() } else { path.is_file() }).then(|| paths::absolute(&path))
    };
    if Path::new(name).is_absolute() {
        return exists(name.into());
    }
    directories
        .into_iter()
        .find_map(|base| exists(base.join("vars").join(name)).or_else(|| exists(base.join(name))))
}

fn load(call: &mut ActionCall, path: &Path) -> Result<Vars, Failure> {
    // What was encrypted is not shown.
    call.hidden |= std::fs::read(path).is_ok_and(|bytes| crate::vault::is_envelope(&bytes));
    let keyring = &call.scope.base.environment.keyring;
    let loaded = document::load(path, Trust::Templates, keyring)?;
    let warn = |warning| (call.item.emit)(Event::warning(&warning));
    let node = loaded.accept(&call.item.play.shared.settings.duplicate_dict_key, warn)?;
    match node.kind() {
        document::Kind::Map(map) => {
            Ok(map.iter().map(|(k, e)| (Arc::from(&*k.to_text()), e.node.clone())).collect())
        }
        _ if node.is_null() => Ok(Vars::default()),
        _ => Err(Failure::new(format!("{} must be stored as a dictionary/hash", path.display()))),
    }
}

/// Returns dictionaries merged into the host's variables of the same names.
fn merged(call: &ActionCall, vars: Vars) -> Result<Vars, Failure> {
    let renderer = call.renderer();
    let mut out = Vars::default();
    for (name, node) in vars {
        let old = crate::template::Scope::get(&**call.scope, &name).transpose()?;
        let old = old.map(crate::template::Renderer::finalize).transpose()?;
        let merged = match (old, renderer.value(&node)?) {
            (Some(Value::Map(below)), Value::Map(above)) => {
                crate::vars::merge(Value::Map(below), Value::Map(above))
            }
            (_, above) => above,
        };
        out.insert(name, Node::value(node.place().clone(), merged));
    }
    Ok(out)
}
