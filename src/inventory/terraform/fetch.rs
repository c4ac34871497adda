//! Reads a state from a file, a directory, or a source that another crate provides.

use std::path::{Path, PathBuf};

use playbook_api::{Error, ErrorKind};

use super::directory;
use super::state::State;
use super::text::text_of_file;
use super::workspaces;
use super::{DEFAULT_WORKSPACE, Source};
use crate::paths::{absolute, expand_home};

/// Reads the state that a source names.
pub(super) fn fetch(source: &Source) -> Result<State, Error> {
    let context = source.loading.context;
    if let Some((scheme, _)) = source.location.split_once("://") {
        let (location, text) = fetch_remote(source, scheme)?;
        return State::read(text, &location, context);
    }
    let path = absolute(&expand_home(&source.location));
    if path.is_dir() {
        return directory::fetch(source, &path);
    }
    let path = in_workspace(source, path)?;
    State::read(text_of_file(source, &path)?, &path.to_string_lossy(), context)
}

/// The state file of the workspace that was asked for, where the local backend keeps it: in
/// `terraform.tfstate.d` beside the default workspace's file.
fn in_workspace(source: &Source, path: PathBuf) -> Result<PathBuf, Error> {
    let Some(workspace) = source.workspace.as_deref().filter(|name| *name != DEFAULT_WORKSPACE) else {
        return Ok(path);
    };
    let beside = path.parent().unwrap_or(Path::new("."));
    let is_its_own = beside.file_name().is_some_and(|name| name == workspace)
        && beside.parent().is_some_and(|above| above.ends_with(workspaces::DIRECTORY));
    if is_its_own {
        Ok(path)
    } else {
        workspaces::state_file(beside, &beside.join(workspaces::DIRECTORY), workspace)
    }
}

/// Fetches a state with the crate that knows its scheme. It waits on a thread of its own: an inventory may be
/// read inside a runtime, where waiting is not possible.
fn fetch_remote(source: &Source, scheme: &str) -> Result<(String, String), Error> {
    let context = source.loading.context;
    let sources = &context.registry.inventory_sources;
    let fetcher = sources.iter().find(|known| known.scheme() == scheme).ok_or_else(|| {
        let known: Vec<String> = sources.iter().map(|known| format!("{}://", known.scheme())).collect();
        let known = if known.is_empty() { String::new() } else { format!("{}, ", known.join(", ")) };
        Error::new(format!("nothing reads a Terraform state from '{scheme}://'"))
            .with_help(format!("Give {known}a file or a directory."))
    })?;
    let location = match source.workspace.as_deref().filter(|name| *name != DEFAULT_WORKSPACE) {
        None => source.location.clone(),
        Some(workspace) => {
            let prefix = source.workspace_key_prefix.as_deref();
            fetcher.workspace(&source.location, workspace, prefix).ok_or_else(|| {
                Error::new(format!("a state from '{scheme}://' has no workspaces"))
                    .with_help("Leave out `workspace`, and name the workspace's own state.")
            })?
        }
    };
    let wait = || -> Result<String, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::io(&e, "cannot start the network runtime"))?;
        runtime.block_on(fetcher.fetch(&location, &source.options, context))
    };
    let text = std::thread::scope(|scope| {
        let failed = |_| Error::new("fetching the state failed").with_kind(ErrorKind::Internal);
        scope.spawn(wait).join().map_err(failed)?
    })?;
    Ok((location, text))
}
