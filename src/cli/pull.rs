//! `playbook pull`, which is also `ansible-pull`: checks out playbooks from a repository and runs them on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Parser, ValueEnum};
use playbook_api::{Error, without_password};
use rand::Rng;

use super::common::{BecomePasswordArgs, ConnectionArgs, InventoryArgs};
use super::session::{self, VaultArgs};
use super::{Fault, Register, adhoc, run};

/// Checks out playbooks from a repository, and runs them on this machine.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook pull -U https://example.com/site.git
  playbook pull -U https://example.com/site.git -C main -o web.yml       Only if something is new")]
pub(super) struct Pull {
    /// The playbooks in the repository (default: HOSTNAME.yml or local.yml)
    #[arg(value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// The URL of the repository
    #[arg(short = 'U', long, value_name = "URL")]
    url: Option<String>,
    /// The directory to check it out to
    #[arg(short, long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// The branch, tag or commit
    #[arg(short = 'C', long, value_name = "VERSION")]
    checkout: Option<String>,
    /// The module that checks it out
    #[arg(short, long, value_enum, default_value_t = Module::Git)]
    module_name: Module,
    /// Run the playbooks only if the repository has changed
    #[arg(short, long)]
    only_if_changed: bool,
    /// Run the playbooks even if the repository cannot be updated
    #[arg(short, long)]
    force: bool,
    /// The maximum of a random delay before the update, in seconds
    #[arg(short, long, value_name = "SECONDS")]
    sleep: Option<u64>,
    /// Fetch the whole history
    #[arg(long)]
    full: bool,
    /// Accept the host key of the repository if it is not known yet
    #[arg(long)]
    accept_host_key: bool,
    /// Verify the GPG signature of the commit
    #[arg(long)]
    verify_commit: bool,
    /// Discard local changes to the files
    #[arg(long)]
    clean: bool,
    /// Update submodules to the latest commits of their branches
    #[arg(long)]
    track_subs: bool,
    /// Remove the files after the run
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    hosts: InventoryArgs,
    /// Run only plays and tasks with these tags
    #[arg(short, long, value_name = "TAGS")]
    tags: Vec<String>,
    /// Skip plays and tasks with these tags
    #[arg(long, value_name = "TAGS")]
    skip_tags: Vec<String>,
    /// Change nothing, and show what would change
    #[arg(long)]
    check: bool,
    /// Show the differences in changed files and settings
    #[arg(long)]
    diff: bool,
    /// List the hosts of each play, and run nothing
    #[arg(long)]
    list_hosts: bool,
    /// Delete the cached facts of all hosts of the inventory
    #[arg(long)]
    flush_cache: bool,
    /// More directories with modules, separated by colons
    #[arg(short = 'M', long, value_name = "PATHS")]
    module_path: Vec<String>,
    /// Print more. The option can be repeated up to four times
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    become_password: BecomePasswordArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Module {
    Git,
    Subversion,
    Hg,
    Bzr,
}

/// Splits a command line into words.
struct Words(Vec<OsString>);

impl Words {
    fn new(program: &str) -> Words {
        Words(vec![program.into()])
    }

    fn add(&mut self, word: impl Into<OsString>) {
        self.0.push(word.into());
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        let mut word = OsString::from(format!("{name}="));
        word.push(value.into());
        self.0.push(word);
    }

    fn options<V: Into<OsString> + Clone>(&mut self, name: &str, values: &[V]) {
        values.iter().for_each(|value| self.option(name, value.clone()));
    }

