//! `dnf`, `dnf5` and `yum`: packages of Fedora, Red Hat Enterprise Linux and their derivatives.

mod command;
mod installed;
mod list;
mod transaction;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value, defaults};

use self::command::{Manager, Step, Verb};
use self::transaction::Transaction;
use crate::host::Host;

/// The state that packages are to have.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    /// Not installed.
    Absent,
    /// Installed; the same as `present`.
    Installed,
    /// Installed in the newest version that the repositories have.
    Latest,
    /// Installed, in any version.
    Present,
    /// Not installed; the same as `absent`.
    Removed,
}

/// Installs, upgrades and removes packages with dnf, version 4 or 5.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["name", "list"], ["best", "nobest"]], "required_one_of" = [["name", "list", "update_cache", "autoremove"]]))]
pub(crate) struct Dnf {
    /// The packages: names, names with versions, patterns, `@groups`, files or URLs. `*` with `state: latest` upgrades
    /// all.
    #[schemars(extend("aliases" = ["pkg"]))]
    #[serde(default)]
    name: Vec<String>,
    /// The state of the packages: `present` by default, or `absent` with `autoremove`.
    state: Option<State>,
    /// The packages to list instead of a change: `installed`, `updates`, `available`, `repos` or a package.
    list: Option<String>,
    /// The repositories to enable for this task.
    #[serde(default)]
    enablerepo: Vec<String>,
    /// The repositories to disable for this task.
    #[serde(default)]
    disablerepo: Vec<String>,
    /// The packages to leave out of the transaction.
    #[serde(default)]
    exclude: Vec<String>,
    /// The configured excludes to ignore: those of `all`, `main` or a repository's ID.
    disable_excludes: Option<String>,
    /// Whether to expire and fetch the repositories' metadata first.
    #[schemars(extend("aliases" = ["expire-cache"]))]
    #[serde(default)]
    update_cache: bool,
    /// Whether to use cached metadata only.
    #[serde(default)]
    cacheonly: bool,
    /// Whether to upgrade packages that are installed, and not to install others (`state: latest`).
    #[serde(default)]
    update_only: bool,
    /// Whether `state: latest` only takes updates that are marked as security fixes.
    #[serde(default)]
    security: bool,
    /// Whether `state: latest` only takes updates that are marked as bug fixes.
    #[serde(default)]
    bugfix: bool,
    /// Whether to install packages without a valid GPG signature.
    #[serde(default)]
    disable_gpg_check: bool,
    /// Whether to verify the TLS certificates of repositories.
    #[serde(default = "defaults::yes")]
    sslverify: bool,
    /// Whether to verify the TLS certificates of package URLs.
    #[serde(default = "defaults::yes")]
    validate_certs: bool,
    /// Whether to remove dependencies that nothing needs any longer. Only alone or with `state: absent`.
    #[serde(default)]
    autoremove: bool,
    /// Whether an older version may replace an installed one.
    #[serde(default)]
    allow_downgrade: bool,
    /// Whether installed packages may be removed to resolve dependencies.
    #[serde(default)]
    allowerasing: bool,
    /// Whether a package must be installed in the best available version, or the transaction fails.
    best: Option<bool>,
    /// Whether to allow other versions than the newest: the opposite of `best`.
    nobest: Option<bool>,
    /// Whether to leave out packages whose dependencies cannot be resolved.
    #[serde(default)]
    skip_broken: bool,
    /// Whether to download packages without installing them.
    #[serde(default)]
    download_only: bool,
    /// The directory for downloaded packages, with `download_only`.
    download_dir: Option<String>,
    /// The configuration file to use instead of the system's.
    conf_file: Option<String>,
    /// The plugins to enable for this task.
    #[serde(default)]
    enable_plugin: Vec<String>,
    /// The plugins to disable for this task.
    #[serde(default)]
    disable_plugin: Vec<String>,
    /// The release of the distribution to take packages from.
    releasever: Option<String>,
    /// The root directory to install into.
    installroot: Option<String>,
    /// Whether to install weak dependencies too.
    #[serde(default = "defaults::yes")]
    install_weak_deps: bool,
    /// The program to use: `dnf5`, `dnf4`, `dnf` or `yum`; the newest one by default.
    #[schemars(extend("enum" = ["auto", "yum", "yum4", "dnf", "dnf4", "dnf5"]))]
    #[serde(default = "auto")]
    use_backend: String,
    /// Accepted for compatibility: dnf itself waits for another process to finish.
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    lock_timeout: Option<i64>,
    /// Accepted for compatibility: no Python bindings are needed.
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    auto_install_module_deps: Option<bool>,
    /// Accepted for compatibility: repoquery comes with dnf.
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    install_repoquery: Option<bool>,
}

fn auto() -> String {
    "auto".into()
}

