//! The directories and files of a new role or collection.

use std::path::{Path, PathBuf};

use clap::Args;
use playbook_api::Error;

use super::artifact;

#[derive(Args)]
pub(super) struct Init {
    /// The directory to create it in
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    init_path: PathBuf,
    /// Overwrite existing files
    #[arg(short, long)]
    force: bool,
    /// Do not query a server; none is queried in any case
    #[arg(long, hide = true)]
    offline: bool,
    /// The name; that of a collection is NAMESPACE.NAME
    name: String,
}

/// The files of a role, and their text. `NAME` stands for its name.
const ROLE: [(&str, &str); 10] = [
    ("README.md", "# NAME\n\nWhat the role does, the variables it takes, and how it is used.\n"),
    ("defaults/main.yml", "---\n# defaults file for NAME\n"),
    ("files/.gitkeep", ""),
    ("handlers/main.yml", "---\n# handlers file for NAME\n"),
    (
        "meta/main.yml",
        "---\ngalaxy_info:\n  author: your name\n  description: your role description\n  license: license (GPL-2.0-or-later, MIT, etc)\n  min_ansible_version: \"2.2\"\n  galaxy_tags: []\ndependencies: []\n",
    ),
    ("tasks/main.yml", "---\n# tasks file for NAME\n"),
    ("templates/.gitkeep", ""),
    ("tests/inventory", "localhost\n"),
    ("tests/test.yml", "---\n- hosts: localhost\n  remote_user: root\n  roles:\n    - NAME\n"),
    ("vars/main.yml", "---\n# vars file for NAME\n"),
];

/// The files of a collection. `NAMESPACE` stands for the first part of its name.
const COLLECTION: [(&str, &str); 6] = [
    (
        "galaxy.yml",
        "---\nnamespace: NAMESPACE\nname: NAME\nversion: 1.0.0\nreadme: README.md\nauthors:\n  - your name <example@domain.com>\ndescription: your collection description\nlicense:\n  - GPL-2.0-or-later\ntags: []\ndependencies: {}\nrepository: http://example.com/repository\ndocumentation: http://docs.example.com\nhomepage: http://example.com\nissues: http://example.com/issue/tracker\nbuild_ignore: []\n",
    ),
    ("README.md", "# NAMESPACE.NAME\n\nWhat the collection holds.\n"),
    ("docs/.gitkeep", ""),
    ("meta/runtime.yml", "---\nrequires_ansible: '>=2.9.10'\n"),
    (
        "plugins/README.md",
        "# Plugins\n\nEach kind has its own directory: modules, module_utils, filter, lookup, action, ….\n",
    ),
    ("roles/.gitkeep", ""),
];

impl Init {
    pub(super) fn role(&self) -> Result<u8, Error> {
        if self.name.contains('/') || self.name.starts_with('.') {
            return Err(Error::new(format!("'{}' is not a valid name of a role", self.name)));
        }
        self.write(&self.init_path.join(&self.name), &ROLE, "", &self.name)?;
        say!("- Role {} was created successfully", self.name);
        Ok(0)
    }

    pub(super) fn collection(&self) -> Result<u8, Error> {
        let full = artifact::checked(&self.name)?;
        let (namespace, name) = full.split_once('.').unwrap_or_default();
        self.write(&self.init_path.join(namespace).join(name), &COLLECTION, namespace, name)?;
        say!("- Collection {full} was created successfully");
        Ok(0)
    }

    fn write(
        &self,
        directory: &Path,
        files: &[(&str, &str)],
        namespace: &str,
        name: &str,
    ) -> Result<(), Error> {
        if directory.exists() && !self.force {
            let message = format!("- the directory {} already exists.", directory.display());
            return Err(Error::new(message).with_help("Use --force to overwrite existing files."));
        }
        for (path, text) in files {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(directory))
                .map_err(|e| Error::io(&e, format!("cannot create the directory of {}", path.display())))?;
            std::fs::write(&path, text.replace("NAMESPACE", namespace).replace("NAME", name))
                .map_err(|e| Error::io(&e, format!("cannot write {}", path.display())))?;
        }
        Ok(())
    }
}
