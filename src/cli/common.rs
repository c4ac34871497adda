//! What `run` and ad hoc commands have in common: which hosts, how they are reached, as whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, Args};
use playbook_api::{Context, Error, ErrorKind};

use super::ask;
use super::session::{self, Session, VaultArgs};
use crate::foreign::Foreign;
use crate::inventory::{Inventory, extra_vars};
use crate::report::{self, Event, Reporter};
use crate::run::Options;
use crate::settings::Settings;

/// Which hosts there are.
#[derive(Args)]
pub struct InventoryArgs {
    /// An inventory: a file, a folder, a script, hosts (`a,b,`) or terraform:PATH; may be given several times.
    #[arg(short, long, visible_alias = "inventory-file", value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Only hosts that also match this pattern.
    #[arg(short, long, value_name = "PATTERN", visible_alias = "subset", allow_hyphen_values = true)]
    pub limit: Option<String>,
    /// Variables above all others: `name=value`, YAML, JSON or @FILE; may be given several times.
    #[arg(short, long, value_name = "VARS", allow_hyphen_values = true)]
    pub extra_vars: Vec<String>,
}

/// Which hosts, and what is said of them.
#[derive(Args)]
pub struct HostArgs {
    #[command(flatten)]
    hosts: InventoryArgs,
    /// Change nothing; say what would change.
    #[arg(short = 'C', long)]
    check: bool,
    /// Show the differences in files and settings that change.
    #[arg(short = 'D', long)]
    diff: bool,
    /// On how many hosts at a time.
    #[arg(short, long, value_name = "FORKS", value_parser = clap::value_parser!(u32).range(1..))]
    forks: Option<u32>,
    /// Say more; may be given up to four times.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Forget the cached facts of every host of the inventory.
    #[arg(long)]
    flush_cache: bool,
    /// More folders with modules, separated by colons.
    #[arg(short = 'M', long, value_name = "PATHS")]
    module_path: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    privileges: BecomeArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// How hosts are reached.
#[derive(clap::Args)]
#[command(next_help_heading = "Connection options")]
pub struct ConnectionArgs {
    /// The connection, such as local or ssh.
    #[arg(short, long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// The user to log in as.
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Seconds until a connection attempt is given up.
    #[arg(short = 'T', long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// The private key to log in with.
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Ask for the login password.
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// A file (or program) with the login password.
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE", conflicts_with = "ask_pass")]
    pub connection_password_file: Option<PathBuf>,
    /// Leave no helper on the hosts for the next run.
    #[arg(long)]
    no_keep_remote: bool,
    /// More arguments for ssh, scp and sftp.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_common_args: Option<String>,
    /// More arguments for ssh only.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_extra_args: Option<String>,
    /// More arguments for scp only.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    scp_extra_args: Option<String>,
    /// More arguments for sftp only.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    sftp_extra_args: Option<String>,
}

/// Which user tasks run as.
#[derive(clap::Args)]
#[command(next_help_heading = "Privilege escalation options")]
pub struct BecomeArgs {
    /// Become another user on the hosts.
    #[arg(short, long)]
    r#become: bool,
    /// How to become another user.
    #[arg(long, value_name = "METHOD")]
    become_method: Option<String>,
    /// The user to become.
    #[arg(long, value_name = "USER")]
    become_user: Option<String>,
    #[command(flatten)]
    password: BecomePasswordArgs,
}

/// Where the password for becoming another user comes from.
#[derive(clap::Args)]
pub struct BecomePasswordArgs {
    /// Ask for the password that becoming needs.
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// A file (or program) with the password that becoming needs.
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE", conflicts_with = "ask_become_pass")]
    pub become_password_file: Option<PathBuf>,
}

impl HostArgs {
    /// Flags that are settings too.
    pub fn put_flags(&self, settings: &mut Settings) {
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

    /// The run's options as far as they are said here. Passwords are asked for only where tasks will run.
    pub fn options(&self, settings: &Settings, runs: bool) -> Result<Options, Error> {
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

    /// The passwords for logging in and for becoming another user.
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
                let given = ask::password(&format!("BECOME password{hint}: "))?;
                if given.is_empty() { login.clone() } else { Some(given) }
            }
            Some(file) => Some(password_of(file)?),
            None => None,
        };
        Ok((login, elevated))
    }
}

/// The folder taken for a playbook's where there is none, if one was named.
pub fn playbook_folder(given: Option<&Path>, settings: &Settings) -> Option<PathBuf> {
    given.or(settings.playbook_dir.as_deref()).map(crate::paths::absolute)
}

/// The folder that the command was started in.
pub fn here() -> PathBuf {
    crate::paths::absolute(Path::new("."))
}

/// The modules' context of a run with these options, and the modules and plugins in other languages.
pub fn context(session: &Session, options: &Options) -> (Context, Arc<Foreign>) {
    if session.by_project {
        for password in [&options.connection_password, &options.become_password].into_iter().flatten() {
            session.context.redactor.register(password);
        }
    }
    let (foreign, context) = session.foreign(options.verbosity);
    report::python::folders(&options.playbooks, &foreign);
    (Context { check: options.check, diff: options.diff, ..context }, foreign)
}

/// Says what there is to say before anything happens, and reads the inventory.
pub fn begin(
    session: &Session,
    options: &Options,
    context: &Context,
    reporter: &mut dyn Reporter,
) -> Result<Inventory, Error> {
    for warning in &session.warnings {
        reporter.event(&Event::Warning(report::format_error(warning)));
    }
    let settings = &session.settings;
    reporter.event(&Event::Verbose { level: 1, text: config_line(settings), host: None });
    let extra = extra_vars(&options.extra_vars, &session.keyring)?;
    let (mut inventory, warnings) =
        Inventory::load(&options.inventory, settings, &session.keyring, context, &extra)?;
    for warning in warnings {
        reporter.event(&Event::Warning(report::format_error(&warning)));
    }
    for note in std::mem::take(&mut inventory.notes) {
        reporter.event(&Event::Verbose { level: 3, text: note, host: None });
    }
    inventory.beside_playbook(folders(&options.playbooks));
    if inventory.hosts.is_empty() {
        if settings.localhost_warning {
            reporter.event(&Event::Warning(NO_HOSTS.into()));
        }
    } else if let Some(limit) = &options.limit {
        check_limit(&inventory, limit, settings)?;
    }
    Ok(inventory)
}

const NO_HOSTS: &str = "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'";

/// The playbooks' folders: their group_vars/ and host_vars/ count too.
fn folders(playbooks: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in playbooks {
        let path = crate::paths::absolute(path);
        if let Some(folder) = path.parent().filter(|folder| !folders.iter().any(|f| f == folder)) {
            folders.push(folder.to_owned());
        }
    }
    folders
}

pub fn config_line(settings: &Settings) -> String {
    match &settings.config_file {
        Some(path) => format!("Using {} as config file", path.display()),
        None => "No config file found; using defaults".into(),
    }
}

/// A limit that leaves no host at all is a mistake.
fn check_limit(inventory: &Inventory, limit: &str, settings: &Settings) -> Result<(), Error> {
    let (hosts, _) = inventory.select(limit, settings)?;
    if hosts.is_empty() {
        let message = "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";
        return Err(Error::new(message).with_help(format!("No host of the inventory matches '{limit}'.")));
    }
    Ok(())
}

/// A password from a file; a program is run and prints it.
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
