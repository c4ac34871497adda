//! `systemd` and `systemd_service`: the state of systemd's units.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::facts::software::is_chroot;
use crate::host::Host;
use crate::host::environment::variable;
use crate::host::process::{Output, Program, which};
use crate::modules::service::sysv;

/// The state that a service is to have.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum State {
    /// Running, with its configuration read again.
    Reloaded,
    /// Running, stopped and started again.
    Restarted,
    /// Running.
    Started,
    /// Not running.
    Stopped,
}

impl State {
    /// Returns the verb for a service that does or does not run, or `None` if there is nothing to do.
    pub(crate) fn verb(self, running: bool) -> Option<&'static str> {
        match (self, running) {
            (State::Started, true) | (State::Stopped, false) => None,
            (State::Started | State::Reloaded, false) => Some("start"),
            (State::Stopped, true) => Some("stop"),
            (State::Reloaded, true) => Some("reload"),
            (State::Restarted, _) => Some("restart"),
        }
    }

    /// The state that a result names.
    pub(crate) fn name(self) -> &'static str {
        if self == State::Stopped { "stopped" } else { "started" }
    }
}

/// The systemd manager whose units are meant.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Scope {
    /// The system's manager.
    #[default]
    System,
    /// The manager of the user that the task runs as.
    User,
    /// The managers of all users.
    Global,
}

/// The arguments that `service` passes to systemd in addition to its own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Manager {
    /// Whether the unit is masked, so that it cannot be started at all.
    pub(crate) masked: Option<bool>,
    /// Whether to replace existing links when a unit is enabled (`systemctl --force`).
    #[serde(default)]
    pub(crate) force: bool,
    /// Whether systemd reads its unit files again before anything else is done.
    #[schemars(extend("aliases" = ["daemon-reload"]))]
    #[serde(default)]
    pub(crate) daemon_reload: bool,
    /// Whether systemd executes itself again before anything else is done.
    #[schemars(extend("aliases" = ["daemon-reexec"]))]
    #[serde(default)]
    pub(crate) daemon_reexec: bool,
    /// Which systemd manager: system, user or global.
    #[serde(default)]
    pub(crate) scope: Scope,
    /// Whether to return before the unit has been started or stopped.
    #[serde(default)]
    pub(crate) no_block: bool,
}

/// Starts, stops, enables and masks systemd's units. With a name alone it only returns the unit's `status`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend(
    "required_by" = [["state", ["name"]], ["enabled", ["name"]], ["masked", ["name"]]],
))]
pub(crate) struct Systemd {
    /// The name of the unit. Without a suffix it is a service.
    #[schemars(extend("aliases" = ["service", "unit"]))]
    pub(crate) name: Option<String>,
    /// The state of the unit. `started` and `stopped` only act if they have to; `restarted` and `reloaded` always do.
    pub(crate) state: Option<State>,
    /// Whether the unit starts with the system.
    pub(crate) enabled: Option<bool>,
    #[serde(flatten)]
    pub(crate) manager: Manager,
}

/// What the modules for services return.
pub(crate) const RETURNS: &[(&str, &str, &str)] = &[
    ("name", "str", "The name of the service."),
    ("state", "str", "The state that was asked for."),
    ("enabled", "bool", "Whether the service starts with the system now."),
    ("status", "dict", "The unit's properties, as `systemctl show` lists them."),
];

impl HostModule for Systemd {
    const DOC: Doc = Doc {
        name: "systemd_service",
        aliases: &["systemd", "ansible.builtin.systemd", "ansible.legacy.systemd"],
        short: "Manages systemd's units",
        returns: RETURNS,
        examples: "- systemd_service:\n    name: httpd\n    state: started\n    enabled: true\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        if let Some(name) = &self.name
            && let Some(pattern) = ["*", "?", "["].iter().find(|p| name.contains(**p))
        {
            let message = "This module does not currently support using glob patterns, found";
            return Err(Failure::new(format!("{message} '{pattern}' in service name: {name}")));
        }
        if which("systemctl", context).is_none() {
            return Err(Failure::new("Failed to find required executable \"systemctl\" in paths")
                .with_help("Use `service` or `sysvinit` on a host without systemd."));
        }
        let mut outcome = Outcome::default();
        let manager = &self.manager;
        for (wanted, verb) in
            [(manager.daemon_reload, "daemon-reload"), (manager.daemon_reexec, "daemon-reexec")]
        {
            if wanted {
                outcome = self.manage(&host, verb, outcome)?;
            }
        }
        match self.name.as_deref() {
            None => Ok(outcome.with("name", Value::Null).with("status", Value::map())),
            Some("") => Ok(outcome.with("name", "").with("status", Value::map())),
            Some(name) => self.unit(&host, name, outcome),
        }
    }
}

