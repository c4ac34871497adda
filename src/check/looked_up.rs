//! The files that lookups name.

use playbook_api::{Error, ErrorKind, Place};

use super::walk::Walk;
use crate::playbook::Task;
use crate::run::actions::copy;
use crate::vars::search_path;

/// Checks the file that a lookup names literally.
pub(super) fn check(walk: &Walk, task: &Task, lookup: &str, name: &str, place: &Place) {
    let kind = match lookup.rsplit('.').next() {
        Some("file" | "unvault") => "files",
        Some("template") => "templates",
        _ => return,
    };
    let directories = search_path(Some(task), walk.dir);
    if name.starts_with(['/', '~']) || name.contains("{{") || copy::find_in(directories, name, kind).is_some()
    {
        return;
    }
    let message = format!("Could not find or access '{name}' on the Ansible Controller.");
    let error = Error::new(message).with_kind(ErrorKind::NotFound).at(place);
    walk.warning("files", error.with_help("It must be there by the time the task runs."));
}
