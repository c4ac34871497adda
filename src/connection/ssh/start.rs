//! Limits new connections to a few per destination at a time, and retries those that the server has dropped before
//! authentication.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use playbook_api::sync::lock;

/// The number of connections to one destination that may authenticate at a time. OpenSSH's server drops some from the
/// tenth on (`MaxStartups 10:30:100`).
const ABREAST: usize = 8;

/// The number of retries of a dropped connection.
pub(crate) const DROPPED_RETRIES: u32 = 7;

/// ssh's messages about a connection that the server has dropped before authentication.
const DROPPED: [&str; 6] = [
    "kex_exchange_identification:",
    "ssh_exchange_identification:",
    "banner exchange:",
    "Connection closed by remote host",
    "Connection reset by peer",
    "Not allowed at this time",
];

/// Whether ssh's message means that the server has dropped the connection before authentication.
pub(crate) fn was_dropped(said: &str) -> bool {
    DROPPED.iter().any(|words| said.contains(words))
        || (said.contains("Connection closed by") && !said.contains("[preauth]") && !said.contains("denied"))
}

/// Returns the pause before a dropped connection is retried. It grows with each attempt, and is random, so that
/// connections that were dropped together are retried at different times.
pub(crate) fn pause(attempt: u32) -> Duration {
    let base = 200_u64 << attempt.min(5);
    // A random number; the identifiers of this kind are 122 random bits.
    let random = u64::from(uuid::Uuid::new_v4().as_fields().0);
    Duration::from_millis(base / 2 + random % base)
}

/// The gates of all destinations.
#[derive(Default)]
pub(crate) struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

impl Gates {
    /// Waits for a slot at a destination.
    pub(crate) fn enter(&self, destination: &str) -> Pass {
        let gate = lock(&self.0).entry(destination.to_owned()).or_default().clone();
        let mut inside = lock(&gate.inside);
        while *inside >= ABREAST {
            inside = gate.left.wait(inside).unwrap_or_else(|e| e.into_inner());
        }
        *inside += 1;
        drop(inside);
        Pass(gate)
    }
}

#[derive(Default)]
struct Gate {
    inside: Mutex<usize>,
    left: Condvar,
}

/// A slot at a destination, which is free again when this is dropped.
pub(crate) struct Pass(Arc<Gate>);

impl Drop for Pass {
    fn drop(&mut self) {
        *lock(&self.0.inside) -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_connections_are_told_from_refused_ones() {
        assert!(was_dropped("kex_exchange_identification: Connection closed by remote host"));
        assert!(was_dropped("Connection closed by 198.18.0.2 port 22"));
        assert!(was_dropped("Connection closed by UNKNOWN port 65535"));
        assert!(!was_dropped("root@db: Permission denied (publickey)."));
        assert!(!was_dropped("ssh: connect to host db port 22: Connection refused"));
        assert!(!was_dropped("Host key verification failed."));
    }

    #[test]
    fn pauses_grow_and_differ() {
        for attempt in 0..10 {
            let base = 200 << attempt.min(5);
            let pauses: Vec<u128> = (0..20).map(|_| pause(attempt).as_millis()).collect();
            assert!(pauses.iter().all(|p| (base / 2..base * 3 / 2).contains(p)), "{pauses:?}");
            assert!(pauses.iter().any(|p| *p != pauses[0]));
        }
    }

    #[test]
    fn a_gate_lets_so_many_in() {
        let gates = Arc::new(Gates::default());
        let passes: Vec<Pass> = (0..ABREAST).map(|_| gates.enter("db")).collect();
        drop(gates.enter("other"));
        let waiting = std::thread::spawn({
            let gates = gates.clone();
            move || drop(gates.enter("db"))
        });
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        drop(passes);
        waiting.join().unwrap();
    }
}
