//! Getting a state: from a file, a folder, or somewhere else.

use std::path::{Path, PathBuf};
use std::process::Command;

use playbook_api::{Error, ErrorKind};

use super::Source;
use super::state::State;

/// Reads the state a source names.
pub fn fetch(source: &Source) -> Result<State, Error> {
    let context = source.loading.context;
    if let Some((scheme, _)) = source.location.split_once("://") {
        let text = fetch_remote(source, scheme)?;
        return State::read(&text, &source.location, context);
    }
    let path = crate::paths::absolute(&crate::paths::expand_home(&source.location));
    if path.is_dir() {
        return fetch_folder(source, &path);
    }
    let text = crate::document::read(&path, source.loading.keyring).map_err(|e| {
        let missing = e.kind() == ErrorKind::NotFound;
        let help = "Run `terraform apply` first, or name a folder, a state file or s3://bucket/key.";
        if missing { e.with_help(help) } else { e }
    })?;
    State::read(&text, &path.to_string_lossy(), context)
}

/// A state that a crate fetches. It waits on a thread of its own: whoever reads an inventory may be inside a
/// runtime, where nobody may wait.
fn fetch_remote(source: &Source, scheme: &str) -> Result<String, Error> {
    let context = source.loading.context;
    let fetcher =
        context.registry.inventory_sources.iter().find(|s| s.scheme() == scheme).ok_or_else(|| {
            let known: Vec<&str> = context.registry.inventory_sources.iter().map(|s| s.scheme()).collect();
            let known =
                if known.is_empty() { String::new() } else { format!("{}:// and ", known.join("://, ")) };
            Error::new(format!("nothing reads a Terraform state from '{scheme}://'"))
                .with_help(format!("Known are {known}files and folders."))
        })?;
    let wait = || -> Result<String, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(fetcher.fetch(&source.location, &source.options, context))
    };
    std::thread::scope(|scope| {
        let failed = |_| Error::new("fetching the state failed").with_kind(ErrorKind::Internal);
        scope.spawn(wait).join().map_err(failed)?
    })
}

/// Asks terraform or tofu; without either, a state that lies in the folder is read as it is.
fn fetch_folder(source: &Source, folder: &Path) -> Result<State, Error> {
    let context = source.loading.context;
    let arguments: &[&str] =
        if source.resources { &["state", "pull"] } else { &["output", "-json", "-no-color"] };
    let candidates = match &source.binary {
        Some(binary) => vec![binary.as_str()],
        None => vec!["terraform", "tofu"],
    };
    for binary in &candidates {
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(folder).env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0");
        if let Some(workspace) = &source.workspace {
            command.env("TF_WORKSPACE", workspace);
        }
        let output = match command.output() {
            Ok(output) => output,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::new(format!("'{binary}' could not be run: {e}"))),
        };
        if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            return State::read(
                &text,
                &format!("{binary} {} in {}", arguments.join(" "), folder.display()),
                context,
            );
        }
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!(
            "'{binary} {}' failed in {}: {}",
            arguments.join(" "),
            folder.display(),
            said.trim()
        ))
        .with_help(format!("Run `{binary} init` in that folder, and check the workspace.")));
    }
    let state = local_state(folder, source.workspace.as_deref());
    if source.binary.is_none() && state.is_file() {
        let text = crate::document::read(&state, source.loading.keyring)?;
        return State::read(&text, &state.to_string_lossy(), context);
    }
    Err(Error::new(format!(
        "to read the state of {}, {} is needed",
        folder.display(),
        candidates.join(" or ")
    ))
    .with_help("Install it, or name the state file (or s3://bucket/key) instead of the folder."))
}

fn local_state(folder: &Path, workspace: Option<&str>) -> PathBuf {
    match workspace.filter(|name| *name != "default") {
        Some(workspace) => folder.join("terraform.tfstate.d").join(workspace).join("terraform.tfstate"),
        None => folder.join("terraform.tfstate"),
    }
}
