//! The options that `run`, ad hoc commands and others share: the hosts, the connections, the users.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, Args};
use playbook_api::{Context, Error, ErrorKind};

use super::ask;
use super::session::{self, Session, VaultArgs};
use crate::foreign::Foreign;
use crate::inventory::{Inventory, extra_vars, is_localhost};
use crate::report::{self, Event, Reporter};
use crate::run::Options;
use crate::settings::Settings;

/// The inventory and the hosts of it.
#[derive(Args)]
pub(super) struct InventoryArgs {
    /// An inventory: a file, a directory, a script, hosts (`a,b,`) or terraform:PATH. The option can be repeated
    #[arg(short, long, visible_alias = "inventory-file", value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Select only hosts that also match this pattern
    #[arg(short, long, value_name = "PATTERN", visible_alias = "subset", allow_hyphen_values = true)]
    pub limit: Option<String>,
    /// Variables that override all others: `name=value`, YAML, JSON or @FILE. The option can be repeated
    #[arg(short, long, value_name = "VARS", allow_hyphen_values = true)]
    pub extra_vars: Vec<String>,
}

/// The hosts, and how tasks run on them.
#[derive(Args)]
pub(super) struct HostArgs {
    #[command(flatten)]
    hosts: InventoryArgs,
    /// Change nothing, and show what would change
    #[arg(short = 'C', long)]
    check: bool,
    /// Show the differences in changed files and settings
    #[arg(short = 'D', long)]
    diff: bool,
    /// The number of hosts that run a task at the same time
    #[arg(short, long, value_name = "FORKS", value_parser = clap::value_parser!(u32).range(1..))]
    forks: Option<u32>,
    /// Print more. The option can be repeated up to four times
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Delete the cached facts of all hosts of the inventory
    #[arg(long)]
    flush_cache: bool,
    /// More directories with modules, separated by colons
    #[arg(short = 'M', long, value_name = "PATHS")]
    module_path: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    privileges: BecomeArgs,
    /// The sources of vault secrets.
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// How hosts are reached.
#[derive(clap::Args)]
#[command(next_help_heading = "Connection options")]
pub(super) struct ConnectionArgs {
    /// The connection plugin, such as local or ssh
    #[arg(short, long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// The user to log in as
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// The timeout of a connection attempt, in seconds
    #[arg(short = 'T', long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// The file of the private key to log in with
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Ask for the login password
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// A file with the login password, or a program that prints it
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE", conflicts_with = "ask_pass")]
    pub connection_password_file: Option<PathBuf>,
    /// Remove the helper from the hosts after the run
    #[arg(long)]
    no_keep_remote: bool,
    /// More arguments for ssh, scp and sftp
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_common_args: Option<String>,
    /// More arguments for ssh
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_extra_args: Option<String>,
    /// More arguments for scp
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    scp_extra_args: Option<String>,
    /// More arguments for sftp
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    sftp_extra_args: Option<String>,
}

/// The user that tasks run as.
#[derive(clap::Args)]
#[command(next_help_heading = "Privilege escalation options")]
pub(super) struct BecomeArgs {
    /// Run tasks as another user
    #[arg(short, long)]
    r#become: bool,
    /// The become plugin: sudo, su or doas
    #[arg(long, value_name = "METHOD")]
    become_method: Option<String>,
    /// The user that tasks run as (default: root)
    #[arg(long, value_name = "USER")]
    become_user: Option<String>,
    #[command(flatten)]
    password: BecomePasswordArgs,
}

/// The source of the become plugin's password.
#[derive(clap::Args)]
pub(super) struct BecomePasswordArgs {
    /// Ask for the password of the become plugin
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// A file with that password, or a program that prints it
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE", conflicts_with = "ask_become_pass")]
    pub become_password_file: Option<PathBuf>,
}

impl HostArgs {
    /// Asks for check mode.
    pub(super) fn check_only(&mut self) {
        self.check = true;
    }

