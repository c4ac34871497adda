//! Content of collections: `namespace.collection.name`.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Frame, FrameKind, Loader};

/// `namespace.collection.name` taken apart.
fn full_name(name: &str) -> Option<(String, &str)> {
    let parts: Vec<&str> = name.split('.').collect();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match parts.as_slice() {
        [namespace, collection, .., last] if parts.len() >= 3 && parts.iter().all(word) => {
            let start = namespace.len() + collection.len() + 2;
            let _ = last;
            Some((format!("{namespace}.{collection}"), &name[start..]))
        }
        _ => None,
    }
}

/// The folders of a collection that are there.
fn folders(collection: &str, loader: &Loader) -> impl Iterator<Item = PathBuf> {
    let inside = collection.replacen('.', "/", 1);
    let adjacent = std::iter::once(loader.folder.join("collections"));
    let roots: Vec<PathBuf> = adjacent.chain(loader.settings.collections_path.iter().cloned()).collect();
    roots.into_iter().filter_map(move |root| {
        let root =
            if root.ends_with("ansible_collections") { root } else { root.join("ansible_collections") };
        Some(root.join(&inside)).filter(|path| path.is_dir())
    })
}

/// A role: its short name, its collection, its folder.
pub(super) fn role(name: &str, search: &[Arc<str>], loader: &Loader) -> Option<(String, Arc<str>, PathBuf)> {
    let in_collection = |collection: &str, role: &str| {
        let path = role.replace('.', "/");
        folders(collection, loader).map(|folder| folder.join("roles").join(&path)).find(|path| path.is_dir())
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
    let folder = folders(&collection, loader).map(|folder| folder.join("playbooks"));
    let mut files = folder.flat_map(|folder| {
        ["yml", "yaml"].map(|extension| folder.join(format!("{}.{extension}", playbook.replace('.', "/"))))
    });
    files.find(|path| path.is_file())
}

/// The collections whose content short names may mean here.
pub(super) fn search(frame: &Arc<Frame>) -> Vec<Arc<str>> {
    for around in frame.chain() {
        if let Some(node) = around.keywords.values.get("collections") {
            let names = node.as_list().into_iter().flatten().filter_map(|item| item.as_str());
            return names.chain(node.as_str()).map(Arc::from).collect();
        }
        if let FrameKind::Role(role) = &around.kind {
            return role.collections.clone();
        }
    }
    Vec::new()
}
