//! `service`: the state of a service, with the host's own service manager.

pub(crate) mod sysv;

use std::time::Duration;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::facts::software::is_manager;
use crate::host::Host;
use crate::host::process::{Program, which};
use crate::modules::systemd::{self, Manager, RETURNS, State, Systemd};

/// Starts, stops and enables services with the host's own service manager.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Service {
    /// The name of the service. Only `daemon_reload` and `daemon_reexec` do without one.
    #[schemars(extend("aliases" = ["service", "unit"]))]
    name: Option<String>,
    /// The state of the service. `started` and `stopped` only act if they have to; `restarted` and `reloaded` always
    /// do.
    state: Option<State>,
    /// Whether the service starts with the system.
    enabled: Option<bool>,
    /// Additional arguments for the service's script. Systemd ignores them.
    #[schemars(extend("aliases" = ["args"]))]
    arguments: Option<String>,
    /// A substring of the process list that tells that the service runs, for a script without `status`.
    pattern: Option<String>,
    /// The number of seconds between stop and start of a restart, for scripts.
    sleep: Option<u64>,
    /// The run level of an OpenRC service; `default` if it is missing.
    runlevel: Option<String>,
    /// The service manager to use, such as `systemd` or `sysvinit`; detected by default.
    #[serde(rename = "use", default = "auto")]
    manager: String,
    /// These arguments go to `systemd_service` where systemd manages the host, and are an error elsewhere.
    #[serde(flatten)]
    systemd: Manager,
}

fn auto() -> String {
    "auto".into()
}

impl HostModule for Service {
    const DOC: Doc = Doc {
        name: "service",
        short: "Manages services",
        returns: RETURNS,
        examples: "- service:\n    name: httpd\n    state: started\n    enabled: true\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let is_systemd = match self.manager.as_str() {
            "auto" => is_manager(context),
            other => other.rsplit('.').next().is_some_and(|name| name.starts_with("systemd")),
        };
        if is_systemd { self.hand_over(context) } else { self.scripted(&Host::new(context)) }
    }
}

/// Starts, stops and enables services by their scripts, on a host that systemd manages too.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub(crate) struct Sysvinit {
    /// The name of the service.
    #[schemars(extend("aliases" = ["service"]))]
    name: String,
    /// The state of the service. `started` and `stopped` only act if they have to; `restarted` and `reloaded` always do.
    state: Option<State>,
    /// Whether the service starts with the system.
    enabled: Option<bool>,
    /// Additional arguments for the script.
    #[schemars(extend("aliases" = ["args"]))]
    arguments: Option<String>,
    /// A substring of the process list that tells that the service runs, for a script without `status`.
    pattern: Option<String>,
    /// The number of seconds between stop and start of a restart; 1 if it is missing.
    sleep: Option<u64>,
}

impl HostModule for Sysvinit {
    const DOC: Doc = Doc {
        name: "sysvinit",
        short: "Manages services by their scripts",
        returns: RETURNS,
        examples: "- sysvinit:\n    name: httpd\n    state: started\n    enabled: true\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let service = Service {
            name: Some(self.name),
            state: self.state,
            enabled: self.enabled,
            arguments: self.arguments,
            pattern: self.pattern,
            sleep: Some(self.sleep.unwrap_or(1)),
            runlevel: None,
            manager: "sysvinit".into(),
            systemd: Manager::default(),
        };
        service.scripted(&Host::new(context))
    }
}

impl Service {
    fn hand_over(self, context: &Context) -> Result<Outcome, Failure> {
        let given = [
            ("pattern", self.pattern.is_some()),
            ("runlevel", self.runlevel.is_some()),
            ("sleep", self.sleep.is_some()),
            ("arguments", self.arguments.is_some()),
        ];
        let manager = &self.systemd;
        let needs = [
            ("state", self.state.is_some()),
            ("enabled", self.enabled.is_some()),
            ("masked", manager.masked.is_some()),
        ];
        if let Some((option, _)) = needs.iter().find(|(_, is_set)| *is_set && self.name.is_none()) {
            return Err(Failure::new(format!("missing parameter(s) required by '{option}': name")));
        }
        let unit =
            Systemd { name: self.name, state: self.state, enabled: self.enabled, manager: self.systemd };
        let mut outcome = unit.run(context)?;
        let ignored = given.iter().filter(|(_, is_given)| *is_given);
        outcome
            .warnings
            .extend(ignored.map(|(name, _)| format!("Ignoring \"{name}\" as it is not used in \"systemd\"")));
        Ok(outcome)
    }

    /// With the service's script, as SysV and OpenRC have it.
    fn scripted(&self, host: &Host) -> Result<Outcome, Failure> {
        let manager = &self.systemd;
        let foreign = [
            ("daemon_reexec", manager.daemon_reexec),
            ("daemon_reload", manager.daemon_reload),
            ("force", manager.force),
            ("masked", manager.masked.is_some()),
            ("no_block", manager.no_block),
            ("scope", manager.scope != systemd::Scope::System),
        ];
        let foreign: Vec<&str> =
            foreign.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
        if !foreign.is_empty() {
            return Err(Failure::new(format!(
                "Unsupported parameters for (ansible.legacy.service) module: {}. Supported parameters include: \
                 arguments (args), enabled, name, pattern, runlevel, sleep, state.",
                foreign.join(", ")
            ))
            .with_help("Only systemd knows these parameters, and it does not manage this host."));
        }
        let Some(name) = self.name.as_deref() else {
            return Err(Failure::new("missing required arguments: name"));
        };
        if self.state.is_none() && self.enabled.is_none() {
            return Err(Failure::new("one of the following is required: state, enabled"));
        }
        let openrc = which("rc-service", host.context).is_some();
        if !openrc && !sysv::exists(name) {
            return Err(Failure::new(format!("Could not find the requested service {name}: host")));
        }
        let mut outcome = Outcome::default().with("name", name);
        if let Some(enabled) = self.enabled {
            let level = self.runlevel.as_deref().unwrap_or("default");
            let now = if openrc { sysv::is_in_level(host, name, level)? } else { sysv::is_enabled(name) };
            outcome = outcome.with("enabled", enabled);
            if now != enabled {
                outcome.changed = true;
                for program in sysv::enabling(host, name, enabled, openrc.then_some(level)) {
                    host.run_ok(&program)?;
                }
            }
        }
        let Some(state) = self.state else { return Ok(outcome) };
        let program = match openrc {
            true => Program::new(["rc-service", name]),
            false => Program::new([sysv::script(name)]),
        };
        let running = self.runs(host, name, &program)?;
        outcome = outcome.with("state", state.name());
        if let Some(verb) = state.verb(running) {
            outcome.changed = true;
            let words = crate::host::words::split(self.arguments.as_deref().unwrap_or_default())?;
            let act = |verb: &str| host.run_ok(&program.clone().arg(verb).args(words.clone()));
            match self.sleep.filter(|_| verb == "restart") {
                Some(seconds) => {
                    act("stop")?;
                    if !host.check() {
                        host.pause(Duration::from_secs(seconds))?;
                    }
                    act("start")?;
                }
                None => drop(act(verb)?),
            }
        }
        Ok(outcome)
    }

    fn runs(&self, host: &Host, name: &str, program: &Program) -> Result<bool, Failure> {
        if let Some(pattern) = &self.pattern {
            let list = host.query(&Program::new(["ps", "-ww", "-eo", "args"]))?;
            return Ok(list.out().lines().any(|l| l.contains(pattern.as_str())));
        }
        let status = host.query(&program.clone().arg("status"))?;
        Ok(sysv::runs(status.rc, &status.out(), name))
    }
}
