//! Content of collections: `namespace.collection.name`.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Frame, FrameKind, Loader};
use crate::document::Node;
use crate::foreign::collections::{folders, full_name};

/// A role: its short name, its collection, its folder.
pub(super) fn role(name: &str, search: &[Arc<str>], loader: &Loader) -> Option<(String, Arc<str>, PathBuf)> {
    let in_collection = |collection: &str, role: &str| {
        let path = role.replace('.', "/");
        let folders = folders(collection, std::iter::once(&*loader.folder), loader.settings);
        folders.into_iter().map(|folder| folder.join("roles").join(&path)).find(|path| path.is_dir())
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

/// A playbook of a collection.
pub(super) fn playbook(name: &str, loader: &Loader) -> Option<PathBuf> {
    let bare = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(name);
    let (collection, playbook) = full_name(bare)?;
    let folders = folders(&collection, std::iter::once(&*loader.folder), loader.settings);
    let mut files = folders.into_iter().map(|folder| folder.join("playbooks")).flat_map(|folder| {
        ["yml", "yaml"].map(|extension| folder.join(format!("{}.{extension}", playbook.replace('.', "/"))))
    });
    files.find(|path| path.is_file())
}

/// The collections whose content short names may mean here.
pub fn search(frame: &Arc<Frame>) -> Vec<Arc<str>> {
    for around in frame.chain() {
        if let Some(node) = around.keywords.values.get("collections") {
            return names(node);
        }
        if let FrameKind::Role(role) = &around.kind {
            return role.collections.clone();
        }
    }
    Vec::new()
}

/// The names of a `collections` keyword.
pub fn names(node: &Node) -> Vec<Arc<str>> {
    let names = node.as_list().into_iter().flatten().filter_map(|item| item.as_str());
    names.chain(node.as_str()).map(Arc::from).collect()
}
