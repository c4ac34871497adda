//! The content of collections: `namespace.collection.name`.

use std::path::PathBuf;
use std::sync::Arc;

use super::loader::Loader;
use crate::document::Node;
use crate::foreign::collections::full_name;
use crate::playbook::{Frame, FrameKind, Keyword};

/// Finds a role. Returns its short name, its collection and its directory.
pub(super) fn role(name: &str, search: &[Arc<str>], loader: &Loader) -> Option<(String, Arc<str>, PathBuf)> {
    let in_collection = |collection: &str, role: &str| {
        let path = role.replace('.', "/");
        let directories = loader.foreign.collection_from(collection, std::iter::once(&*loader.directory));
        directories
            .into_iter()
            .map(|directory| directory.join("roles").join(&path))
            .find(|path| path.is_dir())
    };
    if let Some((collection, role)) = full_name(name) {
        let path = in_collection(&collection, role)?;
        return Some((role.to_owned(), collection.into(), path));
    }
    search
        .iter()
        .filter(|c| !matches!(&***c, "ansible.builtin" | "ansible.legacy"))
        .find_map(|collection| Some((name.to_owned(), collection.clone(), in_collection(collection, name)?)))
}

/// Finds a playbook of a collection.
pub(super) fn playbook(name: &str, loader: &Loader) -> Option<PathBuf> {
    crate::foreign::collections::playbook(name, std::iter::once(&*loader.directory), loader.settings)
}

/// Returns the collections that are searched for short names in a frame.
pub fn search(frame: &Arc<Frame>) -> Vec<Arc<str>> {
    for around in frame.chain() {
        if let Some(node) = around.keywords.values.get(&Keyword::Collections) {
            return names(node);
        }
        if let FrameKind::Role(role) = &around.kind {
            return role.collections.clone();
        }
    }
    Vec::new()
}

/// Returns the collection that a playbook's file is in, which is searched for its short names.
pub fn of_file(file: &str) -> Vec<Arc<str>> {
    let inside = file.rsplit_once("/ansible_collections/").map(|(_, inside)| inside);
    match inside.map(|inside| inside.split('/').collect::<Vec<_>>()).as_deref() {
        Some([namespace, collection, "playbooks", ..]) => vec![format!("{namespace}.{collection}").into()],
        _ => Vec::new(),
    }
}

/// Returns the collections that are searched for short names in a task of a file.
pub fn search_in(frame: &Arc<Frame>, file: &str) -> Vec<Arc<str>> {
    let found = search(frame);
    if found.is_empty() { of_file(file) } else { found }
}

/// Returns the names in a `collections` keyword.
pub fn names(node: &Node) -> Vec<Arc<str>> {
    let names = node.as_list().into_iter().flatten().filter_map(|item| item.as_str());
    names.chain(node.as_str()).map(Arc::from).collect()
}
