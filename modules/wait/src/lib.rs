//! `wait_until`: waits for whatever the other crates can look at.

mod probes;
mod wait_until;
mod watch;

use playbook_api::{ModuleEntry, Registry};

/// Adds what this crate brings. The probes come from the other crates and are asked for when a task runs.
pub fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::controller::<wait_until::WaitUntil>()]);
}
