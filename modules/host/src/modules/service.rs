//! `systemd`, `systemd_service` and `service`: that a service runs, and starts with the system.

use std::collections::HashMap;
use std::path::Path;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::host::Host;
use crate::host::process::{Output, Program, which};

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    Reloaded,
    Restarted,
    Started,
    Stopped,
}

impl State {
    /// What has to be done for a service that runs or does not, if anything.
    fn verb(self, running: bool) -> Option<&'static str> {
        match (self, running) {
            (State::Started, true) | (State::Stopped, false) => None,
            (State::Started, false) | (State::Reloaded, false) => Some("start"),
            (State::Stopped, true) => Some("stop"),
            (State::Reloaded, true) => Some("reload"),
            (State::Restarted, _) => Some("restart"),
        }
    }

    fn name(self) -> &'static str {
        if self == State::Stopped { "stopped" } else { "started" }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Scope {
    #[default]
    System,
    User,
    Global,
}

/// Starts, stops, enables and masks systemd's units.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["state", "enabled", "masked", "daemon_reload", "daemon_reexec"]],
    "required_by" = [["state", ["name"]], ["enabled", ["name"]], ["masked", ["name"]]],
))]
pub struct Systemd {
    /// The unit.
    #[schemars(extend("aliases" = ["service", "unit"]))]
    name: Option<String>,
    /// Whether it runs. `restarted` and `reloaded` always act.
    state: Option<State>,
    /// Whether it starts with the system.
    enabled: Option<bool>,
    /// Whether it cannot be started at all.
    masked: Option<bool>,
    /// Replace links that are in the way of enabling.
    #[serde(default)]
    force: bool,
    /// Have systemd read its files again first.
    #[schemars(extend("aliases" = ["daemon-reload"]))]
    #[serde(default)]
    daemon_reload: bool,
    /// Have systemd start itself anew first.
    #[schemars(extend("aliases" = ["daemon-reexec"]))]
    #[serde(default)]
    daemon_reexec: bool,
    /// Whose systemd.
    #[serde(default)]
    scope: Scope,
    /// Do not wait for the start or stop.
    #[serde(default)]
    no_block: bool,
}

const RETURNS: &[(&str, &str, &str)] = &[
    ("name", "str", "The service."),
    ("state", "str", "Whether it runs now, as asked."),
    ("enabled", "bool", "Whether it starts with the system, as asked."),
    ("status", "dict", "Everything that systemd says of it."),
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
        if which("systemctl", context).is_none() {
            return Err(Failure::new(
                "Failed to find required executable \"systemctl\" in paths: the host does not run systemd",
            ));
        }
        for (wanted, verb) in [(self.daemon_reload, "daemon-reload"), (self.daemon_reexec, "daemon-reexec")] {
            if wanted {
                self.act(&host, verb, None)?;
            }
        }
        match &self.name {
            Some(name) => self.unit(&host, name),
            None => Ok(Outcome::default().with("name", Value::Null).with("status", Value::map())),
        }
    }
}

impl Systemd {
    fn program(&self) -> Program {
        let program = Program::new(["systemctl"]);
        let program = match self.scope {
            Scope::System => program,
            Scope::User => program.arg("--user"),
            Scope::Global => program.arg("--global"),
        };
        let program = if self.no_block { program.arg("--no-block") } else { program };
        if self.force { program.arg("--force") } else { program }
    }

    fn act(&self, host: &Host, verb: &str, unit: Option<&str>) -> Result<(), Failure> {
        let program = self.program().arg(verb).args(unit);
        let output = host.run(&program)?;
        if output.success() {
            return Ok(());
        }
        let what = unit.map_or_else(|| verb.to_owned(), |unit| format!("{verb} service {unit}"));
        Err(Failure::new(format!("Unable to {what}: {}", output.err())))
    }

    fn ask(&self, host: &Host, words: &[&str]) -> Result<Output, Failure> {
        host.query(
            &Systemd { no_block: false, force: false, scope: self.scope, ..Systemd::default() }
                .program()
                .args(words.iter().copied()),
        )
    }

    fn unit(&self, host: &Host, name: &str) -> Result<Outcome, Failure> {
        let shown = self.ask(host, &["show", name])?;
        let status: HashMap<String, String> = shown
            .out()
            .lines()
            .filter_map(|l| l.split_once('='))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        let of = |key: &str| status.get(key).map_or("", String::as_str);
        let script = Path::new("/etc/init.d").join(name).is_file();
        let found = of("LoadState") != "not-found" && !of("LoadState").is_empty() || script;
        if !found && !shown.success() {
            return Err(Failure::new(format!(
                "Could not talk to systemd about {name}: {}",
                shown.err().trim()
            )));
        }
        let mut outcome = Outcome::default().with("name", name);
        let values: Map = status.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into())).collect();
        outcome = outcome.with("status", values);
        if !found
            && (self.state.is_some_and(|s| s != State::Stopped) || self.enabled == Some(true))
            && !host.check()
        {
            return Err(Failure::new(format!("Could not find the requested service {name}: host")));
        }
        if let Some(masked) = self.masked {
            let now = of("LoadState") == "masked";
            outcome = outcome.with("masked", masked);
            if now != masked {
                outcome.changed = true;
                self.act(host, if masked { "mask" } else { "unmask" }, Some(name))?;
            }
        }
        if let Some(enabled) = self.enabled {
            let said = self.ask(host, &["is-enabled", name])?;
            let said = said.out();
            let now = matches!(
                said.trim(),
                "enabled" | "enabled-runtime" | "alias" | "static" | "indirect" | "generated"
            ) && !(said.trim() == "indirect" && enabled);
            outcome = outcome.with("enabled", enabled);
            if now != enabled {
                outcome.changed = true;
                self.act(host, if enabled { "enable" } else { "disable" }, Some(name))?;
            }
        }
        if let Some(state) = self.state {
            let running = matches!(of("ActiveState"), "active" | "activating" | "reloading");
            outcome = outcome.with("state", state.name());
            if let Some(verb) = state.verb(running) {
                outcome.changed = true;
                self.act(host, verb, Some(name))?;
            }
        }
        Ok(outcome)
    }
}