    fn flag(&mut self, name: &str, given: bool) {
        if given {
            self.add(name);
        }
    }
}

impl Pull {
    /// Checks out and runs in this process, so that a secret in the URL is not on a command line.
    pub(super) fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        let (settings, _) = session::settings(by_project)?;
        let name = host_name();
        let directory = match &self.directory {
            Some(dir) => crate::paths::absolute(&crate::paths::expand_home(dir)),
            None => settings.home.join("pull").join(&name),
        };
        if directory.exists() && !directory.is_dir() {
            let message = format!("{} is not a valid or accessible directory.", directory.display());
            return Err(Fault::options(Error::new(message)));
        }
        let url = self
            .url
            .as_deref()
            .ok_or_else(|| Fault::options(Error::new("URL for repository not specified, use -h for help")))?;
        say!("Starting Ansible Pull at {}", jiff::Zoned::now().strftime("%F %T"));
        let typed = std::env::args().collect::<Vec<_>>().join(" ");
        say!("{}", typed.replace(url, &without_password(url)));
        if let Some(most) = self.sleep.filter(|most| *most > 0) {
            let seconds = rand::rng().random_range(0..most);
            say!("Sleeping for {seconds} seconds...");
            std::thread::sleep(std::time::Duration::from_secs(seconds));
        }
        let limit = limit(&name);
        let words = self.fetching(url, &directory, &limit);
        let fetched = super::parse::<adhoc::Adhoc>(&words.0, "ansible").ending(register, by_project)?;
        if fetched.code != 0 && !self.force {
            return Ok(fetched.code);
        }
        if fetched.code != 0 {
            super::warn("Unable to update repository. Continuing with (forced) run of playbook.");
        } else if self.only_if_changed && !fetched.changed {
            say!("Repository has not changed, quitting.");
            return Ok(0);
        }
        let playbooks = self.chosen(&directory, &name)?;
        std::env::set_current_dir(&directory)?;
        let words = self.running(&playbooks, &limit);
        let code = super::parse::<run::Run>(&words.0, "ansible-playbook").run(register, by_project);
        if self.purge {
            std::env::set_current_dir("/")?;
            if let Err(e) = std::fs::remove_dir_all(&directory) {
                super::complain(&Error::new(format!("Failed to remove: {}: {e}", directory.display())));
            }
        }
        code
    }

    /// Returns the inventories that exist already; others may be in the repository.
    fn inventories(&self) -> impl Iterator<Item = &String> {
        let given = self.hosts.inventory.iter();
        given.filter(|source| source.contains(',') || Path::new(source.as_str()).exists())
    }

