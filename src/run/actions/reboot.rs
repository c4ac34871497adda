//! `reboot`

use std::time::{Duration, Instant, SystemTime};

use playbook_api::spec::CheckedBy;
use playbook_api::time::deadline;
use playbook_api::{Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::connection::{Output, quote};
use crate::run::module::{on_host, target};

/// Restarts a host and waits until it runs commands again.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Reboot {
    /// The number of seconds to wait before the restart, rounded down to minutes for a `shutdown` that takes minutes.
    #[serde(default)]
    pre_reboot_delay: f64,
    /// The number of seconds to wait after the command before checking whether the host is up.
    #[serde(default)]
    post_reboot_delay: f64,
    /// The timeout in seconds for the host to come up, and again for the test command.
    #[serde(default = "reboot_timeout")]
    reboot_timeout: u64,
    /// The timeout in seconds of one attempt to connect; by default that of the connection.
    connect_timeout: Option<u64>,
    /// The command that has to succeed before the host counts as up.
    test_command: Option<String>,
    /// The message for the users of the host.
    #[serde(default = "message")]
    msg: String,
    /// The directories to search for the command that restarts the host.
    #[serde(default = "search_paths")]
    search_paths: Vec<String>,
    /// A command whose output differs after each start of the host.
    boot_time_command: Option<String>,
    /// The command that restarts the host, with its arguments; `pre_reboot_delay` and `msg` are ignored then.
    reboot_command: Option<String>,
}

fn reboot_timeout() -> u64 {
    600
}

fn message() -> String {
    "Reboot initiated by Ansible".into()
}

fn search_paths() -> Vec<String> {
    ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(String::from).into()
}

impl Action for Reboot {
    const DOC: Doc = Doc {
        name: "reboot",
        short: "Restarts a host and waits until it is back",
        check_mode: "Full: reports that the host would be restarted.",
        returns: &[
            ("rebooted", "bool", "whether the host was restarted"),
            ("elapsed", "int", "the number of the number of seconds that it took"),
        ],
        examples: "- reboot:\n    reboot_timeout: 300\n",
        ..BUILTIN
    };
    const CHECKED_BY: CheckedBy = CheckedBy::Action;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let plugin = target::of_task(call)?.login.plugin;
        if plugin.rsplit('.').next() == Some("local") {
            let message = "Running reboot with local connection would reboot the control node.";
            return Err(Failure::new(message).with("rebooted", false).with("elapsed", 0));
        }
        if call.check {
            return Ok(Outcome::changed(true).with("rebooted", true).with("elapsed", 0));
        }
        let post_delay = call.duration("post_reboot_delay", self.post_reboot_delay)?;
        let system = System::of(call)?;
        let boot_time = self.boot_time_command.as_deref().unwrap_or(system.boot_time);
        let before = asked(call.execute(boot_time)?)
            .map_err(|e| Failure::new(format!("reboot: failed to get host boot time info, {e}")))?;
        let command = self.command(call, &system)?;
        let said = match call.execute(&command) {
            // The connection may be lost before the command has ended.
            Err(failure) if failure.unreachable => Ok(String::new()),
            Ok(Output { code: 255, .. }) => Ok(String::new()),
            Ok(output) => asked(output),
            Err(failure) => return Err(failure),
        };
        let start = Instant::now();
        let elapsed = || start.elapsed().as_secs();
        if let Err(said) = said {
            let message = format!("Reboot command failed. Error was: '{said}'");
            return Err(Failure::new(message).with("rebooted", false).with("elapsed", elapsed()));
        }
        call.item.play.sleep(post_delay)?;

        let is_up = |output: Output| match asked(output) {
            Ok(now) if now.is_empty() || now == before => Err("the host has not been restarted yet".into()),
            other => other,
        };
        let test = self.test_command.as_deref().unwrap_or(system.test);
        self.wait(call, boot_time, "last boot time check", is_up)
            .and_then(|()| self.wait(call, test, "post-reboot test command", asked))
            .map_err(|failure| failure.with("rebooted", true).with("elapsed", elapsed()))?;
        Ok(Outcome::changed(true).with("rebooted", true).with("elapsed", elapsed()))
    }
}

