//! Finds installed collections, and reads their `meta/runtime.yml`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use playbook_api::Error;
use playbook_api::sync::lock;

use super::directories::Kind;
use crate::document::{Node, Trust};
use crate::settings::Settings;

/// Splits `namespace.collection.name` into the collection and the name inside.
pub fn full_name(name: &str) -> Option<(String, &str)> {
    let parts: Vec<&str> = name.split('.').collect();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match parts.as_slice() {
        [namespace, collection, _, ..] if parts.iter().all(word) => {
            let start = namespace.len() + collection.len() + 2;
            Some((format!("{namespace}.{collection}"), &name[start..]))
        }
        _ => None,
    }
}

/// Returns the directories of a collection that exist: beside the playbooks, then in the configured
/// directories.
pub fn directories<'a>(
    collection: &str,
    playbooks: impl Iterator<Item = &'a Path>,
    settings: &Settings,
) -> Vec<PathBuf> {
    let inside = collection.replacen('.', "/", 1);
    let adjacent = playbooks.map(|directory| directory.join("collections"));
    let roots = adjacent.chain(settings.collections_path.iter().cloned());
    let directory = |root: PathBuf| {
        let root =
            if root.ends_with("ansible_collections") { root } else { root.join("ansible_collections") };
        Some(root.join(&inside)).filter(|path| path.is_dir())
    };
    roots.filter_map(directory).collect()
}

/// Finds a playbook of a collection, named with its extension or without.
pub fn playbook<'a>(
    name: &str,
    playbooks: impl Iterator<Item = &'a Path>,
    settings: &Settings,
) -> Option<PathBuf> {
    let bare = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(name);
    let (collection, playbook) = full_name(bare)?;
    let directories = directories(&collection, playbooks, settings).into_iter().map(|f| f.join("playbooks"));
    let mut files = directories.flat_map(|directory| {
        ["yml", "yaml"].map(|extension| directory.join(format!("{}.{extension}", playbook.replace('.', "/"))))
    });
    files.find(|path| path.is_file())
}

/// Finds the file of a module or plugin in a collection's directory.
pub fn file(directory: &Path, kind: Kind, name: &str) -> Option<PathBuf> {
    let base = directory.join("plugins").join(kind.name());
    let (inside, last) = match name.rsplit_once('.') {
        Some((inside, last)) => (base.join(inside.replace('.', "/")), last),
        None => (base, name),
    };
    let python = inside.join(format!("{last}.py"));
    if python.is_file() {
        return Some(python);
    }
    if kind != Kind::Module {
        return None;
    }
    // In any language, with any extension.
    let entries = std::fs::read_dir(&inside).ok()?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem == last) && path.is_file())
        .filter(|path| {
            !matches!(path.extension().and_then(|e| e.to_str()), Some("yml" | "yaml" | "md" | "pyc"))
        })
        .collect();
    files.sort();
    files.into_iter().next()
}

/// A collection's entry about a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routing {
    /// Its new name.
    pub redirect: Option<String>,
    /// The reason for its removal.
    pub tombstone: Option<String>,
    /// The warning about its future removal.
    pub deprecation: Option<String>,
    /// The action plugin that a module's tasks run.
    pub action: Option<String>,
}

/// The `meta/runtime.yml` files that were read.
#[derive(Debug, Default)]
pub struct Runtime(Mutex<HashMap<PathBuf, Option<Arc<Node>>>>);

/// Whether a version fulfills a requirement such as `>=2.15.0,<2.20`. A requirement that cannot be parsed counts as
/// fulfilled.
fn fulfills(version: &str, requirement: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let parts =
            text.trim().split('.').map(|part| part.chars().take_while(char::is_ascii_digit).collect());
        let mut numbers: Vec<u64> = parts.map_while(|part: String| part.parse().ok()).collect();
        numbers.resize(numbers.len().max(4), 0);
        numbers
    };
    let own = numbers(version);
    requirement.split(',').all(|part| {
        let part = part.trim();
        let Some(start) = part.find(|c: char| c.is_ascii_digit()) else { return true };
        let (sign, wanted) = (part[..start].trim(), numbers(&part[start..]));
        match sign {
            ">=" => own >= wanted,
            ">" => own > wanted,
            "<=" => own <= wanted,
            "<" => own < wanted,
            "==" if part.ends_with(".*") => {
                let fixed = part[start..].matches('.').count();
                own[..fixed.min(4)] == wanted[..fixed.min(4)]
            }
            "==" => own == wanted,
            "!=" => own != wanted,
            _ => true,
        }
    })
}

