//! `wait_for_connection`

use std::time::{Duration, Instant};

use playbook_api::spec::CheckedBy;
use playbook_api::time::deadline;
use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};

/// Waits until the host can be reached and runs modules.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct WaitForConnection {
    /// The number of seconds to wait before the first attempt.
    #[serde(default)]
    delay: u64,
    /// The number of seconds between two attempts.
    #[serde(default = "sleep")]
    sleep: u64,
    /// The timeout in seconds.
    #[serde(default = "timeout")]
    timeout: u64,
    /// The timeout in seconds of one attempt to connect. Ignored: the connection's own timeout applies.
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
        short: "Waits until the host can be reached",
        check_mode: "None: skipped, since it may wait for a change that was not made.",
        returns: &[("elapsed", "int", "the number of the number of seconds that it took")],
        examples: "- wait_for_connection:\n    delay: 10\n    timeout: 300\n",
        ..BUILTIN
    };
    const CHECKED_BY: CheckedBy = CheckedBy::Action;

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
