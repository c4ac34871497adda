//! `playbook galaxy`, which is also `ansible-galaxy`: manages roles and collections.

mod artifact;
mod collection;
mod constraint;
mod fetch;
mod init;
mod list;
mod publish;
mod requirements;
mod search;
mod server;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use playbook_api::{Error, ErrorKind};

use super::Fault;
use super::session;
use crate::document::{self, Node, Trust};
use crate::paths;
use crate::report::format_error;
use crate::settings::Settings;
use crate::vault::Keyring;
use collection::CollectionAction;
use requirements::Requirement;
use serde::{Deserialize, Serialize};

/// Installs and manages roles and collections.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook galaxy install -r requirements.yml                      The roles and collections of a project
  playbook galaxy collection install 'community.general:>=10'
  playbook galaxy collection list
  playbook galaxy role init roles/web                              A new role")]
pub(super) struct Galaxy {
    /// Print more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, hide = true)]
    verbose: u8,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    #[command(flatten)]
    Both(RoleAction),
    /// The subcommands for roles, under the names of ansible-galaxy.
    #[command(subcommand)]
    Role(RoleAction),
    /// Installs, lists, creates, builds, publishes and verifies collections.
    #[command(subcommand)]
    Collection(CollectionAction),
}

#[derive(Subcommand)]
enum RoleAction {
    /// Installs roles from git, tarballs, URLs or directories.
    Install(Install),
    /// Lists the roles that are installed.
    List(list::Roles),
    /// Removes roles from the roles path.
    Remove(Remove),
    /// Creates the directories and files of a new role.
    Init(init::Init),
    /// Searches for roles on a Galaxy server.
    Search(search::Search),
    /// Shows information about a role, installed or on a Galaxy server.
    Info(search::Info),
}

#[derive(Args)]
struct Remove {
    /// The directory to search (default: all of roles_path)
    #[arg(short = 'p', long, value_name = "DIRECTORY")]
    roles_path: Option<PathBuf>,
    /// The names of the roles
    #[arg(required = true)]
    roles: Vec<String>,
}

#[derive(Args)]
struct Install {
    /// A file that lists the roles
    #[arg(short, long, visible_alias = "role-file", value_name = "FILE")]
    requirements_file: Option<PathBuf>,
    /// The directory to install to (default: the first one of roles_path)
    #[arg(short = 'p', long, value_name = "DIRECTORY")]
    roles_path: Option<PathBuf>,
    /// Replace roles that are already installed
    #[arg(short, long, visible_alias = "force-with-deps")]
    force: bool,
    /// Continue after a role that cannot be installed
    #[arg(short, long)]
    ignore_errors: bool,
    /// Do not install the dependencies of roles
    #[arg(short, long)]
    no_deps: bool,
    /// Install the collections in the versions of this lock file, and write the chosen ones to it
    #[arg(long, value_name = "FILE")]
    lock_file: Option<PathBuf>,
    /// The roles: SOURCE or SOURCE,VERSION,NAME
    roles: Vec<String>,
}

impl Galaxy {
    pub(super) fn run(self, by_project: bool) -> Result<u8, Fault> {
        let (settings, _) = session::settings(by_project)?;
        match self.action {
            Action::Both(action) => action.run(&settings, true),
            Action::Role(action) => action.run(&settings, false),
            Action::Collection(action) => action.run(&settings),
        }
    }
}

impl RoleAction {
    /// Runs the subcommand. With `both`, `install` also installs the collections of a requirements file.
    fn run(self, settings: &Settings, both: bool) -> Result<u8, Fault> {
        Ok(match self {
            RoleAction::Install(options) => install(settings, &options, both),
            RoleAction::List(options) => return options.run(settings),
            RoleAction::Remove(options) => remove(settings, &options),
            RoleAction::Init(options) => options.role(),
            RoleAction::Search(options) => options.run(settings),
            RoleAction::Info(options) => options.run(settings),
        }?)
    }
}

fn remove(settings: &Settings, options: &Remove) -> Result<u8, Error> {
    let dirs = match &options.roles_path {
        Some(dir) => vec![paths::absolute(dir)],
        None => settings.roles_path.clone(),
    };
    for name in &options.roles {
        if name.contains('/') || name.starts_with('.') {
            return Err(Error::new(format!("'{name}' is not a valid name of a role")));
        }
        // Only roles are removed.
        let place = dirs.iter().map(|dir| dir.join(name)).find(|role| role.join("meta").is_dir());
        match place {
            Some(role) => {
                std::fs::remove_dir_all(&role)
                    .map_err(|e| Error::io(&e, format!("cannot remove {}", role.display())))?;
                say!("- successfully removed {name}");
            }
            None => say!("- {name} is not installed, skipping."),
        }
    }
    Ok(0)
}