    /// Puts the flags that are settings too into the settings.
    pub(super) fn put_flags(&self, settings: &mut Settings) {
        if let Some(forks) = self.forks {
            settings.set("forks", forks);
        }
        if !self.module_path.is_empty() {
            let given = self.module_path.iter().flat_map(|paths| paths.split(':')).map(str::to_owned);
            let known = settings.library.iter().map(|path| path.to_string_lossy().into_owned());
            let all: Vec<String> = given.chain(known).collect();
            settings.set("library", all);
        }
        let connection = &self.connection;
        for (name, value) in [
            ("ssh_common_args", &connection.ssh_common_args),
            ("ssh_extra_args", &connection.ssh_extra_args),
            ("scp_extra_args", &connection.scp_extra_args),
            ("sftp_extra_args", &connection.sftp_extra_args),
        ] {
            if let Some(value) = value {
                settings.set(name, value.as_str());
            }
        }
    }

    /// Returns the run's options that these flags set. Passwords are asked for only if tasks will run.
    pub(super) fn options(&self, session: &Session, runs: bool) -> Result<Options, Error> {
        let settings = &session.settings;
        if session.by_project {
            session::require_inventories(&self.hosts.inventory, settings)?;
        }
        let (login, elevated) = if runs { self.passwords(settings)? } else { (None, None) };
        let (connection, privileges) = (&self.connection, &self.privileges);
        Ok(Options {
            inventory: session::inventory_sources(&self.hosts.inventory, settings),
            limit: self.hosts.limit.clone(),
            check: self.check,
            diff: self.diff || settings.diff_always,
            forks: settings.forks.max(1),
            verbosity: self.verbose.saturating_add(u8::try_from(settings.verbosity).unwrap_or(u8::MAX)),
            extra_vars: self.hosts.extra_vars.clone(),
            force_handlers: settings.force_handlers,
            flush_cache: self.flush_cache,
            user: connection.user.clone(),
            connection: connection.connection.clone(),
            timeout: connection.timeout,
            private_key: connection.private_key.clone(),
            r#become: privileges.r#become,
            become_method: privileges.become_method.clone(),
            become_user: privileges.become_user.clone(),
            become_password: elevated,
            connection_password: login,
            no_keep_remote: connection.no_keep_remote,
            ..Options::default()
        })
    }

    /// Returns the login password and the become plugin's password.
    fn passwords(&self, settings: &Settings) -> Result<(Option<String>, Option<String>), Error> {
        let (connection, privileges) = (&self.connection, &self.privileges.password);
        let ask_login = connection.ask_pass || settings.ask_pass;
        let ask_become = privileges.ask_become_pass || settings.become_ask_pass;
        let file =
            connection.connection_password_file.as_ref().or(settings.connection_password_file.as_ref());
        let login = match file {
            _ if ask_login => Some(ask::password("SSH password: ")?),
            Some(file) => Some(password_of(file)?),
            None => None,
        };
        let file = privileges.become_password_file.as_ref().or(settings.become_password_file.as_ref());
        let elevated = match file {
            _ if ask_become => {
                let hint = if ask_login { "[defaults to SSH password]" } else { "" };
                let method = match settings.agnostic_become_prompt {
                    true => "BECOME".to_owned(),
                    false => settings.become_method.to_uppercase(),
                };
                let given = ask::password(&format!("{method} password{hint}: "))?;
                if given.is_empty() { login.clone() } else { Some(given) }
            }
            Some(file) => Some(password_of(file)?),
            None => None,
        };
        Ok((login, elevated))
    }
}

/// Returns the directory that stands for a playbook's, if one was named.
pub(super) fn playbook_directory(given: Option<&Path>, settings: &Settings) -> Option<PathBuf> {
    given.or(settings.playbook_dir.as_deref()).map(crate::paths::absolute)
}

/// Returns the context of modules in a run with these options, and the modules and plugins in other languages.
pub(super) fn context(session: &Session, options: &Options) -> (Context, Arc<Foreign>) {
    if session.by_project {
        for password in [&options.connection_password, &options.become_password].into_iter().flatten() {
            session.context.redactor.register(password);
        }
    }
    let (foreign, context) = session.foreign(options.verbosity);
    foreign.set_arguments(arguments(options));
    report::python::add_directories(&options.playbooks, &foreign);
    (Context { check: options.check, diff: options.diff, ..context }, foreign)
}

/// Prints the warnings of the session, and reads the inventory. `pattern` says which hosts of it are wanted.
pub(super) fn begin(
    session: &Session,
    options: &Options,
    context: &Context,
    reporter: &mut dyn Reporter,
    pattern: &str,
) -> Result<Inventory, Error> {
    for warning in &session.warnings {
        reporter.event(&Event::warning(warning));
    }
    let settings = &session.settings;
    reporter.event(&Event::Verbose { level: 1, text: config_line(settings), host: None });
    let mut warn = |warning| reporter.event(&Event::warning(&warning));
    let extra = extra_vars(&options.extra_vars, &session.keyring, settings, &mut warn)?;
    let (mut inventory, warnings) =
        Inventory::load(&options.inventory, settings, &session.keyring, context, &extra)?;
    for warning in warnings {
        reporter.event(&Event::warning(&warning));
    }
    for note in std::mem::take(&mut inventory.notes) {
        reporter.event(&Event::Verbose { level: 3, text: note, host: None });
    }
    inventory.beside_playbook(directories(&options.playbooks));
    if inventory.hosts.is_empty() {
        if settings.localhost_warning && !is_localhost(pattern) {
            reporter.event(&Event::Warning(NO_HOSTS.into()));
        }
    } else if let Some(limit) = &options.limit {
        for warning in check_limit(&inventory, limit, settings)? {
            reporter.event(&Event::Warning(warning));
        }
    }
    Ok(inventory)
}

/// ansible-core's warning about an inventory without hosts.
const NO_HOSTS: &str = "provided hosts list is empty, only localhost is available. Note that the implicit \
    localhost does not match 'all'";

/// Returns the playbooks' directories, whose group_vars/ and host_vars/ are read too.
pub(super) fn directories(playbooks: &[PathBuf]) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = Vec::new();
    for path in playbooks {
        let path = crate::paths::absolute(path);
        if let Some(parent) = path.parent().filter(|parent| !directories.iter().any(|d| d == parent)) {
            directories.push(parent.to_owned());
        }
    }
    directories
}

