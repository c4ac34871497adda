//! `apt`: packages of Debian and its children.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use playbook_api::{Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::errno::Doing;
use crate::host::glob;
use crate::host::http::{Ask, Connect, Redirects};
use crate::host::path::HostPath;
use crate::host::process::{Output, Program, which};
use crate::host::{Host, ended_badly};

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum State {
    Absent,
    /// What is needed to build the packages.
    BuildDep,
    /// Broken packages are repaired.
    Fixed,
    Latest,
    #[default]
    Present,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Upgrade {
    Dist,
    Full,
    #[default]
    No,
    Safe,
    Yes,
}

/// Installs, upgrades and removes packages with apt.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["deb", "package", "upgrade"]]))]
pub struct Apt {
    /// Packages: a name, `name=version`, `name/release`, or a pattern.
    #[schemars(extend("aliases" = ["package", "pkg"]))]
    name: Option<Vec<String>>,
    #[serde(default)]
    state: State,
    /// Fetch the lists of packages first.
    #[schemars(extend("aliases" = ["update-cache"]))]
    update_cache: Option<bool>,
    /// Lists younger than so many seconds need not be fetched.
    #[serde(default)]
    cache_valid_time: u64,
    /// Times that fetching is tried again.
    #[serde(default = "five")]
    update_cache_retries: u64,
    /// Greatest pause between two tries.
    #[serde(default = "twelve")]
    update_cache_retry_max_delay: u64,
    /// Remove configuration too.
    #[serde(default)]
    purge: bool,
    /// Release to install from.
    #[schemars(extend("aliases" = ["default-release"]))]
    default_release: Option<String>,
    /// Whether recommended packages come along.
    #[schemars(extend("aliases" = ["install-recommends"]))]
    install_recommends: Option<bool>,
    /// Do what apt refuses: unsigned, downgrades, essential packages.
    #[serde(default)]
    force: bool,
    /// Accept packages without signature.
    #[schemars(extend("aliases" = ["allow-unauthenticated"]))]
    #[serde(default)]
    allow_unauthenticated: bool,
    /// Accept older versions.
    #[schemars(extend("aliases" = ["allow-downgrade", "allow_downgrades", "allow-downgrades"]))]
    #[serde(default)]
    allow_downgrade: bool,
    /// Change packages that are held.
    #[serde(default)]
    allow_change_held_packages: bool,
    /// Upgrade everything: `safe`, `full` or `dist`.
    #[serde(default)]
    upgrade: Upgrade,
    /// Options for dpkg, with commas between.
    #[serde(default = "dpkg_options")]
    dpkg_options: String,
    /// A package file, or the address of one.
    deb: Option<HostPath>,
    /// Remove packages that nothing needs any more.
    #[serde(default)]
    autoremove: bool,
    /// Remove downloads that are of no use any more.
    #[serde(default)]
    autoclean: bool,
    /// Remove all downloads.
    #[serde(default)]
    clean: bool,
    /// Only packages that are installed already.
    #[serde(default)]
    only_upgrade: bool,
    /// Fail where other packages would be removed.
    #[serde(default)]
    fail_on_autoremove: bool,
    /// apt-get is what is used in any case.
    #[serde(default)]
    #[allow(dead_code, reason = "accepted so that playbooks run as they are")]
    force_apt_get: bool,
    #[serde(default)]
    #[allow(dead_code, reason = "accepted so that playbooks run as they are")]
    auto_install_module_deps: bool,
    /// What `policy-rc.d` answers while packages are installed: 101 keeps services from starting.
    policy_rc_d: Option<i64>,
    /// Seconds to wait for another apt to end.
    #[serde(default = "sixty")]
    lock_timeout: u64,
}

fn five() -> u64 {
    5
}

fn twelve() -> u64 {
    12
}

fn sixty() -> u64 {
    60
}

fn dpkg_options() -> String {
    "force-confdef,force-confold".into()
}

impl HostModule for Apt {
    const DOC: Doc = Doc {
        name: "apt",
        short: "Manages packages with apt",
        returns: &[
            ("cache_updated", "bool", "Whether the lists of packages were fetched."),
            ("cache_update_time", "int", "When they were fetched last."),
            ("stdout", "str", "What apt said."),
            ("stderr", "str", "What apt complained of."),
        ],
        examples: "- apt:\n    name: [nginx, openssl=3.*]\n    update_cache: true\n    cache_valid_time: 3600\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        if which("apt-get", context).is_none() {
            return Err(Failure::new(
                "Failed to find required executable \"apt-get\": the host is no Debian",
            ));
        }
        let mut outcome = self.update(&host)?;
        if self.upgrade != Upgrade::No {
            let verb = if matches!(self.upgrade, Upgrade::Dist | Upgrade::Full) {
                "dist-upgrade"
            } else {
                "upgrade"
            };
            outcome = self.change(&host, outcome, verb, &["--with-new-pkgs".to_owned()])?;
        }
        if let Some(deb) = &self.deb {
            outcome = self.install_file(&host, outcome, deb)?;
        }
        let names: Vec<String> =
            self.name.iter().flatten().map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect();
        if names.iter().any(|n| n == "*") && self.state == State::Latest {
            return self.change(&host, outcome, "upgrade", &[]);
        }
        if let Some(bad) = names.iter().find(|n| n.starts_with('-')) {
            return Err(Failure::new(format!("'{bad}' is no name of a package")));
        }
        if !names.is_empty() {
            outcome = self.packages(&host, outcome, &names)?;
        } else if self.state == State::Fixed {
            outcome = self.change(&host, outcome, "install", &["--fix-broken".to_owned()])?;
        }
        if self.autoremove && names.is_empty() {
            let purge: Vec<String> = self.purge.then(|| "--purge".to_owned()).into_iter().collect();
            outcome = self.change(&host, outcome, "autoremove", &purge)?;
        }
        for (wanted, verb) in [(self.autoclean, "autoclean"), (self.clean, "clean")] {
            if wanted {
                let output = host.run_ok(&self.program(verb))?;
                outcome.changed |= output.out().lines().any(|l| l.starts_with("Del "));
            }
        }
        Ok(outcome)
    }
}