/// Installs roles, and with `both` also the collections of a requirements file.
fn install(settings: &Settings, options: &Install, both: bool) -> Result<u8, Error> {
    let dir = match &options.roles_path {
        Some(dir) => paths::absolute(dir),
        None => settings.roles_path.first().cloned().ok_or_else(|| Error::new("roles_path is empty"))?,
    };
    let keyring = Keyring::default();
    let mut wanted: Vec<Requirement> = Vec::new();
    if let Some(file) = &options.requirements_file {
        let (roles, collections) = requirements::read(file, &keyring)?;
        if both && !collections.is_empty() {
            let found = collection::Install {
                requirements_file: None,
                collections_path: None,
                force: options.force,
                no_deps: options.no_deps,
                pre: false,
                upgrade: false,
                server: None,
                lock_file: options.lock_file.clone(),
                collections: Vec::new(),
            };
            collection::install(settings, &found, collections)?;
            if roles.is_empty() && options.roles.is_empty() {
                return Ok(0);
            }
        }
        wanted.extend(roles);
    }
    for text in &options.roles {
        wanted.push(Requirement::from_text(text, Path::new(".")));
    }
    if wanted.is_empty() {
        return Err(Error::new("- you must specify a user/role name or a roles file").with_help(
            "Run 'playbook galaxy install -r requirements.yml' to install the roles of a project.",
        ));
    }
    say!("Starting galaxy role install process");
    std::fs::create_dir_all(&dir)
        .map_err(|e| Error::io(&e, format!("Could not create the roles path {}", dir.display())))?;
    let mut failed = 0;
    let mut done: Vec<String> = Vec::new();
    let mut waiting: std::collections::VecDeque<Requirement> = wanted.into();
    while let Some(role) = waiting.pop_front() {
        if done.contains(&role.name) {
            continue;
        }
        match one(&role, &dir, options.force, settings) {
            Ok(()) => {
                if !options.no_deps {
                    waiting.extend(dependencies(&dir.join(&role.name), &keyring)?);
                }
                done.push(role.name);
            }
            Err(error) => {
                super::warn(&format!(
                    "- {} was NOT installed successfully: {}",
                    role.name,
                    format_error(&error).trim_end()
                ));
                failed += 1;
                if !options.ignore_errors {
                    return Err(Error::new(
                        "- you can use --ignore-errors to skip failed roles and finish processing the list.",
                    ));
                }
            }
        }
    }
    Ok(u8::from(failed > 0 && !options.ignore_errors))
}

fn one(role: &Requirement, dir: &Path, force: bool, settings: &Settings) -> Result<(), Error> {
    let target = dir.join(&role.name);
    let shown = match &role.version {
        Some(version) => format!("{} ({version})", role.name),
        None => role.name.clone(),
    };
    if target.exists() && !force {
        let installed = installed_version(&target);
        match (&role.version, installed) {
            (Some(wanted), Some(there)) if *wanted != there => {
                say!(
                    "- {} ({there}) is already installed - use --force to change version to {wanted}",
                    role.name
                );
            }
            _ => say!("- {shown} is already installed, skipping."),
        }
        return Ok(());
    }
    // On the same file system, so that the role is moved atomically and a failed download changes nothing.
    let temporary = tempfile::tempdir_in(dir)
        .map_err(|e| Error::io(&e, format!("cannot create a temporary directory in {}", dir.display())))?;
    let fetched = fetch::fetch(role, temporary.path(), settings)?;
    say!("- extracting {} to {}", role.name, target.display());
    note_version(&fetched, role)?;
    if target.exists() {
        let old = temporary.path().join("old");
        std::fs::rename(&target, old)
            .map_err(|e| Error::io(&e, format!("cannot move {}", target.display())))?;
    }
    std::fs::rename(&fetched, &target)
        .map_err(|e| Error::io(&e, format!("cannot create {}", target.display())))?;
    say!("- {shown} was installed successfully");
    Ok(())
}

const NOTE: &str = "meta/.galaxy_install_info";

/// The note about a role's installation, in the form of ansible-galaxy.
#[derive(Serialize, Deserialize)]
struct Note {
    install_date: String,
    version: String,
}

fn note_version(role: &Path, wanted: &Requirement) -> Result<(), Error> {
    std::fs::create_dir_all(role.join("meta"))
        .map_err(|e| Error::io(&e, format!("cannot create the metadata of {}", role.display())))?;
    let note = Note {
        install_date: jiff::Timestamp::now().to_string(),
        version: wanted.version.clone().unwrap_or_default(),
    };
    let text = serde_yaml::to_string(&note).map_err(|e| Error::new(e.to_string()))?;
    std::fs::write(role.join(NOTE), text)
        .map_err(|e| Error::io(&e, format!("cannot write the metadata of {}", role.display())))?;
    Ok(())
}

fn installed_version(role: &Path) -> Option<String> {
    let note: Note = serde_yaml::from_str(&std::fs::read_to_string(role.join(NOTE)).ok()?).ok()?;
    Some(note.version).filter(|version| !version.is_empty())
}

/// Returns the dependencies of a role whose sources its meta names.
fn dependencies(role: &Path, keyring: &Keyring) -> Result<Vec<Requirement>, Error> {
    for name in ["meta/requirements.yml", "meta/main.yml"] {
        let path = role.join(name);
        let node = match document::load(&path, Trust::Text, keyring) {
            Ok(loaded) => loaded.node,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        let list = if name.ends_with("main.yml") { node.get("dependencies").cloned() } else { Some(node) };
        let entries = list.as_ref().and_then(Node::as_list).unwrap_or_default();
        let with_source = entries.iter().filter(|entry| entry.get("src").is_some());
        let found: Vec<Requirement> =
            with_source.map(|entry| Requirement::of(entry, &path)).collect::<Result<_, _>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}
