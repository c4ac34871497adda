//! What the end-to-end tests share: the servers that `cargo xtask test` started, a project to run in, and the built
//! binary.

pub mod project;
pub mod servers;

use std::path::Path;
use std::process::Command;

pub use project::Project;
pub use servers::{Servers, servers};
pub use xtask::tested::Ended;

/// The built binary, in a folder, away from the developer's own settings.
pub fn playbook(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playbook"));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["ANSIBLE_", "AWS_", "PLAYBOOK_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env("HOME", folder).env_remove("IMAGE_TAG");
    command
}