/// Returns whether systemd is not reachable for an expected reason: in a chroot, or if it is set to be offline.
fn is_offline(context: &Context) -> bool {
    is_chroot() || variable("SYSTEMD_OFFLINE", context).as_deref() == Some("1")
}

/// The properties of a unit.
#[derive(Default)]
struct Unit {
    status: Map,
    is_systemd: bool,
    is_script: bool,
}

impl Unit {
    fn get(&self, name: &str) -> Option<&str> {
        self.status.get(name).and_then(Value::as_str)
    }

    fn is_found(&self) -> bool {
        self.is_systemd || self.is_script
    }
}

impl Systemd {
    fn program(&self, context: &Context) -> Program {
        let mut program = Program::new(["systemctl"]);
        if variable("XDG_RUNTIME_DIR", context).is_none() {
            program = program.env("XDG_RUNTIME_DIR", format!("/run/user/{}", nix::unistd::geteuid()));
        }
        let program = match self.manager.scope {
            Scope::System => program,
            Scope::User => program.arg("--user"),
            Scope::Global => program.arg("--global"),
        };
        let program = if self.manager.no_block { program.arg("--no-block") } else { program };
        if self.manager.force { program.arg("--force") } else { program }
    }

    fn ask(&self, host: &Host, words: &[&str]) -> Result<Output, Failure> {
        host.query(&self.program(host.context).args(words.iter().copied()))
    }

    /// Runs a command of the manager.
    fn manage(&self, host: &Host, verb: &str, outcome: Outcome) -> Result<Outcome, Failure> {
        let output = host.run(&self.program(host.context).arg(verb))?;
        if output.success() {
            return Ok(outcome);
        }
        let (rc, stderr) = (output.rc, output.err());
        if !is_offline(host.context) {
            return Err(Failure::new(format!("failure {rc} during {verb}: {stderr}")));
        }
        Ok(outcome.warn(format!(
            "{verb} failed, but target is a chroot or systemd is offline. Continuing. Error was: {rc} / {stderr}"
        )))
    }

    fn act(&self, host: &Host, verb: &str, unit: &str) -> Result<(), Failure> {
        let output = host.run(&self.program(host.context).args([verb, unit]))?;
        if output.success() {
            return Ok(());
        }
        let said = match verb {
            "enable" | "disable" => output.out() + &output.err(),
            _ => output.err(),
        };
        Err(Failure::new(format!("Unable to {verb} service {unit}: {said}")))
    }

    fn unit(&self, host: &Host, name: &str, mut outcome: Outcome) -> Result<Outcome, Failure> {
        let unit = self.look(host, name)?;
        if unit.is_script && !unit.is_systemd {
            outcome = outcome.warn(format!(
                "The service ({name}) is actually an init script but the system is managed by systemd"
            ));
        }
        let found = || match unit.is_found() {
            true => Ok(()),
            false => Err(Failure::new(format!("Could not find the requested service {name}: host"))),
        };
        outcome = outcome.with("name", name).with("status", unit.status.clone());
        if let Some(masked) = self.manager.masked {
            let now = self.ask(host, &["is-enabled", name])?.out().trim() == "masked";
            if now != masked {
                outcome.changed = true;
                let verb = if masked { "mask" } else { "unmask" };
                let output = host.run(&self.program(host.context).args([verb, name]))?;
                if !output.success() {
                    found()?;
                    let message = format!("Failed to {verb} the service ({name}): {}", output.err().trim());
                    return Err(Failure::new(message));
                }
            }
        }
        if let Some(enabled) = self.enabled {
            found()?;
            if self.is_enabled(host, name, &unit)? != enabled {
                outcome.changed = true;
                self.act(host, if enabled { "enable" } else { "disable" }, name)?;
            }
            outcome = outcome.with("enabled", enabled);
        }
        let Some(state) = self.state else { return Ok(outcome) };
        found()?;
        outcome = outcome.with("state", state.name());
        let Some(active) = unit.get("ActiveState") else {
            if is_offline(host.context) {
                return Ok(outcome.warn(
                    "Target is a chroot or systemd is offline. This can lead to false positives or prevent \
                     the init system tools from working.",
                ));
            }
            return Err(Failure::new("Service is in unknown state").with("status", unit.status));
        };
        let running = match state {
            State::Stopped => matches!(active, "active" | "activating" | "reloading" | "deactivating"),
            _ => matches!(active, "active" | "activating" | "reloading"),
        };
        // Systemd knows no difference between starting a unit and restarting one that does not run.
        let verb = if state == State::Restarted && !running { Some("start") } else { state.verb(running) };
        if let Some(verb) = verb {
            outcome.changed = true;
            self.act(host, verb, name)?;
        }
        Ok(outcome)
    }

