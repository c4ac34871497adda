//! The other end of a connection: its name in messages, and the time after which it counts as lost.

use std::time::Duration;

use playbook_api::{Error, ErrorKind, Failure};

/// The multiple of `timeout` after which a host that sends nothing counts as lost, as with ssh's own probes.
const TIMES: u32 = 3;

/// The time after which it counts as lost if no `timeout` is set.
const DEFAULT: Duration = Duration::from_secs(30);

/// The minimum of that time, since a host under load responds slowly.
const SHORTEST: Duration = Duration::from_secs(6);

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The host's name in the inventory.
    pub host: String,
    /// The maximum time without any data before the host counts as lost. It does not limit the duration of a transfer.
    pub silence: Duration,
}

impl Peer {
    /// Creates the other end of a connection with this `timeout`.
    pub(crate) fn new(host: &str, timeout: Duration) -> Peer {
        let silence = match timeout.is_zero() {
            true => DEFAULT,
            false => timeout.saturating_mul(TIMES).max(SHORTEST),
        };
        Peer { host: host.to_owned(), silence }
    }

    /// Returns the failure of a wait that has timed out.
    pub(crate) fn timed_out(&self, message: String) -> Failure {
        Error::new(message)
            .with_kind(ErrorKind::Unreachable)
            .with_help(
                "If the host is only slow, raise `timeout` (ansible_timeout, ANSIBLE_TIMEOUT, -T): three times as \
                 long a silence is waited for.",
            )
            .into()
    }
}
