//! `include_tasks` and `include_role`

use std::path::{Path, PathBuf};

use playbook_api::{Doc, Error, ErrorKind, Failure, JsonSchema, Map, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::document::Node;
use crate::playbook::{FrameKind, Task};
use crate::run::call::effect::{Effect, Included, Inclusion};

/// Includes a task file at its place when it is reached.
#[derive(Deserialize, JsonSchema)]
pub struct IncludeTasks {
    /// The task file, relative to the including file, the role's `tasks` directory or the playbook.
    #[schemars(extend("aliases" = ["_raw_params"]))]
    file: Option<String>,
    /// The keywords that the included tasks inherit.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "apply")]
    _apply: Option<serde_json::Value>,
}

impl Action for IncludeTasks {
    const DOC: Doc = Doc {
        name: "include_tasks",
        short: "Includes a task file when it is reached",
        free_form: true,
        examples: "- include_tasks: \"{{ ansible_facts['os_family'] }}.yml\"\n- include_tasks:\n    file: backup.yml\n    apply:\n      tags: [backup]\n",
        ..BUILTIN
    };
    const RAW: &'static [&'static str] = &["apply"];

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let Some(file) = self.file.filter(|f| !f.is_empty()) else {
            return Err(call
                .error("No file specified for include_tasks")
                .with_help("Name the file: `include_tasks: FILE.yml`.")
                .into());
        };
        // A missing file is reported when it is loaded.
        let path = find(call, &file);
        let what = Included::Tasks { file: file.clone(), path };
        let inclusion = Inclusion { what, vars: loop_vars(call), item: label(call)? };
        call.effects.push(Effect::Tasks(Box::new(inclusion)));
        Ok(Outcome::default().with("include", file))
    }
}

/// The files of a role to load, for `include_role` and `import_role`.
#[derive(Deserialize, JsonSchema)]
pub struct RoleFiles {
    /// The file of the role's `tasks` directory to use instead of `main`.
    #[serde(rename = "tasks_from")]
    _tasks: Option<String>,
    /// The file of the role's `vars` directory to use instead of `main`.
    #[serde(rename = "vars_from")]
    _vars: Option<String>,
    /// The file of the role's `defaults` directory to use instead of `main`.
    #[serde(rename = "defaults_from")]
    _defaults: Option<String>,
    /// The file of the role's `handlers` directory to use instead of `main`.
    #[serde(rename = "handlers_from")]
    _handlers: Option<String>,
}

/// Includes a role when it is reached.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["name"]]))]
pub struct IncludeRole {
    /// The name of the role.
    #[schemars(extend("aliases" = ["role"]))]
    #[serde(rename = "name")]
    _name: Option<String>,
    /// The keywords that the role's tasks inherit.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "apply")]
    _apply: Option<serde_json::Value>,
    #[serde(flatten)]
    _files: RoleFiles,
    /// Whether to run the role again on a host that has already run it.
    #[serde(rename = "allow_duplicates")]
    _allow_duplicates: Option<bool>,
    /// Whether the rest of the play sees the role's variables and defaults.
    #[serde(rename = "public")]
    _public: Option<bool>,
    /// Whether to validate the role's arguments against its argument spec.
    #[serde(rename = "rolespec_validate")]
    _rolespec_validate: Option<bool>,
    /// Whether a role that cannot be loaded fails its task, which can be rescued, instead of ending the run. Only in the
    /// behavior of ansible-core 2.21.
    #[serde(rename = "rescuable")]
    _rescuable: Option<bool>,
}

impl Action for IncludeRole {
    const DOC: Doc = Doc {
        name: "include_role",
        short: "Includes a role when it is reached",
        examples: "- include_role:\n    name: database-setup\n    tasks_from: backup\n",
        ..BUILTIN
    };
    const RAW: &'static [&'static str] = &["apply"];

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let arguments: Map = call.args.values.clone();
        let name = arguments.get("name").or_else(|| arguments.get("role")).cloned().unwrap_or_default();
        let inclusion =
            Inclusion { what: Included::Role(arguments), vars: loop_vars(call), item: label(call)? };
        call.effects.push(Effect::Tasks(Box::new(inclusion)));
        Ok(Outcome::default().with("include_role", name))
    }
}

