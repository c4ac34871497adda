//! `wait_until`: waits until the conditions are met that the other crates have probes for.

mod probes;
mod wait_until;
mod watch;

use playbook_api::{ModuleEntry, Registry};

/// Adds the module. The probes come from the other crates, and are looked up when a task runs.
pub fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::controller::<wait_until::WaitUntil>()]);
}