impl Reboot {
    /// Returns the command line that restarts the host.
    fn command(&self, call: &mut ActionCall, system: &System) -> Result<String, Failure> {
        let delay = call.duration("pre_reboot_delay", self.pre_reboot_delay)?.as_secs();
        let given =
            self.reboot_command.as_deref().map(|command| command.split_once(' ').unwrap_or((command, "")));
        let (program, arguments) = match given {
            Some((program, arguments)) => (program, arguments.to_owned()),
            None => (system.program, (system.arguments)(delay, &quote(&self.msg))),
        };
        if program.starts_with('/') {
            return Ok(format!("{program} {arguments}"));
        }
        let places = self.search_paths.iter().map(|directory| quote(&format!("{directory}/{program}")));
        let places = places.collect::<Vec<_>>().join(" ");
        let look = format!("for place in {places}; do if [ -e $place ]; then echo $place; break; fi; done");
        let found = asked(call.execute(&look)?).unwrap_or_default();
        if found.is_empty() {
            let directories = self.search_paths.join(", ");
            let message = format!("Unable to find command \"{program}\" in search paths: {directories}");
            return Err(Failure::new(message).with("rebooted", false));
        }
        Ok(format!("{found} {arguments}"))
    }

    /// Runs a command until its output is accepted, each time over a new connection.
    fn wait(
        &self,
        call: &mut ActionCall,
        command: &str,
        what: &str,
        is_good: impl Fn(Output) -> Result<String, String>,
    ) -> Result<(), Failure> {
        let end = deadline(Duration::from_secs(self.reboot_timeout));
        let mut pause = Duration::from_secs(1);
        let mut last = String::new();
        while Instant::now() < end {
            match on_host::execute_anew(call, command, self.connect_timeout.map(Duration::from_secs)) {
                Ok(output) => match is_good(output) {
                    Ok(_) => return Ok(()),
                    Err(said) => last = said,
                },
                Err(failure) => last = failure.error.to_string(),
            }
            // Hosts that were restarted together are not polled at the same moment.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            call.item.play.sleep(pause + Duration::from_millis(u64::from(now.subsec_micros() % 1000)))?;
            pause = (pause * 2).min(Duration::from_secs(12));
        }
        let failure = Failure::new(format!("Timed out waiting for {what} (timeout={})", self.reboot_timeout));
        Err(if last.is_empty() {
            failure
        } else {
            failure.with_help(format!("The last attempt failed: {last}"))
        })
    }
}

/// How an operating system is restarted.
struct System {
    program: &'static str,
    /// Returns the arguments for a delay in seconds and a message.
    arguments: fn(u64, &str) -> String,
    boot_time: &'static str,
    test: &'static str,
}

impl System {
    fn of(call: &mut ActionCall) -> Result<System, Failure> {
        let names =
            call.execute("uname -s; if [ -r /etc/os-release ]; then . /etc/os-release; echo $ID; fi")?;
        let names = String::from_utf8_lossy(&names.stdout).into_owned();
        let mut names = names.lines().map(str::trim);
        let (kernel, distribution) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let linux = System {
            program: "shutdown",
            arguments: |delay, message| format!("-r {} {message}", delay / 60),
            boot_time: "cat /proc/sys/kernel/random/boot_id",
            test: "whoami",
        };
        let in_minutes = |delay: u64, message: &str| format!("-r +{} {message}", delay / 60);
        Ok(match (kernel, distribution) {
            (_, "alpine") => System { program: "reboot", arguments: |_, _| String::new(), ..linux },
            (_, "void") => System { arguments: in_minutes, ..linux },
            ("FreeBSD", _) => System {
                arguments: |delay, message| format!("-r +{delay}s {message}"),
                boot_time: "/sbin/sysctl kern.boottime",
                ..linux
            },
            ("OpenBSD", _) => {
                System { arguments: in_minutes, boot_time: "/sbin/sysctl kern.boottime", ..linux }
            }
            ("Darwin", _) => System { arguments: in_minutes, boot_time: "who -b", ..linux },
            ("SunOS", _) => System {
                arguments: |delay, message| format!("-y -g {delay} -i 6 {message}"),
                boot_time: "who -b",
                test: "who",
                ..linux
            },
            ("AIX", _) => System { arguments: |_, _| "-Fr".into(), boot_time: "who -b", ..linux },
            ("VMkernel", _) => System {
                program: "reboot",
                arguments: |delay, _| format!("-d {delay}"),
                boot_time: "grep booted /var/log/vmksummary.log | tail -n 1",
                test: "who",
            },
            _ => linux,
        })
    }
}

/// Returns the output of a command, or a description of its failure.
fn asked(output: Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    match output.code {
        0 => Ok(stdout),
        code => Err(format!("rc: {code}, stdout: {stdout}, stderr: {stderr}")),
    }
}
