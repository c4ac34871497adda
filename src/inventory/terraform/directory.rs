//! Reads the state of a directory with Terraform files: with `terraform` or `tofu`, or from the file that the
//! local backend keeps there.

use std::path::Path;
use std::process::{Command, Output};

use playbook_api::Error;

use super::state::State;
use super::text::text_of_file;
use super::{DEFAULT_WORKSPACE, Source, workspaces};
use crate::document::{Trust, parse_json};
use crate::settings::variable;

/// Reads the state of a directory.
pub(super) fn fetch(source: &Source, directory: &Path) -> Result<State, Error> {
    let candidates = match &source.binary {
        Some(binary) => vec![binary.as_str()],
        None => vec!["terraform", "tofu"],
    };
    for binary in &candidates {
        let terraform = Terraform { binary, directory };
        if let Some(state) = terraform.state(source)? {
            return Ok(state);
        }
    }
    if source.binary.is_none()
        && let Some(state) = local(source, directory)?
    {
        return Ok(state);
    }
    Err(Error::new(format!(
        "to read the state of {}, {} is needed",
        directory.display(),
        candidates.join(" or ")
    ))
    .with_help("Install it, or name the state file (or s3://bucket/key) instead of the directory."))
}

/// Reads the file of the local backend, where neither program is installed.
pub(super) fn local(source: &Source, directory: &Path) -> Result<Option<State>, Error> {
    let backend = Backend::of(directory);
    if backend.kind != "local" {
        return Err(Error::new(format!(
            "the state of {} is kept by the backend '{}', and neither terraform nor tofu is installed",
            directory.display(),
            backend.kind
        ))
        .with_help("Install one of them, or name the state itself, such as s3://bucket/key."));
    }
    let workspace = source.workspace.clone().unwrap_or_else(|| workspaces::selected(directory));
    let file = match backend.path.filter(|_| workspace == DEFAULT_WORKSPACE) {
        Some(path) => directory.join(path),
        None => {
            let states = directory.join(backend.workspaces.as_deref().unwrap_or(workspaces::DIRECTORY));
            workspaces::state_file(directory, &states, &workspace)?
        }
    };
    if !file.is_file() {
        return Ok(None);
    }
    let text = text_of_file(source, &file)?;
    State::read(text, &file.to_string_lossy(), source.loading.context).map(Some)
}

/// Where a directory's state is kept.
struct Backend {
    kind: String,
    /// The file of the default workspace, if the local backend has another than its usual one.
    path: Option<String>,
    /// The directory of the other workspaces' states, likewise.
    workspaces: Option<String>,
}

impl Backend {
    /// Returns what `terraform init` has set up. Where it did not run, the configuration is asked, since a state that lies
    /// in the directory may be of the time before the backend was configured.
    fn of(directory: &Path) -> Backend {
        Backend::initialized(directory).unwrap_or_else(|| Backend {
            kind: configured(directory).unwrap_or_else(|| "local".into()),
            path: None,
            workspaces: None,
        })
    }

    fn initialized(directory: &Path) -> Option<Backend> {
        let text = std::fs::read_to_string(workspaces::data(directory).join("terraform.tfstate")).ok()?;
        let node = parse_json(&text, "terraform.tfstate", Trust::Text).ok()?;
        let backend = node.get("backend")?;
        let option = |name: &str| {
            let value = backend.get("config")?.get(name)?.as_str()?.to_owned();
            (!value.is_empty()).then_some(value)
        };
        let kind = backend.get("type")?.as_str()?.to_owned();
        Some(Backend { kind, path: option("path"), workspaces: option("workspace_dir") })
    }
}

/// Returns the backend that the files of a directory configure: `backend "s3" {`, or `cloud {`.
fn configured(directory: &Path) -> Option<String> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "tf" || extension == "tofu"));
    files.sort();
    let texts = files.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.into_iter().find_map(|text| text.lines().find_map(backend_of_line))
}

fn backend_of_line(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("terraform").trim_start_matches([' ', '\t', '{']);
    if line.strip_prefix("cloud").is_some_and(|rest| rest.trim_start().starts_with('{')) {
        return Some("cloud".into());
    }
    let name = line.strip_prefix("backend")?.trim_start().strip_prefix('"')?.split('"').next()?;
    Some(name.to_owned())
}

struct Terraform<'a> {
    binary: &'a str,
    directory: &'a Path,
}

impl Terraform<'_> {
    /// Has the program read the state; nothing where it is not installed.
    fn state(&self, source: &Source) -> Result<Option<State>, Error> {
        let named = variable("TF_WORKSPACE").filter(|name| !name.is_empty());
        let workspace = source.workspace.clone().or(named);
        if let Some(workspace) = workspace.as_deref().filter(|name| *name != DEFAULT_WORKSPACE) {
            // Asked for the state of an unknown workspace, the program makes one.
            match self.workspaces()? {
                None => return Ok(None),
                Some(known) if !known.iter().any(|name| name == workspace) => {
                    return Err(workspaces::unknown(self.directory, workspace, &known));
                }
                Some(_) => {}
            }
        }
        let arguments: &[&str] = match source.resources {
            true => &["state", "pull", "-no-color"],
            false => &["output", "-json", "-no-color"],
        };
        let Some(output) = self.run(arguments, workspace.as_deref())? else { return Ok(None) };
        let name = format!("{} {} in {}", self.binary, arguments[..2].join(" "), self.directory.display());
        let text = String::from_utf8(output.stdout)
            .map_err(|_| Error::new(format!("what '{name}' printed is not UTF-8 text")))?;
        State::read(text, &name, source.loading.context).map(Some)
    }

    /// The workspaces that there are.
    fn workspaces(&self) -> Result<Option<Vec<String>>, Error> {
        let Some(output) = self.run(&["workspace", "list"], None)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().map(|line| line.trim_start_matches('*').trim());
        Ok(Some(lines.filter(|line| !line.is_empty() && !line.contains(' ')).map(str::to_owned).collect()))
    }

    /// Runs the program; nothing where it is not installed.
    fn run(&self, arguments: &[&str], workspace: Option<&str>) -> Result<Option<Output>, Error> {
        let mut command = Command::new(self.binary);
        command.args(arguments).current_dir(self.directory);
        command.env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0").env_remove("TF_WORKSPACE");
        if let Some(workspace) = workspace {
            command.env("TF_WORKSPACE", workspace);
        }
        let output = match command.output() {
            Ok(output) => output,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::new(format!("cannot run '{}': {cause}", self.binary))),
        };
        if output.status.success() {
            return Ok(Some(output));
        }
        let printed = plain(&String::from_utf8_lossy(&output.stderr));
        Err(Error::new(format!(
            "'{} {}' failed in {}: {printed}",
            self.binary,
            arguments.join(" "),
            self.directory.display()
        ))
        .with_help(format!("Run `{} init` in that directory, and check the workspace.", self.binary)))
    }
}

/// Terraform's message without colors and without the frame that it draws.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                chars.by_ref().find(char::is_ascii_alphabetic);
            }
            '│' | '╷' | '╵' => {}
            c => out.push(c),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
