//! Checks that files exist on the controller: templates, sources of copies, scripts, variable files.

use std::path::Path;

use playbook_api::arguments::to_bool;
use playbook_api::{Error, ErrorKind, Place};

use super::templates;
use super::walk::Walk;
use crate::document::{self, Node};
use crate::jinja::Syntax;
use crate::playbook::{Play, Task};
use crate::run::actions::{copy, include_vars};
use crate::vars::{search_path, vars_file};

/// Checks the files that a task names.
pub(super) fn check(walk: &Walk, task: &Task) {
    let args = &task.action.args;
    let text = |name: &str| args.get(name).and_then(|node| Some((node, node.as_str()?)));
    // A value that is not known may be the wanted one.
    let may_be = |name: &str, wanted: bool| {
        args.get(name).is_some_and(|node| !node.is_plain() || to_bool(&node.raw()) == Some(wanted))
    };
    match task.action_name() {
        "template" => {
            if let Some((node, name)) = text("src") {
                find(walk, task, node, name, "templates");
            }
        }
        "copy" | "unarchive" if !may_be("remote_src", true) && !may_be("copy", false) => {
            if let Some((node, name)) = text("src").filter(|(_, name)| !name.contains("://")) {
                find(walk, task, node, name, "files");
            }
        }
        "script" => {
            let Some((node, line)) = text("_raw_params").or_else(|| text("cmd")) else { return };
            if let Some(name) = shlex::split(line.trim()).unwrap_or_default().first() {
                find(walk, task, node, name, "files");
            }
        }
        "include_vars" => {
            let Some((node, name)) = text("_raw_params").or_else(|| text("file")) else { return };
            match include_vars::find_in(search_path(Some(task), walk.dir), name, false) {
                Some(path) => variables(walk, &path),
                None => missing(walk, node, name),
            }
        }
        _ => {}
    }
}

/// Checks a play's `vars_files`. Of a list, the first file that exists is used.
pub(super) fn vars_files(walk: &Walk, play: &Play) {
    if play.vars_files.iter().any(|entry| !entry.is_plain()) {
        walk.variables.open();
    }
    for entry in play.vars_files.iter().filter(|entry| entry.is_plain()) {
        let choices = entry.as_list().unwrap_or(std::slice::from_ref(entry));
        let mut paths = choices.iter().filter_map(Node::as_str).map(|name| vars_file(&play.directory, name));
        match paths.find(|path| path.exists()) {
            Some(path) => variables(walk, &path),
            None => {
                let names: Vec<&str> = choices.iter().filter_map(Node::as_str).collect();
                missing(walk, entry, &names.join("', '"));
            }
        }
    }
}

/// Checks that a variable file is a dictionary, and its templates.
fn variables(walk: &Walk, path: &Path) {
    match document::load(path, document::Trust::Templates, walk.loader.keyring) {
        Ok(loaded) => match loaded.node.as_map() {
            Some(map) => {
                let vars = map.iter().map(|(name, e)| (name.to_text().into(), e.node.clone())).collect();
                templates::vars(walk, &vars);
                walk.variables.define_all(&vars);
            }
            None if loaded.node.is_null() => {}
            None => {
                let message = format!("{} must be a dictionary of variables", path.display());
                walk.error("files", Error::new(message).at(loaded.node.place()));
            }
        },
        // A check does not ask for vault passwords.
        Err(error) if error.kind() == ErrorKind::Vault => walk.variables.open(),
        Err(error) => walk.error("files", error),
    }
}

fn find(walk: &Walk, task: &Task, node: &Node, name: &str, kind: &str) {
    let directories = search_path(Some(task), walk.dir);
    match copy::find_in(directories, name, kind) {
        Some(path) if kind == "templates" && path.is_file() => template(walk, task, &path),
        Some(_) => {}
        None => missing(walk, node, name),
    }
}

/// Adds the finding of a missing file. One outside of the project may be created before it is needed.
pub(super) fn missing(walk: &Walk, node: &Node, name: &str) {
    walk.missing_file(name, node.place(), name.starts_with(['/', '~']));
}

fn template(walk: &Walk, task: &Task, path: &Path) {
    let Ok(text) = document::read(path, walk.loader.keyring) else { return };
    let place = Place::new(path.to_string_lossy(), 1, 1);
    let args = &task.action.args;
    if args.values().any(|node| node.as_str().is_none() && node.source().is_some())
        && args.keys().any(|name| name.ends_with("_string"))
    {
        return;
    }
    let syntax = Syntax::file().with_delimiters(|name| Some(args.get(name)?.as_str()?.to_owned()));
    templates::of_file(walk, text.into(), place, syntax, walk.is_conditional(task));
}
