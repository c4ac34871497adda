//! `hostname`: the name of the system, now and after a restart.

use std::path::Path;

use playbook_api::{Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Map, Outcome, map};

use crate::host::errno::Doing;
use crate::host::process::{Program, which};
use crate::host::{Host, Replace};

/// How the name is set. Without it, systemd where it runs, and otherwise a file.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Use {
    Alpine,
    Debian,
    Freebsd,
    Generic,
    Macos,
    Macosx,
    Darwin,
    Openbsd,
    Openrc,
    Redhat,
    Sles,
    Solaris,
    Systemd,
}

/// Names the system, for now and for the next start.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Hostname {
    /// The name of the host.
    name: String,
    /// The way to set the name; detected by default.
    #[serde(rename = "use")]
    way: Option<Use>,
}

impl HostModule for Hostname {
    const DOC: Doc = Doc {
        name: "hostname",
        short: "Names the system",
        returns: &[("name", "str", "The name."), ("ansible_facts", "dict", "The facts that follow from it.")],
        examples: "- hostname:\n    name: web01\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if self.name.is_empty() || self.name.len() > 253 || !self.name.chars().all(valid) {
            return Err(Failure::new(format!("'{}' is not a valid host name", self.name))
                .with_help("use letters, digits, '-' and '.'"));
        }
        let current =
            nix::unistd::gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let (file, text) = match self.way {
            Some(Use::Openrc) => ("/etc/conf.d/hostname", format!("hostname=\"{}\"\n", self.name)),
            Some(Use::Redhat) => ("/etc/sysconfig/network", String::new()),
            Some(Use::Sles) => ("/etc/HOSTNAME", format!("{}\n", self.name)),
            Some(Use::Freebsd | Use::Macos | Use::Macosx | Use::Darwin | Use::Openbsd | Use::Solaris) => {
                return Err(Failure::new("only Linux is supported").with_help("leave out `use`"));
            }
            _ => ("/etc/hostname", format!("{}\n", self.name)),
        };
        let kept = std::fs::read_to_string(file).unwrap_or_default();
        let permanent = kept
            .lines()
            .map(|l| l.trim().trim_start_matches("hostname=").trim_matches('"'))
            .find(|l| !l.is_empty() && !l.starts_with('#'))
            .unwrap_or_default()
            .to_owned();
        let kept_differs = !text.is_empty() && permanent != self.name;
        let changed = current != self.name || kept_differs;
        if changed {
            let systemd =
                Path::new("/run/systemd/system").exists() && which("hostnamectl", context).is_some();
            if systemd && matches!(self.way, None | Some(Use::Systemd)) {
                host.run_ok(&Program::new(["hostnamectl", "set-hostname", &self.name]))?;
            } else {
                if kept_differs {
                    host.write(
                        Path::new(file),
                        text.as_bytes(),
                        &Replace { unsafe_writes: true, ..Replace::default() },
                    )?;
                }
                if current != self.name {
                    host.set_hostname(&self.name)
                        .doing("could not set the name of the running system", file)?;
                }
            }
        }
        let short = self.name.split('.').next().unwrap_or_default();
        let domain = self.name.split_once('.').map_or("", |(_, domain)| domain);
        let facts: Map = map! {
            "ansible_hostname" => short,
            "ansible_nodename" => self.name.as_str(),
            "ansible_fqdn" => self.name.as_str(),
            "ansible_domain" => domain,
        };
        let mut outcome = Outcome { changed, facts, ..Outcome::default() }.with("name", self.name.as_str());
        if changed && context.diff {
            outcome
                .diff
                .push(Diff::text(format!("hostname = {current}\n"), format!("hostname = {}\n", self.name)));
        }
        Ok(outcome)
    }
}
