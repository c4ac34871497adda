//! Loads playbooks and resolves `import_playbook`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place};

use super::collections;
use super::fields::{self, parser_error, type_name};
use super::loader::{LoadedRole, LoadedTasks, Loader};
use super::tasks::Reader;
use crate::document::Node;
use crate::inventory::Vars;
use crate::paths;
use crate::playbook::shape::PLAYBOOK_INCLUDE;
use crate::playbook::{Condition, Frame, FrameKind, Keywords, Play, Playbook, RoleSpec};

/// Loads a playbook.
pub fn load(path: &Path, loader: &Loader) -> Result<Playbook, Error> {
    let path = paths::absolute(path);
    let mut plays = Vec::new();
    add_plays(&path, &loader.keeping(), &Imported::default(), &mut Vec::new(), &mut plays)?;
    Ok(Playbook { path, plays })
}

/// Loads the plays of a document that is not a file, such as that of an ad hoc command, in the loader's directory.
pub fn load_document(document: &Node, loader: &Loader) -> Result<Playbook, Error> {
    loader.foreign.add_playbook(&loader.directory);
    let plays = document.as_list().unwrap_or_default().iter();
    let plays =
        plays.map(|entry| Ok(Arc::new(Reader::new(loader).play(entry, &Vars::default(), &[], &[])?)));
    let path = loader.directory.join("__adhoc_playbook__");
    Ok(Playbook { path, plays: plays.collect::<Result<_, Error>>()? })
}

/// Loads the file of an `include_tasks`, its tasks in the frame that [`super::include_frame`] made.
pub fn load_task_file(
    loader: &Loader,
    path: &Path,
    frame: &Arc<Frame>,
    handlers: bool,
) -> Result<LoadedTasks, Error> {
    let reader = Reader::new(loader);
    let items = reader.task_file(path, frame, handlers)?;
    Ok(reader.finish(items))
}

/// Loads the role of an `include_role`, in the frame that [`super::include_frame`] made.
pub fn load_role(loader: &Loader, spec: &RoleSpec, frame: &Arc<Frame>) -> Result<LoadedRole, Error> {
    let reader = Reader::new(loader);
    // As of ansible-core 2.20, a role that lacks the file that `tasks_from` and its like name fails the task.
    let (role, items) = reader.included_role(spec, frame).map_err(|e| match e.message() {
        message if message.starts_with(super::role_files::MISSING) => e.with_kind(ErrorKind::Input),
        _ => e,
    })?;
    Ok(LoadedRole { role, tasks: reader.finish(items) })
}

/// What `import_playbook` adds to the plays that it imports.
#[derive(Default)]
struct Imported {
    vars: Vars,
    tags: Vec<Node>,
    when: Vec<Condition>,
}

fn add_plays(
    path: &Path,
    loader: &Loader,
    imported: &Imported,
    open: &mut Vec<PathBuf>,
    plays: &mut Vec<Arc<Play>>,
) -> Result<(), Error> {
    if open.iter().any(|p| p == path) {
        let chain: Vec<_> =
            open.iter().map(|p| p.as_path()).chain([path]).map(|p| p.display().to_string()).collect();
        let message = format!("A playbook imports itself: {}", chain.join(" -> "));
        return Err(parser_error(message, &Place::file_only(path.to_string_lossy())));
    }
    let file = Place::file_only(path.to_string_lossy());
    let directory = path.parent().unwrap_or(Path::new("/"));
    let loader = &loader.in_directory(directory);
    loader.foreign.add_playbook(directory);
    let document = loader.document(path).map_err(|e| not_found(e, path))?;
    let entries = match document.as_list() {
        Some([]) => {
            let message = format!("A playbook must contain at least one play: {}", path.display());
            return Err(parser_error(message, &file));
        }
        Some(entries) => entries,
        None if document.is_null() => {
            return Err(parser_error(format!("Empty playbook, nothing to do: {}", path.display()), &file));
        }
        None => {
            let found = type_name(&document);
            let message = format!(
                "A playbook must be a list of plays, got a <class '{found}'> instead: {}",
                path.display()
            );
            return Err(
                parser_error(message, document.place()).with_help("Each play starts with '- hosts: …'.")
            );
        }
    };
    open.push(path.to_owned());
    for entry in entries {
        loader.spare(add_play(entry, loader, imported, open, plays))?;
    }
    open.pop();
    Ok(())
}

fn add_play(
    entry: &Node,
    loader: &Loader,
    imported: &Imported,
    open: &mut Vec<PathBuf>,
    plays: &mut Vec<Arc<Play>>,
) -> Result<(), Error> {
    if entry.as_map().is_none() {
        let message = "playbook entries must be either valid plays or 'import_playbook' statements";
        return Err(parser_error(message, entry.place()));
    }
    if let Some(key) = import_key(entry)? {
        return import(entry, key, loader, imported, open, plays);
    }
    let play = Reader::new(loader).play(entry, &imported.vars, &imported.tags, &imported.when)?;
    plays.push(Arc::new(play));
    Ok(())
}

fn not_found(error: Error, path: &Path) -> Error {
    if error.kind() != ErrorKind::NotFound || error.place().is_some() {
        return error;
    }
    Error::new(format!("the playbook: {} could not be found", path.display())).with_kind(ErrorKind::NotFound)
}

fn import_key(entry: &Node) -> Result<Option<&'static str>, Error> {
    let keys = ["import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"];
    let found: Vec<&str> = keys.into_iter().filter(|key| entry.get(key).is_some()).collect();
    match found.as_slice() {
        [] => Ok(None),
        [_, _, ..] => {
            let message = format!("Found conflicting import_playbook actions: {}", found.join(", "));
            Err(Error::new(message).at(entry.place()))
        }
        [one] => Ok(keys.into_iter().find(|key| key == one)),
    }
}

fn import(
    entry: &Node,
    key: &'static str,
    loader: &Loader,
    outer: &Imported,
    open: &mut Vec<PathBuf>,
    plays: &mut Vec<Arc<Play>>,
) -> Result<(), Error> {
    let keywords = PLAYBOOK_INCLUDE.keywords(entry, |name| name == key, loader.fault)?;
    let Some(name) = entry.get(key).filter(|name| !name.is_null()) else {
        return Err(parser_error("The field 'import_playbook' is required but was not set.", entry.place()));
    };
    fields::must_be_text("import_playbook", name, entry.place())?;
    let mut vars = (*keywords.vars).clone();
    vars.extend(outer.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
    let mut tags = keywords.tags.clone();
    if let Some(inner) = vars.shift_remove("tags") {
        tags.extend(fields::tags(&inner)?);
    }
    let own = Keywords { vars: Arc::new(vars.clone()), ..Keywords::default() };
    let frame = Frame::new(FrameKind::Play, own, None);
    let path = loader.text(name, &frame)?;
    let path = match collections::playbook(&path, loader) {
        Some(path) => path,
        None => paths::absolute(&loader.directory.join(paths::expand_home(&path))),
    };
    if !path.exists() {
        return Err(super::files::missing(&path).at(name.place()));
    }
    tags.extend(outer.tags.iter().cloned());
    let mut when = outer.when.clone();
    when.extend(keywords.when);
    add_plays(&path, loader, &Imported { vars, tags, when }, open, plays)
}