/// A package's name without version and release.
fn bare(name: &str) -> &str {
    name.split(['=', '/']).next().unwrap_or(name)
}

impl Apt {
    /// For the module `package`.
    pub fn of(names: Vec<String>, state: State) -> Apt {
        Apt {
            name: Some(names),
            state,
            dpkg_options: dpkg_options(),
            lock_timeout: sixty(),
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
        match self.install_recommends {
            Some(true) => program = program.args(["-o", "APT::Install-Recommends=yes"]),
            Some(false) => program = program.args(["-o", "APT::Install-Recommends=no"]),
            None => {}
        }
        for (wanted, option) in [
            (self.force || self.allow_unauthenticated, "--allow-unauthenticated"),
            (self.force || self.allow_downgrade, "--allow-downgrades"),
            (self.force || self.allow_change_held_packages, "--allow-change-held-packages"),
            (self.force, "--allow-remove-essential"),
            (self.only_upgrade, "--only-upgrade"),
            (self.fail_on_autoremove, "--no-remove"),
        ] {
            if wanted {
                program = program.arg(option);
            }
        }
        program.arg(verb)
    }

    fn update(&self, host: &Host) -> Result<Outcome, Failure> {
        let wanted = self.update_cache.unwrap_or(self.cache_valid_time > 0);
        let before = cache_time();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut updated = false;
        if wanted && before + self.cache_valid_time <= now {
            let tried = refresh(
                host,
                &self.program("update"),
                self.update_cache_retries,
                self.update_cache_retry_max_delay,
            )?;
            if let Err(why) = tried {
                return Err(Failure::new(format!("Failed to update apt cache: {why}")));
            }
            updated = true;
        }
        let nothing_else = self.name.is_none() && self.deb.is_none() && self.upgrade == Upgrade::No;
        Ok(Outcome::changed(updated && nothing_else)
            .with("cache_updated", updated)
            .with("cache_update_time", cache_time()))
    }

    fn packages(&self, host: &Host, outcome: Outcome, names: &[String]) -> Result<Outcome, Failure> {
        let installed = installed(host)?;
        let is_there = |name: &String| {
            let (package, version) = name.split_once('=').map_or((bare(name), None), |(p, v)| (p, Some(v)));
            installed.iter().any(|(n, v)| {
                let plain = n.split(':').next().unwrap_or(n);
                (glob::matches(package, n) || glob::matches(package, plain))
                    && version.is_none_or(|wanted| glob::matches(wanted, v))
            })
        };
        match self.state {
            State::Absent => {
                let there: Vec<String> = names
                    .iter()
                    .filter(|n| is_there(&bare(n).to_owned()))
                    .map(|n| bare(n).to_owned())
                    .collect();
                if there.is_empty() && !self.autoremove {
                    return Ok(outcome);
                }
                let mut arguments = there;
                if self.purge {
                    arguments.insert(0, "--purge".into());
                }
                let verb = if self.autoremove { "autoremove" } else { "remove" };
                self.change(host, outcome, verb, &arguments)
            }
            State::Present if names.iter().all(is_there) => Ok(outcome),
            State::Present | State::Fixed => {
                let mut arguments: Vec<String> = names.iter().filter(|n| !is_there(n)).cloned().collect();
                if self.only_upgrade {
                    arguments.retain(|n| installed.iter().any(|(i, _)| i == bare(n)));
                    if arguments.is_empty() {
                        return Ok(outcome);
                    }
                }
                self.change(host, outcome, "install", &arguments)
            }
            State::Latest => self.change(host, outcome, "install", names),
            State::BuildDep => self.change(host, outcome, "build-dep", names),
        }
    }

    fn install_file(&self, host: &Host, outcome: Outcome, deb: &HostPath) -> Result<Outcome, Failure> {
        let fetched = deb.0.contains("://").then(|| download(host, &deb.0)).transpose()?;
        let path = fetched.clone().unwrap_or_else(|| deb.resolve(host.context));
        let done = self.install_path(host, outcome, &path);
        if let Some(path) = fetched {
            let _ = Host::new(&Context { check: false, ..host.context.clone() }).remove(&path);
        }
        done
    }

    fn install_path(&self, host: &Host, outcome: Outcome, path: &Path) -> Result<Outcome, Failure> {
        let shown = path.display().to_string();
        let fields =
            host.query(&Program::new(["dpkg-deb", "-W", "--showformat=${Package}\t${Version}", &shown]))?;
        let said = fields.out();
        let (name, version) = said
            .split_once('\t')
            .filter(|_| fields.success())
            .ok_or_else(|| Failure::new(format!("Unable to install package: {}", fields.err().trim())))?;
        let there = installed(host)?.iter().any(|(n, v)| n.split(':').next() == Some(name) && v == version);
        let path = if shown.starts_with('/') { shown } else { format!("./{shown}") };
        if there { Ok(outcome) } else { self.change(host, outcome, "install", &[path]) }
    }

    /// Asks apt what it would do; does it, unless that is nothing or check mode is on.
    fn change(
        &self,
        host: &Host,
        mut outcome: Outcome,
        verb: &str,
        arguments: &[String],
    ) -> Result<Outcome, Failure> {
        let program = self.program(verb).args(arguments.to_vec());
        let plan = host.query(&program.clone().arg("-s"))?;
        if !plan.success() {
            return Err(self.failed(&program, &plan, arguments));
        }
        let said = plan.out();
        let steps: Vec<&str> =
            said.lines().filter(|l| ["Inst ", "Remv ", "Purg "].iter().any(|s| l.starts_with(s))).collect();
        if steps.is_empty() {
            return Ok(outcome);
        }
        outcome.changed = true;
        if host.context.diff {
            outcome.diff.push(Diff { prepared: Some(steps.join("\n") + "\n"), ..Diff::default() });
        }
        let policy = Policy::set(self.policy_rc_d, host)?;
        let output = host.run(&program)?;
        policy.restore(host)?;
        if !output.success() {
            return Err(self.failed(&program, &output, arguments));
        }
        let said = if host.check() { plan } else { output };
        Ok(outcome.with("stdout", said.out()).with("stderr", said.err()))
    }

    fn failed(&self, program: &Program, output: &Output, arguments: &[String]) -> Failure {
        let unknown =
            output.err().lines().find_map(|l| l.split("Unable to locate package ").nth(1).map(str::to_owned));
        match unknown {
            Some(name) => Failure::new(format!("No package matching '{name}' is available"))
                .with_help("is the list of packages fetched? update_cache: true does that"),
            None => {
                let mut failure = ended_badly(program, output);
                failure.error = playbook_api::Error::new(format!(
                    "'apt-get {}' failed: {}",
                    arguments.join(" "),
                    output.err().trim()
                ));
                failure
            }
        }
    }
}

/// Fetches the lists of packages, several times if need be. Says what apt complained of in the end.
pub fn refresh(
    host: &Host,
    program: &Program,
    retries: u64,
    longest_pause: u64,
) -> Result<Result<(), String>, Failure> {
    let mut pause = 1;
    for tried in 0.. {
        let output = host.run(program)?;
        if output.success() {
            break;
        }
        if tried >= retries {
            return Ok(Err(output.err().trim().to_owned()));
        }
        std::thread::sleep(Duration::from_secs(pause));
        pause = (pause * 2).min(longest_pause.max(1));
    }
    Ok(Ok(()))
}

/// Gets a package file, in check mode too: what it holds must be looked into.
fn download(host: &Host, address: &str) -> Result<PathBuf, Failure> {
    let context = Context { check: false, ..host.context.clone() };
    let ask = Ask { method: "GET".into(), redirects: Redirects::All, ..Ask::default() };
    let mut answer = Connect::plain(address, true).ask(ask, &context)?;
    if !answer.is_success() {
        return Err(Failure::new(format!("Failure downloading {address}, {}", answer.summary())));
    }
    let (host, folder) = (Host::new(&context), std::env::temp_dir());
    let path = host
        .create_temporary(&folder, "ansible.", ".deb", false)
        .doing("could not make a temporary file", &folder)?;
    host.fill(&path, &mut answer.reader).doing("could not download", &path)?;
    Ok(path)
}

/// When the lists of packages were fetched last.
fn cache_time() -> u64 {
    let files = ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"];
    let time = |path: &str| {
        std::fs::metadata(Path::new(path)).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()
    };
    files.iter().find_map(|p| time(p)).map_or(0, |t| t.as_secs())
}

/// Name and version of everything that is installed.
fn installed(host: &Host) -> Result<Vec<(String, String)>, Failure> {
    let format = "${db:Status-Abbrev}\t${Package}\t${Architecture}\t${Version}\n";
    let output = host.query(&Program::new(["dpkg-query", "-W", "-f", format]))?;
    let line = |l: &str| -> Option<(String, String)> {
        let fields: Vec<&str> = l.split('\t').collect();
        let [status, name, arch, version] = fields.as_slice() else { return None };
        (status.get(1..2) == Some("i")).then(|| (format!("{name}:{arch}"), (*version).to_owned()))
    };
    Ok(output.out().lines().filter_map(line).collect())
}

/// `policy-rc.d` for the time of one installation.
struct Policy {
    before: Option<Option<Vec<u8>>>,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl Policy {
    fn set(answer: Option<i64>, host: &Host) -> Result<Policy, Failure> {
        let Some(answer) = answer else { return Ok(Policy { before: None }) };
        let before = std::fs::read(POLICY).ok();
        let text = format!("#!/bin/sh\nexit {answer}\n");
        let how = crate::host::Replace { mode: Some(0o755), ..Default::default() };
        host.write(Path::new(POLICY), text.as_bytes(), &how)?;
        Ok(Policy { before: Some(before) })
    }

    fn restore(self, host: &Host) -> Result<(), Failure> {
        match self.before {
            Some(Some(text)) => host.write(Path::new(POLICY), &text, &Default::default()),
            Some(None) => Ok(host.remove(Path::new(POLICY))?),
            None => Ok(()),
        }
    }
}
