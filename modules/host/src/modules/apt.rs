//! `apt`: packages of Debian and its derivatives.

mod cache;
mod file;
mod installed;
mod policy;
mod transaction;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, defaults};

pub(crate) use self::cache::refresh;
use self::installed::{Installed, Spec};
use crate::host::Host;
use crate::host::path::HostPath;
use crate::host::process::{Program, which};

/// The state that packages are to have.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum State {
    /// Not installed.
    Absent,
    /// The build dependencies of the packages are installed.
    BuildDep,
    /// Installed, with broken dependencies repaired.
    Fixed,
    /// Installed in the newest version that the repositories have.
    Latest,
    /// Installed, in any version.
    #[default]
    Present,
}

/// How to upgrade all packages.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Upgrade {
    /// Installing and removing other packages if necessary (`apt-get dist-upgrade`).
    Dist,
    /// The same as `dist`.
    Full,
    /// Not at all.
    #[default]
    No,
    /// Installing other packages if necessary, removing none (`apt-get upgrade --with-new-pkgs`).
    Safe,
    /// The same as `safe`.
    Yes,
}

/// Installs, upgrades and removes packages with apt.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["deb", "package", "upgrade"]]))]
pub(crate) struct Apt {
    /// The packages: a name, `name=version`, `name>=version`, `name/release`, or a pattern. `*` with `state: latest`
    /// upgrades all.
    #[schemars(extend("aliases" = ["package", "pkg"]))]
    name: Option<Vec<String>>,
    /// The state of the packages.
    #[serde(default)]
    state: State,
    /// Whether to fetch the package lists first (`apt-get update`).
    #[schemars(extend("aliases" = ["update-cache"]))]
    update_cache: Option<bool>,
    /// The age of the package lists, in seconds, up to which they are not updated.
    #[serde(default)]
    cache_valid_time: u64,
    /// The number of attempts to fetch the package lists.
    #[serde(default = "defaults::number::<u64, 5>")]
    update_cache_retries: u64,
    /// The longest pause between two of these attempts, in seconds.
    #[serde(default = "defaults::number::<u64, 12>")]
    update_cache_retry_max_delay: u64,
    /// Whether to remove configuration files along with packages.
    #[serde(default)]
    purge: bool,
    /// The release to install from (`apt-get -t`).
    #[schemars(extend("aliases" = ["default-release"]))]
    default_release: Option<String>,
    /// Whether to install recommended packages too; the host's configuration decides if it is missing.
    #[schemars(extend("aliases" = ["install-recommends"]))]
    install_recommends: Option<bool>,
    /// Whether to accept unsigned packages, downgrades, changes to held packages and the removal of essential ones.
    #[serde(default)]
    force: bool,
    /// Whether to install packages whose signature cannot be verified.
    #[schemars(extend("aliases" = ["allow-unauthenticated"]))]
    #[serde(default)]
    allow_unauthenticated: bool,
    /// Whether an older version may replace an installed one.
    #[schemars(extend("aliases" = ["allow-downgrade", "allow_downgrades", "allow-downgrades"]))]
    #[serde(default)]
    allow_downgrade: bool,
    /// Whether to change packages that are on hold.
    #[serde(default)]
    allow_change_held_packages: bool,
    /// How to upgrade all packages: `safe` (or `yes`) removes none, `full` (or `dist`) may.
    #[serde(default)]
    upgrade: Upgrade,
    /// The options for dpkg, separated by commas.
    #[serde(default = "dpkg_options")]
    dpkg_options: String,
    /// The path or URL of a package file to install.
    deb: Option<HostPath>,
    /// Whether to remove dependencies that nothing needs any longer.
    #[serde(default)]
    autoremove: bool,
    /// Whether to remove downloaded package files that can no longer be downloaded.
    #[serde(default)]
    autoclean: bool,
    /// Whether to remove all downloaded package files.
    #[serde(default)]
    clean: bool,
    /// Whether to upgrade packages that are installed, and not to install others.
    #[serde(default)]
    only_upgrade: bool,
    /// Whether to fail if other packages would be removed.
    #[serde(default)]
    fail_on_autoremove: bool,
    /// Accepted for compatibility: apt-get is always used, never aptitude.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    force_apt_get: bool,
    /// Accepted for compatibility: no Python bindings are needed.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    auto_install_module_deps: bool,
    /// The exit status of `policy-rc.d` while packages are installed; 101 keeps services from being started.
    policy_rc_d: Option<i64>,
    /// The number of seconds to wait for another process that has locked dpkg.
    #[serde(default = "defaults::number::<u64, 60>")]
    lock_timeout: u64,
}

