//! `playbook run`, which is also `ansible-playbook`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, Parser, ValueEnum};
use playbook_api::context::Cancel;
use playbook_api::{Error, ErrorKind};

use super::session::{self, Session, VaultArgs};
use super::{Register, ask, interrupt, list};
use crate::inventory::Inventory;
use crate::playbook::Playbook;
use crate::playbook::listing::Listed;
use crate::report::{self, Event, Output};
use crate::run::{self, Options, Shared};
use crate::settings::Settings;

/// Run playbooks on the hosts of an inventory.
#[derive(Parser)]
pub struct Run {
    /// The playbooks, one after the other. A name is also looked for in the project's playbooks/.
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// An inventory: a file, a folder, a script, hosts (`a,b,`) or terraform:PATH; may be given several times.
    #[arg(short, long, visible_alias = "inventory-file", value_name = "INVENTORY")]
    inventory: Vec<String>,
    /// Only hosts that also match this pattern.
    #[arg(short, long, value_name = "PATTERN", visible_alias = "subset", allow_hyphen_values = true)]
    limit: Option<String>,
    /// Variables above all others: `name=value`, YAML, JSON or @FILE; may be given several times.
    #[arg(short, long, value_name = "VARS", allow_hyphen_values = true)]
    extra_vars: Vec<String>,
    /// Only plays and tasks with these tags.
    #[arg(short, long, value_name = "TAGS")]
    tags: Vec<String>,
    /// Only plays and tasks without these tags.
    #[arg(long, value_name = "TAGS")]
    skip_tags: Vec<String>,
    /// Change nothing; say what would change.
    #[arg(short = 'C', long)]
    check: bool,
    /// Show the differences in files and settings that change.
    #[arg(short = 'D', long)]
    diff: bool,
    /// On how many hosts at a time.
    #[arg(short, long, value_name = "FORKS")]
    forks: Option<usize>,
    /// Say more; may be given up to four times.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Say what would run on which hosts, and do nothing.
    #[arg(long)]
    list_hosts: bool,
    /// List the tasks that would run, and do nothing.
    #[arg(long)]
    list_tasks: bool,
    /// List the tags there are, and do nothing.
    #[arg(long)]
    list_tags: bool,
    /// Load the playbooks, and do nothing.
    #[arg(long)]
    syntax_check: bool,
    /// Start at the task of this name.
    #[arg(long, value_name = "NAME")]
    start_at_task: Option<String>,
    /// Ask before each task.
    #[arg(long)]
    step: bool,
    /// Run notified handlers even on hosts that fail.
    #[arg(long)]
    force_handlers: bool,
    /// Forget the cached facts of every host of the inventory.
    #[arg(long)]
    flush_cache: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
    /// More folders with modules, separated by colons.
    #[arg(short = 'M', long, value_name = "PATHS")]
    module_path: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    privileges: BecomeArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

/// How hosts are reached.
#[derive(clap::Args)]
#[command(next_help_heading = "Connection options")]
pub struct ConnectionArgs {
    /// The connection, such as local or ssh.
    #[arg(short, long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// The user to log in as.
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Seconds until a connection attempt is given up.
    #[arg(short = 'T', long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// The private key to log in with.
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    private_key: Option<PathBuf>,
    /// Ask for the login password.
    #[arg(short = 'k', long)]
    ask_pass: bool,
    /// A file (or program) with the login password.
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE", conflicts_with = "ask_pass")]
    connection_password_file: Option<PathBuf>,
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
    /// Ask for the password that becoming needs.
    #[arg(short = 'K', long)]
    ask_become_pass: bool,
    /// A file (or program) with the password that becoming needs.
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE", conflicts_with = "ask_become_pass")]
    become_password_file: Option<PathBuf>,
}

/// The form of the report.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// One JSON event a line.
    Json,
}

impl Run {
    /// Runs the playbooks; `by_project` also finds them and the inventory in the project.
    pub fn run(self, register: Register, by_project: bool) -> Result<u8, Error> {
        if self.forks == Some(0) {
            return Err(Error::new("The number of processes (--forks) must be >= 1"));
        }
        let mut session = Session::new(&self.vault, register, by_project)?;
        self.put_flags(&mut session.settings);
        let playbooks = self.playbook_paths(&session)?;
        let listed = Listed { hosts: self.list_hosts, tasks: self.list_tasks, tags: self.list_tags };
        let only_lists = listed.hosts || listed.tasks || listed.tags || self.syntax_check;
        if !only_lists {
            session.keyring.ask()?;
        }
        let options = self.options(&session, playbooks, only_lists)?;
        let verbosity = options.verbosity;
        let output = if self.output == Form::Json { Output::Json } else { Output::Text };
        let redactor = session.context.redactor.clone();
        for password in [&options.connection_password, &options.become_password].into_iter().flatten() {
            redactor.register(password);
        }
        let mut reporter = report::reporter(&session.settings, output, verbosity, redactor);
        for warning in &session.warnings {
            reporter.event(&Event::Warning(report::format_error(warning)));
        }
        reporter.event(&Event::Verbose { level: 1, text: config_line(&session.settings), host: None });

        let mut context = session.context.clone();
        context.check = options.check;
        context.diff = options.diff;
        context.verbosity = verbosity;
        let sources = &options.inventory;
        let (mut inventory, warnings) =
            Inventory::load(sources, &session.settings, &session.keyring, &context)?;
        for warning in warnings {
            reporter.event(&Event::Warning(report::format_error(&warning)));
        }
        inventory.beside_playbook(folders(&options.playbooks));
        if inventory.hosts.is_empty() {
            if session.settings.localhost_warning {
                reporter.event(&Event::Warning(NO_HOSTS.into()));
            }
        } else if let Some(limit) = &options.limit {
            check_limit(&inventory, limit, &session.settings)?;
        }
        let cancel = Cancel::default();
        let playbooks = options.playbooks.clone();
        let shared = Shared::new(options, session.settings, session.keyring, context, cancel.clone());
        let shared = Arc::new(shared);
        let mut run = run::Run::new(shared.clone(), inventory.clone(), reporter)?;
        let mut loaded: Vec<Playbook> = Vec::new();
        for path in &playbooks {
            loaded.push(run.load(path)?);
        }
        if only_lists {
            let names = self.playbooks.iter().map(|path| path.to_string_lossy().into_owned());
            list::print(&shared, &inventory, names.zip(&loaded), listed)?;
            return Ok(0);
        }
        interrupt::watch(cancel);
        let ending = run.playbooks(&loaded)?;
        Ok(ending.exit_code())
    }

