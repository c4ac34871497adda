//! Finds playbooks and inventories by their names in the project around the current directory.

use std::path::{Path, PathBuf};

/// A project: a directory with a `playbooks/` directory that has an ansible.cfg beside it, is in a git work
/// tree, or is in the current directory.
///
/// Its group_vars/, host_vars/ and roles/ count too, below those next to the inventory and the playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its directory.
    pub root: PathBuf,
}

impl Project {
    /// Finds the nearest project at or above a directory.
    pub fn find(from: &Path) -> Option<Project> {
        let git = from.ancestors().find(|directory| directory.join(".git").exists());
        let inside_git = |directory: &Path| git.is_some_and(|git| directory.starts_with(git));
        from.ancestors()
            .find(|directory| {
                directory.join("playbooks").is_dir()
                    && (directory.join("ansible.cfg").is_file() || inside_git(directory))
            })
            .or_else(|| from.join("playbooks").is_dir().then_some(from))
            .map(|root| Project { root: root.to_owned() })
    }

    /// Returns a playbook's path: as given if it exists, else in the project's `playbooks/`.
    pub fn playbook(&self, name: &Path) -> PathBuf {
        self.resolve(name, "playbooks")
    }

    /// Returns an inventory source: as given if it exists, else in the project's `inventory/`. Host lists and
    /// `terraform:…` are not paths, and are returned as they are.
    pub fn inventory(&self, source: &str) -> String {
        if source.contains(',') || source.starts_with("terraform:") {
            return source.to_owned();
        }
        self.resolve(Path::new(source), "inventory").to_string_lossy().into_owned()
    }

    fn resolve(&self, name: &Path, directory: &str) -> PathBuf {
        let inside = self.root.join(directory).join(name);
        if !name.is_absolute() && !name.exists() && inside.exists() { inside } else { name.to_owned() }
    }

    /// Returns the project's own ansible.cfg, if it has one.
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.root.join("ansible.cfg")).filter(|path| path.is_file())
    }

    /// Returns the directory of the project's roles.
    pub fn roles(&self) -> PathBuf {
        self.root.join("roles")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_the_project() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("p");
        for directory in ["playbooks", "inventory", "deep/er"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        assert_eq!(Project::find(&root.join("deep/er")), None);
        std::fs::write(root.join("ansible.cfg"), "").unwrap();
        std::fs::write(root.join("playbooks/deploy.yml"), "").unwrap();
        std::fs::write(root.join("inventory/production.yml"), "").unwrap();
        let project = Project::find(&root.join("deep/er")).unwrap();
        assert_eq!(project.root, root);
        assert_eq!(project.playbook(Path::new("deploy.yml")), root.join("playbooks/deploy.yml"));
        assert_eq!(project.playbook(Path::new("other.yml")), Path::new("other.yml"));
        assert_eq!(
            project.inventory("production.yml"),
            root.join("inventory/production.yml").to_string_lossy()
        );
        assert_eq!(project.inventory("a,b"), "a,b");
        std::fs::remove_file(root.join("ansible.cfg")).unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        assert!(Project::find(&root.join("deep/er")).is_some());
        std::fs::remove_dir(root.join(".git")).unwrap();
        assert_eq!(Project::find(&root.join("deep/er")), None);
        assert!(Project::find(&root).is_some());
    }
}
