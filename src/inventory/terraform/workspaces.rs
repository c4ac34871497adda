//! The workspaces of the local backend, and which one is selected.

use std::path::{Path, PathBuf};

use playbook_api::{Error, ErrorKind, nearest};

use super::DEFAULT_WORKSPACE;
use crate::settings::variable;

/// The directory with the states of workspaces other than the default one.
pub(super) const DIRECTORY: &str = "terraform.tfstate.d";

const STATE: &str = "terraform.tfstate";

/// Returns the workspace that is selected in a directory with Terraform files, as `terraform` itself finds
/// it: by `TF_WORKSPACE`, or in `.terraform/environment`.
pub(super) fn selected(directory: &Path) -> String {
    let named = variable("TF_WORKSPACE").filter(|name| !name.is_empty());
    let file = || std::fs::read_to_string(data(directory).join("environment")).ok();
    let name = named.or_else(file).unwrap_or_default();
    if name.trim().is_empty() { DEFAULT_WORKSPACE.to_owned() } else { name.trim().to_owned() }
}

/// Returns the directory in which Terraform keeps what `terraform init` made.
pub(super) fn data(directory: &Path) -> PathBuf {
    directory.join(variable("TF_DATA_DIR").filter(|path| !path.is_empty()).unwrap_or(".terraform".into()))
}

/// Returns the state file of a workspace; those of others than the default one are in `states`. A workspace without one is
/// an error.
pub(super) fn state_file(directory: &Path, states: &Path, workspace: &str) -> Result<PathBuf, Error> {
    if workspace == DEFAULT_WORKSPACE {
        return Ok(directory.join(STATE));
    }
    let file = states.join(workspace).join(STATE);
    if file.is_file() {
        return Ok(file);
    }
    let entries = std::fs::read_dir(states).into_iter().flatten().flatten();
    let mut known: Vec<String> = entries
        .filter(|entry| entry.path().join(STATE).is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    known.sort();
    Err(unknown(directory, workspace, &known))
}

/// The error for a workspace that does not exist, or has no state yet.
pub(super) fn unknown(directory: &Path, workspace: &str, known: &[String]) -> Error {
    let message = format!("{} has no state of a workspace '{workspace}'", directory.display());
    let error = Error::new(message).with_kind(ErrorKind::NotFound);
    match nearest(workspace, known.iter().map(String::as_str)) {
        Some(near) => error.with_help(format!("Did you mean '{near}'?")),
        None if known.is_empty() => error.with_help("Run `terraform apply` in that workspace first."),
        None => error.with_help(format!("Its workspaces are: {}.", known.join(", "))),
    }
}