    /// Returns the ad hoc command that checks out the repository.
    fn fetching(&self, url: &str, directory: &Path, limit: &str) -> Words {
        let quoted =
            |text: &str| shlex::try_quote(text).map_or(text.to_owned(), |quoted| quoted.into_owned());
        let dir = directory.to_string_lossy();
        let mut arguments: Vec<(&str, String)> = Vec::new();
        let key = if self.module_name == Module::Subversion || self.module_name == Module::Hg {
            "repo"
        } else {
            "name"
        };
        arguments.push((key, url.to_owned()));
        arguments.push(("dest", dir.into_owned()));
        let version = match self.module_name {
            Module::Git | Module::Bzr => "version",
            Module::Subversion | Module::Hg => "revision",
        };
        arguments.extend(self.checkout.clone().map(|checkout| (version, checkout)));
        let mut switch = |name: &'static str, value: &str, given: bool| {
            if given {
                arguments.push((name, value.to_owned()));
            }
        };
        let git = self.module_name == Module::Git;
        switch("accept_hostkey", "yes", git && self.accept_host_key);
        switch("verify_commit", "yes", git && self.verify_commit);
        switch("track_submodules", "yes", git && self.track_subs);
        switch("depth", "1", git && !self.full);
        switch("export", "yes", self.module_name == Module::Subversion && !self.full);
        switch("force", "yes", self.clean);
        if let Some(key) = self.connection.private_key.as_ref().filter(|_| git) {
            arguments.push(("key_file", key.to_string_lossy().into_owned()));
        }
        let text: Vec<String> =
            arguments.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        let mut words = Words::new("ansible");
        let known: Vec<&String> = self.inventories().collect();
        words.options("--inventory", &known);
        if known.is_empty() {
            words.option("--inventory", "localhost,");
        }
        let module = self.module_name.to_possible_value().map_or(String::new(), |v| v.get_name().to_owned());
        words.option("--connection", "local");
        words.option("--module-name", module);
        words.option("--args", text.join(" "));
        words.option("--limit", limit);
        words.options("--extra-vars", &self.hosts.extra_vars);
        (0..self.verbose).for_each(|_| words.add("-v"));
        words.add("all");
        words
    }

    /// Returns the playbooks that were named, or else the first one that exists for this machine.
    fn chosen(&self, directory: &Path, name: &str) -> Result<Vec<PathBuf>, Fault> {
        let missing = |path: &PathBuf| {
            let why = if path.exists() { "File is not readable" } else { "File does not exist" };
            format!("{}: {why}", path.display())
        };
        let readable = |path: &&PathBuf| std::fs::File::open(path).is_ok();
        let short = name.split('.').next().unwrap_or(name);
        let wanted: Vec<PathBuf> = match self.playbooks.is_empty() {
            true => [name, short, "local"].map(|name| directory.join(format!("{name}.yml"))).into(),
            false => self.playbooks.iter().map(|path| directory.join(path)).collect(),
        };
        let found: Vec<PathBuf> = match self.playbooks.is_empty() {
            true => wanted.iter().find(readable).cloned().into_iter().collect(),
            false => wanted.iter().filter(readable).cloned().collect(),
        };
        if found.is_empty() || found.len() < self.playbooks.len() {
            let absent: Vec<String> = wanted.iter().filter(|path| !readable(path)).map(missing).collect();
            let error = Error::new("Could not find a playbook to run.").with_help(absent.join("\n"));
            return Err(Fault::options(error));
        }
        Ok(found)
    }

    /// Returns the run of the playbooks.
    fn running(&self, playbooks: &[PathBuf], limit: &str) -> Words {
        let mut words = Words::new("ansible-playbook");
        words.option("--connection", self.connection.connection.as_deref().unwrap_or("local"));
        (0..self.verbose).for_each(|_| words.add("-v"));
        words.options("--inventory", &self.inventories().collect::<Vec<_>>());
        words.options("--vault-password-file", &self.vault.password_files);
        words.options("--vault-id", &self.vault.ids);
        words.flag("--ask-vault-password", self.vault.ask);
        let password = &self.become_password;
        words.options("--become-password-file", password.become_password_file.as_slice());
        words.flag("--ask-become-pass", password.ask_become_pass);
        words.options("--connection-password-file", self.connection.connection_password_file.as_slice());
        words.flag("--ask-pass", self.connection.ask_pass);
        words.options("--user", self.connection.user.as_slice());
        words.options("--module-path", &self.module_path);
        words.options("--extra-vars", &self.hosts.extra_vars);
        words.options("--skip-tags", &self.skip_tags);
        words.options("--tags", &self.tags);
        words.option("--limit", self.hosts.limit.as_deref().unwrap_or(limit));
        words.flag("--check", self.check);
        words.flag("--diff", self.diff);
        words.flag("--flush-cache", self.flush_cache);
        words.flag("--list-hosts", self.list_hosts);
        playbooks.iter().for_each(|path| words.add(path));
        words
    }
}

/// Returns this machine's name, with its domain if that is known.
fn host_name() -> String {
    let own = nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    let output = std::process::Command::new("hostname").arg("--fqdn").output();
    let full = output.ok().filter(|output| output.status.success());
    let full = full.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    full.filter(|full| !full.is_empty()).unwrap_or(own)
}

/// Returns the names that an inventory may have for this machine.
fn limit(full: &str) -> String {
    let node = nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let mut names = vec!["localhost".to_owned()];
    for name in [full.to_owned(), node.clone(), short(full), short(&node), "127.0.0.1".to_owned()] {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(",")
}
