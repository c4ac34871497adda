//! The modules that act on a host.
//!
//! They are synchronous, do not know about connections, and act on the host only through `host::Host`, which changes
//! nothing in check mode.

#[cfg(test)]
mod example;
mod facts;
mod host;
mod modules;
mod probes;

use playbook_api::{ModuleEntry, Registry};

pub use self::host::{guard, job};
use self::modules::{
    apt, apt_repository, assemble, async_status, async_wrapper, authorized_key, blockinfile, command, copy,
    cron, deb822_repository, debconf, dnf, dpkg_selections, expect, fetch, file, find, foreign, get_url,
    getent, git, group, hostname, iptables, known_hosts, lineinfile, mount_facts, package, package_facts,
    ping, pip, replace, script, service, service_facts, setup, slurp, stat, systemd, tempfile, unarchive,
    uri, user, wait_for,
};

/// Adds every module and probe of this crate.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        // Files.
        ModuleEntry::host::<assemble::Assemble>(),
        ModuleEntry::host::<blockinfile::Blockinfile>(),
        ModuleEntry::host::<copy::Copy>(),
        ModuleEntry::host::<fetch::Fetch>(),
        ModuleEntry::host::<file::File>(),
        ModuleEntry::host::<find::Find>(),
        ModuleEntry::host::<lineinfile::Lineinfile>(),
        ModuleEntry::host::<replace::Replace>(),
        ModuleEntry::host::<slurp::Slurp>(),
        ModuleEntry::host::<stat::Stat>(),
        ModuleEntry::host::<tempfile::Tempfile>(),
        ModuleEntry::host::<unarchive::Unarchive>(),
        // Programs.
        ModuleEntry::host::<command::Command>(),
        ModuleEntry::host::<command::Shell>(),
        ModuleEntry::host::<expect::Expect>(),
        ModuleEntry::host::<script::Script>(),
        ModuleEntry::host::<foreign::Foreign>(),
        // Jobs.
        ModuleEntry::host::<async_status::AsyncStatus>(),
        ModuleEntry::host::<async_wrapper::AsyncWrapper>(),
        // Packages.
        ModuleEntry::host::<apt::Apt>(),
        ModuleEntry::host::<apt_repository::AptRepository>(),
        ModuleEntry::host::<deb822_repository::Deb822Repository>(),
        ModuleEntry::host::<debconf::Debconf>(),
        ModuleEntry::host::<dnf::Dnf>(),
        ModuleEntry::host::<dpkg_selections::DpkgSelections>(),
        ModuleEntry::host::<package::Package>(),
        ModuleEntry::host::<pip::Pip>(),
        // Services and the system.
        ModuleEntry::host::<cron::Cron>(),
        ModuleEntry::host::<hostname::Hostname>(),
        ModuleEntry::host::<iptables::Iptables>(),
        ModuleEntry::host::<service::Service>(),
        ModuleEntry::host::<service::Sysvinit>(),
        ModuleEntry::host::<systemd::Systemd>(),
        // Users, groups and keys.
        ModuleEntry::host::<authorized_key::AuthorizedKey>(),
        ModuleEntry::host::<group::Group>(),
        ModuleEntry::host::<known_hosts::KnownHosts>(),
        ModuleEntry::host::<user::User>(),
        // Network and sources.
        ModuleEntry::host::<get_url::GetUrl>(),
        ModuleEntry::host::<git::Git>(),
        ModuleEntry::host::<uri::Uri>(),
        ModuleEntry::host::<wait_for::WaitFor>(),
        // What a host is.
        ModuleEntry::host::<getent::Getent>(),
        ModuleEntry::host::<mount_facts::MountFacts>(),
        ModuleEntry::host::<package_facts::PackageFacts>(),
        ModuleEntry::host::<ping::Ping>(),
        ModuleEntry::host::<service_facts::ServiceFacts>(),
        ModuleEntry::host::<setup::Setup>(),
    ]);
    registry.probes.extend(probes::all());
}
