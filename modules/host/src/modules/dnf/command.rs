//! The command lines of dnf 4 and dnf 5.

use playbook_api::{Context, Failure};

use super::Dnf;
use crate::host::process::{Program, which};

/// The program that manages packages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Manager(&'static str);

impl Manager {
    /// Finds the program that a task asks for, or the newest one.
    pub(super) fn find(wanted: &str, context: &Context) -> Result<Manager, Failure> {
        let candidates: &[&str] = match wanted {
            "dnf5" => &["dnf5"],
            "dnf4" | "yum4" => &["dnf-3", "dnf4", "dnf", "yum"],
            "yum" => &["yum", "dnf5", "dnf"],
            _ => &["dnf5", "dnf", "yum"],
        };
        let found = candidates.iter().find(|name| which(name, context).is_some());
        found.map(|name| Manager(name)).ok_or_else(|| {
            Failure::new("Failed to find required executable \"dnf\" in paths").with_help(
                "This module works on Fedora, Red Hat Enterprise Linux and their derivatives only.",
            )
        })
    }

    pub(super) fn is_five(self) -> bool {
        self.0 == "dnf5"
    }
}

/// The action of dnf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verb {
    Autoremove,
    Install,
    Makecache,
    Remove,
    Upgrade,
    Repoquery,
    Repolist,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Verb::Autoremove => "autoremove",
            Verb::Install => "install",
            Verb::Makecache => "makecache",
            Verb::Remove => "remove",
            Verb::Upgrade => "upgrade",
            Verb::Repoquery => "repoquery",
            Verb::Repolist => "repolist",
        }
    }
}

/// One run of dnf.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) verb: Verb,
    pub(super) words: Vec<String>,
}

impl Step {
    pub(super) fn new(verb: Verb) -> Step {
        Step { verb, words: Vec::new() }
    }
}

impl Dnf {
    /// The command line of a step. dnf 5 requires the options of a verb after the verb.
    pub(super) fn program(&self, manager: Manager, step: &Step) -> Program {
        let mut words = self.options(manager);
        words.push(step.verb.name().to_owned());
        words.extend(self.verb_options(manager, step.verb));
        words.extend(step.words.clone());
        Program::new([manager.0]).args(words).env("LC_ALL", "C.UTF-8").env("COLUMNS", "300")
    }

    fn options(&self, manager: Manager) -> Vec<String> {
        let five = manager.is_five();
        let mut words = Vec::new();
        let mut each = |option: &str, values: &[String]| {
            words.extend(values.iter().map(|value| format!("{option}={value}")));
        };
        each("--enablerepo", &self.enablerepo);
        each("--disablerepo", &self.disablerepo);
        each("--exclude", &self.exclude);
        each(if five { "--enable-plugin" } else { "--enableplugin" }, &self.enable_plugin);
        each(if five { "--disable-plugin" } else { "--disableplugin" }, &self.disable_plugin);
        let mut one = |option: &str, value: Option<&String>| {
            words.extend(value.map(|value| format!("{option}={value}")));
        };
        one("--config", self.conf_file.as_ref());
        one("--releasever", self.releasever.as_ref());
        one("--installroot", self.installroot.as_ref().filter(|root| *root != "/"));
        one("--setopt=destdir", self.download_dir.as_ref());
        let excludes = self.disable_excludes.as_ref();
        match five {
            true => {
                let all = "*".to_owned();
                one("--setopt=disable_excludes", excludes.map(|e| if e == "all" { &all } else { e }));
            }
            false => one("--disableexcludes", excludes),
        }
        let best = self.nobest.map(|nobest| !nobest).or(self.best);
        for (name, value) in [
            ("best", best),
            ("install_weak_deps", Some(self.install_weak_deps)),
            ("clean_requirements_on_remove", Some(self.autoremove)),
            ("sslverify", (!self.sslverify || !self.validate_certs).then_some(false)),
        ] {
            words.extend(
                value.map(|is_on| format!("--setopt={name}={}", if is_on { "True" } else { "False" })),
            );
        }
        for (is_wanted, option) in [(self.disable_gpg_check, "--nogpgcheck"), (self.cacheonly, "--cacheonly")]
        {
            words.extend(is_wanted.then(|| option.to_owned()));
        }
        words
    }

    fn verb_options(&self, manager: Manager, verb: Verb) -> Vec<String> {
        let changes = matches!(verb, Verb::Install | Verb::Upgrade);
        let options = [
            (verb == Verb::Makecache, "--refresh"),
            (changes && self.allowerasing, "--allowerasing"),
            (changes && self.skip_broken, "--skip-broken"),
            (changes && self.download_only, "--downloadonly"),
            (changes && self.security, "--security"),
            (changes && self.bugfix, "--bugfix"),
            (verb == Verb::Install && self.allow_downgrade && manager.is_five(), "--allow-downgrade"),
        ];
        options.iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, option)| (*option).to_owned()).collect()
    }
}
