//! The modules that act on a host.
//!
//! They are synchronous, know nothing of connections, and reach the host only through [`host::Host`], which check
//! mode closes for changes.

pub mod attributes;
pub mod checksum;
mod command;
mod errno;
mod flags;
mod glob;
pub mod host;
mod mode;
mod path;
mod process;
mod words;

use playbook_api::{ModuleEntry, Registry};

/// Adds every module and probe of this crate.
pub fn register(registry: &mut Registry) {
    registry.add_modules([ModuleEntry::host::<command::Command>(), ModuleEntry::host::<command::Shell>()]);
}
