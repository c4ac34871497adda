//! `wait_for_connection`

use std::time::{Duration, Instant};

use playbook_api::time::deadline;
use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};

/// Waits until the host can be reached and modules run on it.
#[derive(Deserialize, JsonSchema)]
pub struct WaitForConnection {
    /// Seconds before the first try.
    #[serde(default)]
    delay: u64,
    /// Seconds between two tries.
    #[serde(default = "sleep")]
    sleep: u64,
    /// Seconds after which it fails.
    #[serde(default = "timeout")]
    timeout: u64,
    /// Seconds that one try to connect may take; the connection's own `timeout` decides.
    #[serde(default = "connect_timeout", rename = "connect_timeout")]
    _connect_timeout: u64,
}

fn sleep() -> u64 {
    1
}

fn timeout() -> u64 {
    600
}

fn connect_timeout() -> u64 {
    5
}

impl Action for WaitForConnection {
    const DOC: Doc = Doc {
        name: "wait_for_connection",
        short: "Wait until the host can be reached",
        check_mode: "None: skipped, since what it waits for may be a change that was not made.",
        returns: &[("elapsed", "int", "seconds that it took")],
        examples: "- wait_for_connection:\n    delay: 10\n    timeout: 300\n",
        ..BUILTIN
    };
    const CHECKS_ARGUMENTS: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if call.check {
            return Ok(Outcome { skipped: true, ..Outcome::default() });
        }
        let start = Instant::now();
        call.item.play.sleep(Duration::from_secs(self.delay))?;
        let end = deadline(Duration::from_secs(self.timeout));
        loop {
            let ping = Arguments { values: Map::default(), ..call.args.clone() };
            let failure = match call.call_module("ansible.builtin.ping", ping) {
                Ok(_) => return Ok(Outcome::default().with("elapsed", start.elapsed().as_secs())),
                Err(failure) => failure,
            };
            if Instant::now() >= end {
                let message = format!("timed out waiting for ping module test: {}", failure.error);
                return Err(Failure::new(message).with("elapsed", start.elapsed().as_secs()));
            }
            call.item.play.sleep(Duration::from_secs(self.sleep))?;
        }
    }
}