/// Starts, stops and enables services, whatever manages them.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Service {
    /// The service.
    name: String,
    /// Whether it runs. `restarted` and `reloaded` always act.
    state: Option<State>,
    /// Whether it starts with the system.
    enabled: Option<bool>,
    /// Words for the service's script.
    #[schemars(extend("aliases" = ["args"]))]
    #[serde(default)]
    arguments: String,
    /// A text in the list of processes by which a service without a status is known to run.
    pattern: Option<String>,
    /// Seconds between stop and start of a restart.
    sleep: Option<u64>,
    /// The run level, with OpenRC.
    #[serde(default = "default_level")]
    runlevel: String,
    /// What manages services; found out, if not said.
    #[serde(rename = "use", default = "auto")]
    manager: String,
}

fn default_level() -> String {
    "default".into()
}

fn auto() -> String {
    "auto".into()
}

impl HostModule for Service {
    const DOC: Doc = Doc {
        name: "service",
        aliases: &["ansible.builtin.sysvinit", "sysvinit"],
        short: "Manages services",
        returns: RETURNS,
        examples: "- service:\n    name: httpd\n    state: started\n    enabled: true\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let systemd = match self.manager.as_str() {
            "auto" => Path::new("/run/systemd/system").exists(),
            other => other.starts_with("systemd"),
        };
        if systemd {
            let unit = Systemd {
                name: Some(self.name),
                state: self.state,
                enabled: self.enabled,
                ..Systemd::default()
            };
            return unit.run(context);
        }
        self.scripted(&Host::new(context))
    }
}

impl Service {
    /// With the service's script, as SysV and OpenRC have it.
    fn scripted(&self, host: &Host) -> Result<Outcome, Failure> {
        let name = self.name.as_str();
        let script = format!("/etc/init.d/{name}");
        if !Path::new(&script).exists() {
            return Err(Failure::new(format!("Could not find the requested service {name}: host")));
        }
        let openrc = which("rc-service", host.context).is_some();
        let program =
            if openrc { Program::new(["rc-service", name]) } else { Program::new([script.as_str()]) };
        let mut outcome = Outcome::default().with("name", name);
        if let Some(enabled) = self.enabled {
            outcome = outcome.with("enabled", enabled);
            if self.starts_with_system(host, openrc)? != enabled {
                outcome.changed = true;
                host.run_ok(&self.enabling(enabled, openrc))?;
            }
        }
        if let Some(state) = self.state {
            let running = self.runs(host, &program)?;
            outcome = outcome.with("state", state.name());
            if let Some(verb) = state.verb(running) {
                outcome.changed = true;
                let words = crate::host::words::split(&self.arguments)?;
                let act = |verb: &str| host.run_ok(&program.clone().arg(verb).args(words.clone()));
                match self.sleep.filter(|_| verb == "restart") {
                    Some(seconds) => {
                        act("stop")?;
                        if !host.check() {
                            std::thread::sleep(std::time::Duration::from_secs(seconds));
                        }
                        act("start")?;
                    }
                    None => {
                        act(verb)?;
                    }
                }
            }
        }
        Ok(outcome)
    }

    fn runs(&self, host: &Host, program: &Program) -> Result<bool, Failure> {
        if let Some(pattern) = &self.pattern {
            let list = host.query(&Program::new(["ps", "-ww", "-eo", "args"]))?;
            return Ok(list.out().lines().any(|l| l.contains(pattern.as_str())));
        }
        let status = host.query(&program.clone().arg("status"))?;
        let said = (status.out() + &status.err()).to_lowercase();
        Ok(match status.rc {
            0 => !said.contains("not running") && !said.contains("stopped"),
            1..=3 => false,
            _ => said.contains("is running"),
        })
    }

    fn starts_with_system(&self, host: &Host, openrc: bool) -> Result<bool, Failure> {
        if openrc {
            let list = host.query(&Program::new(["rc-update", "show", &self.runlevel]))?;
            return Ok(list
                .out()
                .lines()
                .any(|l| l.split('|').next().is_some_and(|n| n.trim() == self.name)));
        }
        let found = |level: char| {
            !crate::host::glob::expand(Path::new(&format!("/etc/rc{level}.d/S[0-9][0-9]{}", self.name)))
                .is_empty()
        };
        Ok("2345".chars().any(found))
    }

    fn enabling(&self, enabled: bool, openrc: bool) -> Program {
        let name = self.name.as_str();
        if openrc {
            return Program::new(["rc-update", if enabled { "add" } else { "delete" }, name, &self.runlevel]);
        }
        if Path::new("/usr/sbin/update-rc.d").exists() {
            return Program::new(["update-rc.d", name, if enabled { "defaults" } else { "disable" }]);
        }
        Program::new(["chkconfig", name, if enabled { "on" } else { "off" }])
    }
}