fn dpkg_options() -> String {
    "force-confdef,force-confold".into()
}

impl HostModule for Apt {
    const DOC: Doc = Doc {
        name: "apt",
        short: "Manages packages with apt",
        returns: &[
            ("cache_updated", "bool", "Whether the package lists were fetched."),
            ("cache_update_time", "int", "When they were fetched last, in seconds since 1970."),
            ("stdout", "str", "The standard output of apt-get."),
            ("stderr", "str", "The standard error of apt-get."),
            ("msg", "str", "The output of an upgrade, or of `clean`."),
        ],
        examples: "- apt:\n    name: [nginx, openssl=3.*]\n    update_cache: true\n    cache_valid_time: 3600\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        if which("apt-get", context).is_none() {
            return Err(Failure::new("Failed to find required executable \"apt-get\" in paths").with_help(
                "The host does not use apt: use the module for its package manager, or `package`.",
            ));
        }
        let specs: Vec<Spec> =
            self.name.iter().flatten().map(|n| n.trim()).filter(|n| !n.is_empty()).map(Spec::parse).collect();
        if self.clean {
            let output = host.run_ok(&self.program("clean"))?;
            if specs.is_empty() && self.upgrade == Upgrade::No && self.deb.is_none() {
                let outcome = Outcome::changed(true).msg(output.out());
                return Ok(outcome.with("stdout", output.out()).with("stderr", output.err()));
            }
        }
        let outcome = self.update(&host)?;
        let is_all = specs.iter().any(|spec| spec.name == "*") && self.state == State::Latest;
        if is_all && specs.len() > 1 {
            return Err(Failure::new(
                "unable to install additional packages when upgrading all installed packages",
            ));
        }
        if is_all || self.upgrade != Upgrade::No {
            return self.upgrade_all(&host, outcome);
        }
        if let Some(deb) = &self.deb {
            return self.install_file(&host, outcome, deb);
        }
        if !specs.is_empty() {
            return self.packages(&host, outcome, &specs);
        }
        if self.autoclean {
            return self.autoclean(&host, outcome);
        }
        if self.autoremove {
            let purge: Vec<String> = self.purge.then(|| "--purge".to_owned()).into_iter().collect();
            return self.change(&host, outcome, "autoremove", &purge);
        }
        match self.state {
            State::Fixed => self.change(&host, outcome, "install", &["--fix-broken".to_owned()]),
            _ => Ok(outcome),
        }
    }
}

impl Apt {
    /// A call for the module `package`.
    pub(crate) fn of(names: Vec<String>, state: State) -> Apt {
        Apt {
            name: Some(names),
            state,
            dpkg_options: dpkg_options(),
            lock_timeout: 60,
            update_cache_retries: 5,
            update_cache_retry_max_delay: 12,
            ..Apt::default()
        }
    }