/// Returns the variables of the loop as the included tasks see them.
fn loop_vars(call: &ActionCall) -> crate::inventory::Vars {
    let task = call.item.task;
    if task.loop_over.is_none() {
        return Default::default();
    }
    call.scope
        .locals()
        .map(|(name, value)| (name.clone(), Node::value(task.place.clone(), value.clone())))
        .collect()
}

/// Returns what the report shows for the item of the loop.
fn label(call: &ActionCall) -> Result<Option<String>, Error> {
    let task = call.item.task;
    if task.loop_over.is_none() {
        return Ok(None);
    }
    if let Some(node) = &task.loop_control.label {
        return call.renderer().value(node).map(|v| Some(v.to_text().into_owned()));
    }
    let name = call.scope.local("ansible_loop_var").map(|v| v.to_text().into_owned()).unwrap_or_default();
    Ok(call.scope.local(&name).map(|v: &Value| v.to_text().into_owned()))
}

/// Finds an included file as Ansible does.
fn find(call: &ActionCall, file: &str) -> PathBuf {
    let handler = call.item.info.kind == crate::report::TaskKind::Handler;
    let (play, playbook) = (&call.item.play.play.directory, &call.scope.base.play.playbook_dir);
    let places = places(call.item.task, handler, [play, playbook], file);
    let first = places.first().map(|path| crate::paths::absolute(path));
    places.iter().find_map(|path| existing(path)).or(first).unwrap_or_else(|| file.into())
}

/// Finds the file that a task includes.
pub fn find_in(task: &Task, handler: bool, playbooks: [&Path; 2], file: &str) -> Result<PathBuf, Error> {
    let places = places(task, handler, playbooks, file);
    places.iter().find_map(|path| existing(path)).ok_or_else(|| missing(task, file, &places))
}

/// Where a file may be that a task includes: in its role's directory of tasks or handlers, beside what brought the
/// task, elsewhere in the role, in the directories of the play's and the run's playbook.
fn places(task: &Task, handler: bool, playbooks: [&Path; 2], file: &str) -> Vec<PathBuf> {
    let written = Path::new(file);
    if written.is_absolute() {
        return vec![written.to_owned()];
    }
    let section = if handler { "handlers" } else { "tasks" };
    let mut directories: Vec<PathBuf> =
        task.frame.role().map(|role| role.path.join(section)).into_iter().collect();
    for frame in task.frame.chain() {
        match &frame.kind {
            FrameKind::Include { directory, .. } => directories.push(directory.clone()),
            FrameKind::Role(role) => {
                directories.push(role.path.join(section));
                directories.push(role.path.join("tasks"));
                directories.push(role.path.clone());
            }
            _ => {}
        }
    }
    directories.extend(Path::new(&*task.place.file).parent().map(Path::to_owned));
    directories.extend(playbooks.map(Path::to_owned));
    let mut places: Vec<PathBuf> = Vec::new();
    for path in directories.into_iter().map(|directory| directory.join(written)) {
        if !places.contains(&path) {
            places.push(path);
        }
    }
    places
}

fn existing(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| crate::paths::absolute(path))
}

fn missing(task: &Task, file: &str, tried: &[PathBuf]) -> Error {
    let shown = tried.first().map_or_else(|| PathBuf::from(file), |p| crate::paths::absolute(p));
    let message = format!("Could not find or access '{}' on the Ansible Controller.", shown.display());
    let error = Error::new(message).with_kind(ErrorKind::NotFound).at(&task.place);
    if tried.len() < 2 {
        return error;
    }
    let list: Vec<String> = tried.iter().map(|p| p.display().to_string()).collect();
    error.with_help(format!("looked for {}", list.join(", ")))
}
