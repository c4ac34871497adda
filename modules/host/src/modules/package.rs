//! `package`: packages, with the host's own package manager.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::process::{Program, which};
use crate::modules::apt::{self, Apt};

/// Installs and removes packages with the host's own manager.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Package {
    /// The names of the packages.
    #[schemars(extend("aliases" = ["pkg"]))]
    name: Vec<String>,
    /// The state of the packages: `present`, `absent` or `latest`.
    #[schemars(extend("enum" = ["present", "installed", "latest", "absent", "removed"]))]
    #[serde(default = "present")]
    state: String,
    /// The package manager to use; detected by default.
    #[serde(rename = "use", default = "auto")]
    manager: String,
}

fn present() -> String {
    "present".into()
}

fn auto() -> String {
    "auto".into()
}

impl HostModule for Package {
    const DOC: Doc = Doc {
        name: "package",
        short: "Manages packages, whatever the manager",
        returns: &[("stdout", "str", "What the manager said.")],
        examples: "- package:\n    name: ntpdate\n    state: present\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let known = [
            ("apt", "apt-get"),
            ("dnf5", "dnf5"),
            ("dnf", "dnf"),
            ("yum", "yum"),
            ("zypper", "zypper"),
            ("apk", "apk"),
            ("pacman", "pacman"),
        ];
        let wanted = self.manager.rsplit('.').next().unwrap_or("auto").to_owned();
        let manager = match wanted.as_str() {
            "auto" => {
                known.iter().find(|(_, program)| which(program, context).is_some()).map(|(name, _)| *name)
            }
            other => match known.iter().find(|(name, _)| *name == other) {
                Some((name, _)) => Some(*name),
                None => {
                    let message =
                        format!("Could not find a matching action for the \"{other}\" package manager.");
                    return Err(Failure::new(message)
                        .with_help("Set `use` to apt, dnf, dnf5, yum, zypper, apk or pacman."));
                }
            },
        };
        let Some(manager) = manager else {
            return Err(Failure::new(
                "Could not detect which package manager to use. Try gathering facts or setting the \"use\" option.",
            ));
        };
        let absent = matches!(self.state.as_str(), "absent" | "removed");
        if manager == "apt" {
            let state = match (absent, self.state.as_str()) {
                (true, _) => apt::State::Absent,
                (_, "latest") => apt::State::Latest,
                _ => apt::State::Present,
            };
            return Apt::of(self.name, state).run(context);
        }
        self.other(&host, manager, absent)
    }
}

impl Package {
    fn other(&self, host: &Host, manager: &str, absent: bool) -> Result<Outcome, Failure> {
        let query: &[&str] = match manager {
            "apk" => &["apk", "info", "-e"],
            "pacman" => &["pacman", "-Q"],
            _ => &["rpm", "-q", "--whatprovides"],
        };
        let mut todo = Vec::new();
        for name in &self.name {
            let there = host.query(&Program::new(query.iter().copied()).arg(name))?.success();
            if there == absent || self.state == "latest" {
                todo.push(name.clone());
            }
        }
        if todo.is_empty() {
            return Ok(Outcome::default());
        }
        let words: &[&str] = match (manager, absent) {
            ("apk", true) => &["apk", "del"],
            ("apk", false) => &["apk", "add", "-u"],
            ("pacman", true) => &["pacman", "-R", "--noconfirm"],
            ("pacman", false) => &["pacman", "-S", "--needed", "--noconfirm"],
            ("zypper", true) => &["zypper", "-n", "remove"],
            ("zypper", false) => &["zypper", "-n", "install"],
            (_, true) => &[manager, "-y", "remove"],
            (_, false) if self.state == "latest" => &[manager, "-y", "upgrade"],
            (_, false) => &[manager, "-y", "install"],
        };
        let output = host.run_ok(&Program::new(words.iter().copied()).args(todo))?;
        let said = output.out();
        let idle = ["Nothing to do", "there is nothing to do"].iter().any(|t| said.contains(t));
        Ok(Outcome::changed(!idle).with("stdout", said).with("stderr", output.err()))
    }
}