impl HostModule for Dnf {
    const DOC: Doc = Doc {
        name: "dnf",
        aliases: &["yum", "dnf5", "ansible.builtin.yum", "ansible.builtin.dnf5"],
        short: "Manages packages with dnf",
        returns: &[
            ("results", "list", "What was done, package by package; with `list`, the packages."),
            ("msg", "str", "What was done or why nothing was."),
            ("rc", "int", "The exit status of dnf."),
            ("failures", "list", "Why packages could not be installed or removed."),
        ],
        examples: "- dnf:\n    name: [httpd, '@Development tools']\n    state: present\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let manager = Manager::find(&self.use_backend, context)?;
        if let Some(what) = &self.list {
            let results = self.listed(&host, manager, what)?;
            return Ok(Outcome::default().msg("").with("results", results).with("rc", 0));
        }
        if self.autoremove && !matches!(self.state, None | Some(State::Absent | State::Removed)) {
            return Err(failed("Autoremove should be used alone or with state=absent", &[]));
        }
        if !self.download_only && !nix::unistd::geteuid().is_root() {
            return Err(failed("This command has to be run under the root user.", &[])
                .with_help("Set `become: true` for the task."));
        }
        if self.update_cache {
            host.run_ok(&self.program(manager, &Step::new(Verb::Makecache)))?;
            if self.name.is_empty() && !self.autoremove {
                return Ok(done(Outcome::default(), "Cache updated", Vec::new()));
            }
        }
        let (steps, mut results) = self.steps(&host, manager)?;
        for step in &steps {
            let planned = self.plan(&host, manager, step)?;
            if context.check {
                results.extend(planned.results(self.download_only));
            }
        }
        if context.check {
            let changed = !results.is_empty();
            let message = match changed {
                true => "Check mode: No changes made, but would have if not in check mode",
                false => "Nothing to do",
            };
            return Ok(done(Outcome::changed(changed), message, results));
        }
        let mut changed = false;
        for step in &steps {
            let output = host.run(&self.program(manager, step).arg("-y"))?;
            let transaction = Transaction::read(&output);
            if !output.success() {
                return Err(transaction.failure());
            }
            changed |= !transaction.is_empty();
            results.extend(transaction.results(self.download_only));
        }
        let message = if results.is_empty() { "Nothing to do" } else { "" };
        Ok(done(Outcome::changed(changed), message, results))
    }
}

fn done(outcome: Outcome, message: &str, results: Vec<String>) -> Outcome {
    outcome.msg(message).with("results", results).with("rc", 0)
}

/// A failure as dnf's modules report one.
fn failed(message: &str, failures: &[String]) -> Failure {
    Failure::new(message)
        .with("failures", failures.iter().map(|f| Value::from(f.as_str())).collect::<Vec<_>>())
        .with("results", Vec::<String>::new())
        .with("rc", 1)
}

impl Dnf {
    fn is_absent(&self) -> bool {
        match self.state {
            Some(state) => matches!(state, State::Absent | State::Removed),
            None => self.autoremove,
        }
    }

    /// The transaction to run, and messages about packages that need no change.
    fn steps(&self, host: &Host, manager: Manager) -> Result<(Vec<Step>, Vec<String>), Failure> {
        let mut notes = Vec::new();
        let (mut install, mut upgrade, mut remove) =
            (Step::new(Verb::Install), Step::new(Verb::Upgrade), Step::new(Verb::Remove));
        let latest = self.state == Some(State::Latest);
        if latest && self.name == ["*"] {
            return Ok((vec![upgrade], notes));
        }
        for spec in self.name.iter().filter(|spec| !spec.is_empty()) {
            if spec.starts_with('-') {
                return Err(failed(&format!("'{spec}' is not a valid package name"), &[]));
            }
            // Only dnf knows which groups are installed and what a pattern matches.
            let is_open = spec.starts_with('@') || spec.contains(['*', '?', '[']);
            let is_there = !is_open && self.is_installed(host, spec)?;
            if self.is_absent() {
                if is_open || is_there {
                    remove.words.push(spec.clone());
                }
            } else if is_open {
                if latest {
                    upgrade.words.push(spec.clone());
                }
                if !self.update_only {
                    install.words.push(spec.clone());
                }
            } else if is_there {
                if latest {
                    upgrade.words.push(spec.clone());
                }
            } else if self.is_newer_installed(host, manager, spec)? {
                if self.allow_downgrade {
                    install.words.push(spec.clone());
                }
            } else if self.update_only {
                notes.push(format!("Packages providing {spec} not installed due to update_only specified"));
            } else {
                install.words.push(spec.clone());
            }
        }
        let mut steps = vec![install, upgrade, remove];
        steps.retain(|step| !step.words.is_empty());
        if self.autoremove {
            steps.push(Step::new(Verb::Autoremove));
        }
        Ok((steps, notes))
    }

    /// Simulates a transaction.
    fn plan(&self, host: &Host, manager: Manager, step: &Step) -> Result<Transaction, Failure> {
        let output = host.query(&self.program(manager, step).arg("--assumeno"))?;
        let transaction = Transaction::read(&output);
        // With the answer no, dnf exits with 1 if there is something to do.
        if !output.success() && !transaction.is_aborted() {
            return Err(transaction.failure());
        }
        let dependants = transaction.dependants();
        if manager.is_five() && step.verb == Verb::Remove && !self.allowerasing && !dependants.is_empty() {
            let needed: Vec<String> = dependants
                .iter()
                .map(|name| format!("{name} depends on a package that is to be removed"))
                .collect();
            return Err(failed("Depsolve Error occurred", &needed)
                .with_help("Remove the dependent packages in the same task, or set `allowerasing: true`."));
        }
        Ok(transaction)
    }
}
