//! The modules that act on a host.
//!
//! They are synchronous, know nothing of connections, and reach the host only through [`host::Host`], which check
//! mode closes for changes.

mod assemble;
pub mod attributes;
mod blockinfile;
pub mod checksum;
mod command;
mod copy;
mod diff;
mod edit;
mod errno;
mod file;
mod find;
mod flags;
mod get_url;
mod getent;
mod glob;
pub mod host;
mod hostname;
mod http;
mod lineinfile;
mod mode;
mod path;
mod ping;
mod process;
mod regex;
mod replace;
mod slurp;
mod stat;
mod tempfile;
mod uri;
mod wait_for;
mod words;

use playbook_api::{ModuleEntry, Registry};

/// Adds every module and probe of this crate.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::host::<assemble::Assemble>(),
        ModuleEntry::host::<blockinfile::Blockinfile>(),
        ModuleEntry::host::<command::Command>(),
        ModuleEntry::host::<command::Shell>(),
        ModuleEntry::host::<copy::Copy>(),
        ModuleEntry::host::<file::File>(),
        ModuleEntry::host::<find::Find>(),
        ModuleEntry::host::<get_url::GetUrl>(),
        ModuleEntry::host::<getent::Getent>(),
        ModuleEntry::host::<hostname::Hostname>(),
        ModuleEntry::host::<lineinfile::Lineinfile>(),
        ModuleEntry::host::<ping::Ping>(),
        ModuleEntry::host::<replace::Replace>(),
        ModuleEntry::host::<slurp::Slurp>(),
        ModuleEntry::host::<stat::Stat>(),
        ModuleEntry::host::<tempfile::Tempfile>(),
        ModuleEntry::host::<uri::Uri>(),
        ModuleEntry::host::<wait_for::WaitFor>(),
    ]);
}