    fn program(&self, verb: &str) -> Program {
        let mut program = Program::new(["apt-get", "-y"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DEBIAN_PRIORITY", "critical")
            .env("LC_ALL", "C")
            .env("LANG", "C");
        for option in self.dpkg_options.split(',').map(str::trim).filter(|o| !o.is_empty()) {
            program = program.args(["-o".to_owned(), format!("Dpkg::Options::=--{option}")]);
        }
        program = program.args(["-o".to_owned(), format!("DPkg::Lock::Timeout={}", self.lock_timeout)]);
        if let Some(release) = &self.default_release {
            program = program.args(["-t", release]);
        }
        if let Some(recommends) = self.install_recommends {
            let answer = if recommends { "yes" } else { "no" };
            program = program.args(["-o".to_owned(), format!("APT::Install-Recommends={answer}")]);
        }
        let installs = matches!(verb, "install" | "upgrade" | "dist-upgrade" | "build-dep");
        for (is_wanted, option) in [
            (self.force || self.allow_unauthenticated, "--allow-unauthenticated"),
            (self.force || self.allow_downgrade, "--allow-downgrades"),
            (self.force || self.allow_change_held_packages, "--allow-change-held-packages"),
            (self.force, "--allow-remove-essential"),
            (self.only_upgrade && verb == "install", "--only-upgrade"),
            (self.fail_on_autoremove && installs, "--no-remove"),
            (self.autoremove && installs && verb != "build-dep", "--auto-remove"),
            (verb == "upgrade", "--with-new-pkgs"),
        ] {
            if is_wanted {
                program = program.arg(option);
            }
        }
        program.arg(verb)
    }

    fn upgrade_all(&self, host: &Host, outcome: Outcome) -> Result<Outcome, Failure> {
        let verb = match self.upgrade {
            Upgrade::Dist | Upgrade::Full => "dist-upgrade",
            Upgrade::No | Upgrade::Safe | Upgrade::Yes => "upgrade",
        };
        let outcome = self.change(host, outcome, verb, &[])?;
        let said = outcome.values.get("stdout").cloned().unwrap_or_default();
        Ok(outcome.with("msg", said))
    }

    fn autoclean(&self, host: &Host, mut outcome: Outcome) -> Result<Outcome, Failure> {
        let plan = host.query(&self.program("autoclean").arg("-s"))?;
        let output = if host.check() { plan } else { host.run_ok(&self.program("autoclean"))? };
        outcome.changed |= output.out().lines().any(|line| line.starts_with("Del "));
        Ok(outcome.with("stdout", output.out()).with("stderr", output.err()))
    }

    fn packages(&self, host: &Host, outcome: Outcome, specs: &[Spec]) -> Result<Outcome, Failure> {
        let installed = Installed::read(host)?;
        match self.state {
            State::Absent => {
                let goes =
                    |spec: &&Spec| installed.has(&spec.name) || self.purge && installed.has_left(&spec.name);
                let going = specs.iter().filter(goes).map(|spec| spec.name.clone());
                let mut arguments: Vec<String> =
                    self.purge.then(|| "--purge".to_owned()).into_iter().collect();
                arguments.extend(going);
                if arguments.len() == usize::from(self.purge) && !self.autoremove {
                    return Ok(outcome);
                }
                let verb = if self.autoremove { "autoremove" } else { "remove" };
                self.change(host, outcome, verb, &arguments)
            }
            State::BuildDep => self.change(host, outcome, "build-dep", &Spec::words(specs)),
            State::Present | State::Fixed | State::Latest => {
                let mut wanted = Vec::new();
                for spec in specs {
                    let is_there = installed.satisfies(host, spec)?;
                    let is_skipped = self.only_upgrade && !installed.has(&spec.name);
                    if !is_skipped && (self.state == State::Latest || !is_there) {
                        wanted.push(spec.clone());
                    }
                }
                let outcome = if wanted.is_empty() && self.state != State::Fixed {
                    outcome
                } else {
                    self.install(host, outcome, &wanted)?
                };
                installed::mark_manual(host, specs)?;
                Ok(outcome)
            }
        }
    }

    fn install(&self, host: &Host, outcome: Outcome, wanted: &[Spec]) -> Result<Outcome, Failure> {
        let mut words = Spec::words(wanted);
        if self.state == State::Fixed {
            words.insert(0, "--fix-broken".into());
        }
        let plan = self.plan(host, "install", &words)?;
        for spec in wanted {
            if let Some(least) = &spec.at_least {
                let offered = plan.version_of(&spec.name);
                if !installed::is_at_least(host, offered.as_deref().unwrap_or_default(), least)? {
                    let message = format!("no available installation candidate for {}", spec.written);
                    return Err(Failure::new(message));
                }
            }
        }
        self.carry_out(host, outcome, "install", &words, plan)
    }
}