impl Runtime {
    /// Returns the `meta/runtime.yml` of the collection in a directory.
    pub fn of(&self, directory: &Path) -> Result<Option<Arc<Node>>, Error> {
        let mut known = lock(&self.0);
        if let Some(node) = known.get(directory) {
            return Ok(node.clone());
        }
        let path = directory.join("meta/runtime.yml");
        let node = match std::fs::read_to_string(&path) {
            Ok(text) => {
                Some(Arc::new(crate::document::parse(&text, &path.to_string_lossy(), Trust::Text)?.node))
            }
            Err(_) => None,
        };
        known.insert(directory.to_owned(), node.clone());
        Ok(node)
    }

    /// Returns a warning if a collection does not support a version of the language, or an error if the setting
    /// `collections_on_ansible_version_mismatch` requires one.
    pub fn mismatch(
        &self,
        directory: &Path,
        collection: &str,
        behavior: &str,
        version: &str,
    ) -> Result<Option<String>, Error> {
        let node = self.of(directory)?;
        let required = node.as_ref().and_then(|node| node.get("requires_ansible")).and_then(Node::as_str);
        if behavior == "ignore" || required.is_none_or(|required| fulfills(version, required)) {
            return Ok(None);
        }
        let message = format!("Collection {collection} does not support Ansible version {version}");
        if behavior == "error" { Err(Error::new(message)) } else { Ok(Some(message)) }
    }

    /// Returns the entry about a module or plugin.
    pub fn routing(&self, directory: &Path, kind: Kind, name: &str) -> Result<Option<Routing>, Error> {
        let Some(node) = self.of(directory)? else { return Ok(None) };
        let Some(entry) =
            node.get("plugin_routing").and_then(|r| r.get(kind.name())).and_then(|names| names.get(name))
        else {
            return Ok(None);
        };
        let text = |node: Option<&Node>| node.map(|n| n.raw().to_text().into_owned());
        Ok(Some(Routing {
            redirect: text(entry.get("redirect")),
            action: text(entry.get("action_plugin")),
            tombstone: entry.get("tombstone").map(|t| text(t.get("warning_text")).unwrap_or_default()),
            deprecation: entry.get("deprecation").map(|d| text(d.get("warning_text")).unwrap_or_default()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_for_another_version_is_a_warning_or_an_error() {
        for (requirement, fulfilled) in [
            (">=2.15.0", true),
            (">=2.9.10,<2.20", true),
            (">=2.16.0,<2.19", false),
            (">=2.20.0", false),
            ("==2.19.*", true),
            ("!=2.19.14", false),
            ("", true),
        ] {
            assert_eq!(fulfills("2.19.14", requirement), fulfilled, "{requirement}");
        }
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("meta")).unwrap();
        std::fs::write(root.path().join("meta/runtime.yml"), "requires_ansible: '<2.10'\n").unwrap();
        let told = |behavior| Runtime::default().mismatch(root.path(), "a.b", behavior, "2.19.14");
        let later = Runtime::default().mismatch(root.path(), "a.b", "warning", "2.21.5").unwrap();
        assert_eq!(later.as_deref(), Some("Collection a.b does not support Ansible version 2.21.5"));
        let message = "Collection a.b does not support Ansible version 2.19.14";
        assert_eq!(told("warning").unwrap().as_deref(), Some(message));
        assert_eq!(told("error").unwrap_err().message(), message);
        assert_eq!(told("ignore").unwrap(), None);
    }

    #[test]
    fn runtime_tells_of_redirects_and_groups() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("ansible_collections/a/b");
        std::fs::create_dir_all(directory.join("meta")).unwrap();
        std::fs::create_dir_all(directory.join("plugins/modules/deep")).unwrap();
        std::fs::write(directory.join("plugins/modules/deep/x.sh"), "").unwrap();
        let text = "plugin_routing:\n  modules:\n    old: {redirect: a.b.new, deprecation: {warning_text: soon}}\n    \
                    dead: {tombstone: {warning_text: gone}}\n";
        std::fs::write(directory.join("meta/runtime.yml"), text).unwrap();
        let runtime = Runtime::default();
        let routing = runtime.routing(&directory, Kind::Module, "old").unwrap().unwrap();
        assert_eq!(routing.redirect.as_deref(), Some("a.b.new"));
        assert_eq!(routing.deprecation.as_deref(), Some("soon"));
        let dead = runtime.routing(&directory, Kind::Module, "dead").unwrap().unwrap();
        assert_eq!(dead.tombstone.as_deref(), Some("gone"));
        assert_eq!(
            file(&directory, Kind::Module, "deep.x"),
            Some(directory.join("plugins/modules/deep/x.sh"))
        );
        assert_eq!(full_name("a.b.deep.x"), Some(("a.b".into(), "deep.x")));
        assert_eq!(full_name("a.b"), None);
    }
}
