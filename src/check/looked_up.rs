//! The files that lookups name.

use playbook_api::Place;

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
    walk.missing_file(name, place, true);
}