/// Returns the line that names the configuration file.
pub(super) fn config_line(settings: &Settings) -> String {
    match &settings.config_file {
        Some(path) => format!("Using {} as config file", path.display()),
        None => "No config file found; using defaults".into(),
    }
}

/// Rejects a limit that selects no host. Returns warnings, such as of a part that matches no host.
fn check_limit(inventory: &Inventory, limit: &str, settings: &Settings) -> Result<Vec<String>, Error> {
    let (hosts, warnings) = inventory.select(limit, settings)?;
    if hosts.is_empty() {
        let message = "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";
        return Err(Error::new(message).with_help(format!("No host of the inventory matches '{limit}'.")));
    }
    Ok(warnings)
}

/// Reads a password from a file, or from the output of a program.
fn password_of(file: &Path) -> Result<String, Error> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |what: String| Error::new(format!("The password file {} {what}", file.display()));
    let found =
        std::fs::metadata(file).map_err(|_| failed("was not found".into()).with_kind(ErrorKind::NotFound))?;
    let text = if found.permissions().mode() & 0o111 != 0 {
        let path = crate::paths::absolute(file);
        let output =
            std::process::Command::new(&path).output().map_err(|e| failed(format!("cannot be run: {e}")))?;
        if !output.status.success() {
            return Err(failed(format!("failed with {}", output.status)));
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    } else {
        std::fs::read_to_string(file).map_err(|e| failed(format!("cannot be read: {e}")))?
    };
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(failed("is empty".into())),
        password => Ok(password.to_owned()),
    }
}

/// The command line as plugins in Python see it, by the names of ansible-playbook's options.
fn arguments(options: &Options) -> serde_json::Map<String, serde_json::Value> {
    let paths = options.playbooks.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let tags = Some(&options.tags).filter(|tags| !tags.is_empty());
    let serde_json::Value::Object(arguments) = serde_json::json!({
        "args": paths,
        "become": options.r#become,
        "become_method": options.become_method,
        "become_user": options.become_user,
        "check": options.check,
        "connection": options.connection,
        "diff": options.diff,
        "extra_vars": options.extra_vars,
        "flush_cache": options.flush_cache,
        "force_handlers": options.force_handlers,
        "forks": options.forks,
        "inventory": options.inventory,
        "private_key_file": options.private_key,
        "remote_user": options.user,
        "skip_tags": options.skip_tags,
        "start_at_task": options.start_at_task,
        "step": options.step,
        "subset": options.limit,
        "tags": tags,
        "timeout": options.timeout,
    }) else {
        return serde_json::Map::default();
    };
    arguments
}
