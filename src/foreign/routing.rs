//! Finds the collection of a module through ansible-core's routing and a list of the best-known collections, so that
//! an error can name the collection to install.

use std::path::{Path, PathBuf};

use super::Foreign;
use super::collections::full_name;
use super::directories::Kind;
use playbook_api::nearest;

/// Collections and their modules, with one collection per line.
const KNOWN: &str = include_str!("known_modules.txt");

impl Foreign {
    /// Returns the help for a module that was not found: to install its collection, or to correct its name.
    pub fn advice(&self, name: &str) -> Option<String> {
        let (collection, short) = match full_name(name) {
            Some((collection, short)) => (collection, short.to_owned()),
            None => full_name(&self.routed(name).or_else(|| known(name))?).map(|(c, s)| (c, s.to_owned()))?,
        };
        if matches!(collection.as_str(), "ansible.builtin" | "ansible.legacy") {
            return None;
        }
        let directories = self.collection(&collection);
        if directories.is_empty() {
            let need = match self.site() {
                Some(_) => "",
                None => ", and ansible-core for the controller's python3",
            };
            return Some(format!(
                "Install the collection that has it{need}: `playbook galaxy collection install {collection}`."
            ));
        }
        let names = modules(&directories);
        let near = nearest(&short, names.iter().map(String::as_str))?;
        Some(format!("Did you mean '{collection}.{near}'?"))
    }

    /// Returns the new name that ansible-core's routing has for a name.
    pub(super) fn routed(&self, name: &str) -> Option<String> {
        let core = self.site()?.core()?;
        let text = std::fs::read_to_string(core.join("config/ansible_builtin_runtime.yml")).ok()?;
        redirect(&text, name).map(str::to_owned)
    }
}

/// The modules in the directories of a collection.
fn modules(directories: &[PathBuf]) -> Vec<String> {
    let list = |directory: &PathBuf| std::fs::read_dir(directory.join("plugins").join(Kind::Module.name()));
    let entries = directories.iter().filter_map(|directory| list(directory).ok()).flatten().flatten();
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    entries.filter_map(|entry| stem(&entry.path())).filter(|name| name != "__init__").collect()
}

/// Returns the full name of a module in one of the best-known collections.
fn known(name: &str) -> Option<String> {
    let mut lines = KNOWN.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(_, names)| names.split(' ').any(|known| known == name));
    found.map(|(collection, _)| format!("{collection}.{name}"))
}

/// Returns the module's redirect in ansible-core's routing. The file has 300 KB and a regular form, so it is not
/// parsed: a module's entry is in `modules`, with `redirect` below its name.
fn redirect<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let start = text.find("\n  modules:\n")? + "\n  modules:".len();
    let section = &text[start..];
    let heading = format!("\n    {name}:\n");
    let entry = &section[section.find(&heading)? + heading.len()..];
    let mut lines = entry.lines().take_while(|line| line.starts_with("      "));
    lines
        .find_map(|line| line.trim().strip_prefix("redirect:"))
        .map(|target| target.trim().trim_matches(['\'', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn routing_is_read_without_parsing_it() {
        let text = "plugin_routing:\n  connection:\n    a:\n      redirect: x.y.a\n  modules:\n    b:\n      \
                    tombstone:\n        removal_version: '1'\n    a:\n      redirect: x.y.b\n    c:\n      \
                    deprecation:\n        warning_text: w\n      redirect: 'x.y.c'\n";
        assert_eq!(redirect(text, "a"), Some("x.y.b"));
        assert_eq!(redirect(text, "b"), None);
        assert_eq!(redirect(text, "c"), Some("x.y.c"));
        assert_eq!(redirect(text, "d"), None);
    }

    #[test]
    fn the_collection_to_install_is_named() {
        let root = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.collections_path = vec![root.path().to_owned()];
        // A Python without packages.
        settings.plugin_python = Some(root.path().join("bin/python3"));
        let foreign = Foreign::new(&settings, 0);
        let install = |collection: &str| {
            Some(format!(
                "Install the collection that has it, and ansible-core for the controller's python3: `playbook \
                 galaxy collection install {collection}`."
            ))
        };
        assert_eq!(foreign.advice("locale_gen"), install("community.general"));
        assert_eq!(foreign.advice("my.own.thing"), install("my.own"));
        assert_eq!(foreign.advice("ansible.builtin.cpoy"), None);
        assert_eq!(foreign.advice("no_such_module"), None);
        let modules = root.path().join("ansible_collections/my/own/plugins/modules");
        std::fs::create_dir_all(&modules).unwrap();
        std::fs::write(modules.join("thing.py"), "").unwrap();
        assert_eq!(foreign.advice("my.own.thign").as_deref(), Some("Did you mean 'my.own.thing'?"));
        assert_eq!(foreign.advice("my.own.other"), None);
    }
}