    /// Flags that are settings too.
    fn put_flags(&self, settings: &mut Settings) {
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

    /// The playbooks' files: as given, then in the project.
    fn playbook_paths(&self, session: &Session) -> Result<Vec<PathBuf>, Error> {
        let find = |name: &PathBuf| {
            let path = match &session.settings.project {
                Some(project) => project.playbook(name),
                None => name.clone(),
            };
            let missing = |what: &str| {
                Err(Error::new(format!("the playbook: {} {what}", name.display())).kind(ErrorKind::NotFound))
            };
            match std::fs::metadata(&path) {
                Err(_) => missing("could not be found"),
                Ok(found) if found.is_dir() => missing("does not appear to be a file"),
                Ok(_) => Ok(path),
            }
        };
        self.playbooks.iter().map(find).collect()
    }

    fn options(
        &self,
        session: &Session,
        playbooks: Vec<PathBuf>,
        only_lists: bool,
    ) -> Result<Options, Error> {
        let settings = &session.settings;
        let (connection, privileges) = (&self.connection, &self.privileges);
        let ask_login = connection.ask_pass || settings.ask_pass;
        let ask_become = privileges.ask_become_pass || settings.become_ask_pass;
        let login_file =
            connection.connection_password_file.as_ref().or(settings.connection_password_file.as_ref());
        let become_file = privileges.become_password_file.as_ref().or(settings.become_password_file.as_ref());
        let (mut login, mut elevated) = (None, None);
        if !only_lists {
            login = match login_file {
                Some(file) if !ask_login => Some(password_of(file)?),
                _ if ask_login => Some(ask::password("SSH password: ")?),
                _ => None,
            };
            elevated = match become_file {
                Some(file) if !ask_become => Some(password_of(file)?),
                _ if ask_become => {
                    let hint = if ask_login { "[defaults to SSH password]" } else { "" };
                    let given = ask::password(&format!("BECOME password{hint}: "))?;
                    if given.is_empty() { login.clone() } else { Some(given) }
                }
                _ => None,
            };
        }
        let tags = |given: &[String], otherwise: &[String]| -> Vec<String> {
            let chosen = if given.is_empty() { otherwise } else { given };
            let mut tags = Vec::new();
            for tag in chosen.iter().flat_map(|tags| crate::playbook::tags::split(tags)) {
                if !tags.iter().any(|t| t == tag) {
                    tags.push(tag.to_owned());
                }
            }
            tags
        };
        Ok(Options {
            playbooks,
            inventory: session::inventory_sources(&self.inventory, settings),
            limit: self.limit.clone(),
            tags: match tags(&self.tags, &settings.run_tags) {
                // All there are, when they are to be listed.
                none if none.is_empty() && self.list_tags => vec!["never".into(), "all".into()],
                tags => tags,
            },
            skip_tags: tags(&self.skip_tags, &settings.skip_tags),
            check: self.check,
            diff: self.diff || settings.diff_always,
            forks: settings.forks.max(1),
            verbosity: self.verbose.saturating_add(u8::try_from(settings.verbosity).unwrap_or(u8::MAX)),
            extra_vars: self.extra_vars.clone(),
            start_at_task: self.start_at_task.clone(),
            step: self.step,
            force_handlers: self.force_handlers || settings.force_handlers,
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
        })
    }
}

const NO_HOSTS: &str = "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'";

/// The playbooks' folders: their group_vars/ and host_vars/ count too.
fn folders(playbooks: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in playbooks {
        let path = crate::document::absolute(path);
        if let Some(folder) = path.parent().filter(|folder| !folders.iter().any(|f| f == folder)) {
            folders.push(folder.to_owned());
        }
    }
    folders
}

fn config_line(settings: &Settings) -> String {
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
        return Err(Error::new(message).help(format!("No host of the inventory matches '{limit}'.")));
    }
    Ok(())
}

/// A password from a file; a program is run and prints it.
fn password_of(file: &Path) -> Result<String, Error> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |what: String| Error::new(format!("The password file {} {what}", file.display()));
    let found =
        std::fs::metadata(file).map_err(|_| failed("was not found".into()).kind(ErrorKind::NotFound))?;
    let text = if found.permissions().mode() & 0o111 != 0 {
        let path = crate::document::absolute(file);
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
