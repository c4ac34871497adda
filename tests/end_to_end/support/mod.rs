//! Helpers for the end-to-end tests: the servers that `cargo xtask test` starts, a project directory, and the built
//! binary.

pub(crate) mod project;
pub(crate) mod servers;

use std::path::Path;
use std::process::Command;

pub(crate) use project::Project;
pub(crate) use servers::{Servers, servers};
pub(crate) use xtask::tested::Ended;

/// Returns a command that runs the built binary in a directory, without the developer's own settings.
pub(crate) fn playbook(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playbook"));
    command.current_dir(directory);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["ANSIBLE_", "AWS_", "PLAYBOOK_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env("HOME", directory).env_remove("IMAGE_TAG");
    command
}
