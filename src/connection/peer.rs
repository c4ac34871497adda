//! The other end of a connection, as messages name it, and how long it may be silent.

use std::time::Duration;

use playbook_api::{Error, ErrorKind, Failure};

/// The multiple of `timeout` that a host may be silent for; ssh's own probes give up after as many.
const TIMES: u32 = 3;

/// The silence that is allowed where no `timeout` is set.
const DEFAULT: Duration = Duration::from_secs(30);

/// The shortest silence: a loaded host is not a dead one.
const SHORTEST: Duration = Duration::from_secs(6);

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The host's name in the inventory.
    pub host: String,
    /// The longest silence before the host counts as lost. It is about silence, and never about the whole of a
    /// transfer.
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

    /// Returns the failure of a wait that was in vain.
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
