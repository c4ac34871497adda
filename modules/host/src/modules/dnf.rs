//! `dnf` and `yum`: packages of Red Hat's family.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::process::{Program, which};

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    Absent,
    Removed,
    Latest,
    Installed,
    #[default]
    Present,
}

/// Installs, upgrades and removes packages with dnf.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Dnf {
    /// Packages: names, files or addresses; `*` with `latest` is everything.
    #[schemars(extend("aliases" = ["pkg"]))]
    #[serde(default)]
    name: Vec<String>,
    #[serde(default)]
    state: State,
    /// Repositories to use beside those that are on.
    #[serde(default)]
    enablerepo: Vec<String>,
    /// Repositories not to use.
    #[serde(default)]
    disablerepo: Vec<String>,
    /// Packages to leave out.
    #[serde(default)]
    exclude: Vec<String>,
    /// Fetch the lists of packages first.
    #[schemars(extend("aliases" = ["expire-cache"]))]
    #[serde(default)]
    update_cache: bool,
    /// Only packages that are installed already.
    #[serde(default)]
    update_only: bool,
    /// Accept packages without a good signature.
    #[serde(default)]
    disable_gpg_check: bool,
    /// Remove packages that nothing needs any more.
    #[serde(default)]
    autoremove: bool,
    /// Accept older versions.
    #[serde(default)]
    allow_downgrade: bool,
    /// Let others go where they are in the way.
    #[serde(default)]
    allowerasing: bool,
    /// Leave out what cannot be installed.
    #[serde(default)]
    skip_broken: bool,
    /// The release to take packages from.
    releasever: Option<String>,
    /// Another root than `/`.
    installroot: Option<String>,
    /// Whether weak dependencies come along.
    install_weak_deps: Option<bool>,
}

impl HostModule for Dnf {
    const DOC: Doc = Doc {
        name: "dnf",
        aliases: &["yum", "dnf5", "ansible.builtin.yum", "ansible.builtin.dnf5"],
        short: "Manages packages with dnf",
        returns: &[("results", "list", "What dnf said."), ("rc", "int", "Its code.")],
        examples: "- dnf:\n    name: [httpd, '@Development tools']\n    state: present\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let manager = ["dnf5", "dnf", "yum"].into_iter().find(|m| which(m, context).is_some());
        let manager = manager.ok_or_else(|| {
            Failure::new("Failed to find required executable \"dnf\": the host is not of Red Hat's family")
        })?;
        if self.update_cache {
            host.run_ok(&self.program(manager, "makecache"))?;
        }
        let absent = matches!(self.state, State::Absent | State::Removed);
        let mut todo = Vec::new();
        for name in &self.name {
            let there = host.query(&Program::new(["rpm", "-q", "--whatprovides", name]))?.success();
            if there == absent || self.state == State::Latest {
                todo.push(name.clone());
            }
        }
        let all = self.state == State::Latest && self.name.iter().any(|n| n == "*");
        let verb = match (absent, self.state) {
            (true, _) if self.autoremove => "autoremove",
            (true, _) => "remove",
            _ if all || self.update_only => "upgrade",
            _ => "install",
        };
        if todo.is_empty() && !(self.autoremove && self.name.is_empty()) {
            return Ok(Outcome::default().with("rc", 0).with("results", Vec::<String>::new()));
        }
        let verb = if self.name.is_empty() { "autoremove" } else { verb };
        let words = if all { Vec::new() } else { todo };
        if context.check {
            // 1: dnf asks and is told no, so there would be something to do.
            let plan = host.query(&self.program(manager, verb).args(words).arg("--assumeno"))?;
            return Ok(Outcome::changed(!idle(&plan.out())).with("rc", 0).with("results", vec![plan.out()]));
        }
        let output = host.run_ok(&self.program(manager, verb).args(words).arg("-y"))?;
        Ok(Outcome::changed(!idle(&output.out())).with("rc", output.rc).with("results", vec![output.out()]))
    }
}

fn idle(said: &str) -> bool {
    ["Nothing to do", "nothing to do"].iter().any(|t| said.contains(t))
}

impl Dnf {
    fn program(&self, manager: &str, verb: &str) -> Program {
        let mut program = Program::new([manager]).env("LC_ALL", "C");
        program = program.args(self.enablerepo.iter().map(|r| format!("--enablerepo={r}")));
        program = program.args(self.disablerepo.iter().map(|r| format!("--disablerepo={r}")));
        program = program.args(self.exclude.iter().map(|e| format!("--exclude={e}")));
        program = program.args(self.releasever.iter().map(|r| format!("--releasever={r}")));
        program = program.args(self.installroot.iter().map(|r| format!("--installroot={r}")));
        program = program.args(
            self.install_weak_deps
                .map(|w| format!("--setopt=install_weak_deps={}", if w { "True" } else { "False" })),
        );
        for (wanted, option) in [
            (self.disable_gpg_check, "--nogpgcheck"),
            (self.allowerasing, "--allowerasing"),
            (self.skip_broken, "--skip-broken"),
            (self.allow_downgrade && manager == "dnf5", "--allow-downgrade"),
        ] {
            if wanted {
                program = program.arg(option);
            }
        }
        program.arg(verb)
    }
}
