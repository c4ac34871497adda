//! The meaning of names in tasks: which collections are searched, and which names are not part of this program.

use std::sync::Arc;

use playbook_api::Registry;

use crate::foreign::{Foreign, Kind};
use crate::playbook::{self, Keyword, Task};
use crate::run::call::action::Actions;

/// Returns the collections that are searched for the short names in a task.
pub fn search(task: &Task) -> Vec<Arc<str>> {
    match task.keywords.values.get(&Keyword::Collections) {
        Some(node) => playbook::collections::names(node),
        None => playbook::collections::search_in(&task.frame, &task.place.file),
    }
}

/// Whether a task runs a module or action plugin that is next to the playbook or in a collection.
pub fn is_external(foreign: &Foreign, task: &Task) -> bool {
    let search = search(task);
    let found = |kind| foreign.find(kind, &task.action.name, &search).ok().flatten();
    [Kind::Action, Kind::Module].into_iter().any(|kind| found(kind).is_some_and(|found| found.path.is_some()))
}

/// Returns a function from the name of a module or action of this program to its full name.
pub fn native<'a>(
    registry: &'a Registry,
    actions: &'a Actions,
) -> impl Fn(Kind, &str) -> Option<String> + 'a {
    |kind, name| match kind {
        Kind::Action => actions.find(name).map(|entry| entry.doc.full_name()),
        _ => registry.module(name).map(|entry| entry.doc.full_name()),
    }
}