    /// Queries a unit's properties, or, if systemd cannot return them, whether its file exists.
    fn look(&self, host: &Host, name: &str) -> Result<Unit, Failure> {
        let mut unit = Unit { is_script: sysv::exists(name), ..Unit::default() };
        let shown = self.ask(host, &["show", name])?;
        let (out, err) = (shown.out(), shown.err());
        if shown.success() && !is_ignored(&out) && !is_ignored(&err) {
            unit.status = properties(&out);
            unit.is_systemd = unit.get("LoadState").is_some_and(|state| state != "not-found");
            let is_masked = unit.get("LoadState") == Some("masked");
            if let Some(reason) = unit.get("LoadError").filter(|_| unit.is_systemd && !is_masked) {
                return Err(Failure::new(format!("Error loading unit file '{name}': {reason}")));
            }
            return Ok(unit);
        }
        let known = [
            "enabled",
            "enabled-runtime",
            "linked",
            "linked-runtime",
            "masked",
            "masked-runtime",
            "static",
            "indirect",
            "disabled",
            "generated",
            "transient",
        ];
        let said = self.ask(host, &["is-enabled", name])?.out();
        unit.is_systemd =
            known.contains(&said.trim()) || self.ask(host, &["list-unit-files", name])?.success();
        if !unit.is_systemd {
            // If systemd does not respond, its own message has the reason.
            let program = self.program(host.context);
            let path = which("systemctl", host.context).unwrap_or_default().display().to_string();
            let words = [path].into_iter().chain(program.argv().iter().skip(1).map(|word| word.to_string()));
            let command = words.collect::<Vec<_>>().join(" ");
            let output = host.query(&program)?;
            if !output.success() {
                return Err(Failure::new(output.err().trim().to_owned())
                    .with("rc", output.rc)
                    .with("cmd", command)
                    .with("stdout", output.out())
                    .with("stderr", output.err()));
            }
        }
        Ok(unit)
    }

    fn is_enabled(&self, host: &Host, name: &str, unit: &Unit) -> Result<bool, Failure> {
        let output = self.ask(host, &["is-enabled", name, "-l"])?;
        let said = output.out();
        Ok(match output.rc {
            // These three are enabled only partially: for this boot, through another unit, or under another name.
            0 => !matches!(said.trim_end(), "enabled-runtime" | "indirect" | "alias"),
            1 => {
                self.manager.scope == Scope::System
                    && unit.is_script
                    && !said.trim().ends_with("disabled")
                    && sysv::is_enabled(name)
            }
            _ => false,
        })
    }
}

/// Whether systemctl did not pass a request on, as in a chroot.
fn is_ignored(said: &str) -> bool {
    !said.contains('=') && (said.contains("ignoring request") || said.contains("ignoring command"))
}

/// Reads what `systemctl show` prints. Only the values of commands to execute go over several lines.
fn properties(text: &str) -> Map {
    let mut found = Map::default();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        if let Some((name, mut value)) = open.take() {
            value = value + "\n" + line;
            if line.trim_end().ends_with('}') {
                found.insert(name.into(), value.trim().into());
            } else {
                open = Some((name, value));
            }
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let is_block = name.starts_with("Exec") && value.trim_start().starts_with('{');
        if is_block && !value.trim_end().ends_with('}') {
            open = Some((name, value.to_owned()));
        } else {
            found.insert(name.into(), value.trim().into());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_as_systemctl_prints_them() {
        let text =
            "Id=a.service\nDescription={ a\nExecStart={ path=/bin/a ; argv[]=a\nb }\nLoadState=loaded\n";
        let found = properties(text);
        assert_eq!(found.get("ExecStart"), Some(&"{ path=/bin/a ; argv[]=a\nb }".into()));
        assert_eq!(found.get("Description"), Some(&"{ a".into()));
        assert_eq!((found.len(), found.get("LoadState")), (4, Some(&"loaded".into())));
    }

    #[test]
    fn ignored_requests_are_told_from_answers() {
        assert!(is_ignored("Running in chroot, ignoring request.\n"));
        assert!(is_ignored("Running in chroot, ignoring command 'show'\n"));
        assert!(!is_ignored("Description=ignoring request\n"));
    }
}
