//! Builds `playbook`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Doing, Result};

/// Returns the root directory of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Returns a command that runs cargo in the workspace.
///
/// Cargo tells this program about its package in variables. Passed on, they would make build scripts that watch them run
/// again, and all that depends on these (ring's does, and with it every AWS SDK), whenever a build of the developer's own
/// stands between two of this program.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo.current_dir(root());
    cargo
}

/// What to build `playbook` with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Everything.
    All,
    /// The services of AWS that the sample application uses: the others take minutes to build.
    Sample,
}

/// Builds `playbook`, showing cargo's progress, and returns the path of the binary.
pub fn playbook(release: bool, parts: Parts) -> Result<PathBuf> {
    let mut build = cargo();
    // The features of the whole workspace, so that `cargo test --workspace` finds its dependencies built.
    build.args(["build", "--workspace", "--bin", "playbook"]);
    build.args(["--message-format", "json-render-diagnostics"]);
    if parts == Parts::Sample {
        build.args(["--no-default-features", "--features", "playbook/aws,playbook/postgres"]);
    }
    if release {
        build.arg("--release");
    }
    let output = build.stderr(std::process::Stdio::inherit()).output().doing("running cargo")?;
    if !output.status.success() {
        return Err("cannot build playbook: see cargo's errors above".into());
    }
    // Cargo reports the path of the binary, which depends on the target directory.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "playbook")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or("cargo did not report the path of the playbook binary".into())
}
