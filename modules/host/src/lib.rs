//! The modules that act on a host.
//!
//! They are synchronous, know nothing of connections, and reach the host only through [`host::Host`], which check
//! mode closes for changes.

mod accounts;
mod apt;
mod apt_repository;
mod assemble;
mod async_status;
mod async_wrapper;
pub mod attributes;
mod authorized_key;
mod blockinfile;
pub mod checksum;
mod clock;
mod command;
mod copy;
mod cron;
mod deb822_repository;
mod debconf;
mod diff;
mod dnf;
mod dpkg_selections;
mod edit;
mod errno;
mod expect;
mod facts;
mod fetch;
mod file;
mod find;
mod flags;
mod foreign;
mod get_url;
mod getent;
mod git;
mod glob;
mod group;
pub mod guard;
pub mod host;
mod hostname;
mod http;
mod iptables;
pub mod job;
mod known_hosts;
mod lineinfile;
mod mode;
mod mount_facts;
mod package;
mod package_facts;
mod path;
mod ping;
mod pip;
mod probe;
pub mod process;
mod regex;
mod replace;
mod script;
mod service;
mod service_facts;
mod setup;
mod slurp;
mod stat;
mod state;
mod tempfile;
mod terminal;
mod unarchive;
mod uri;
mod user;
mod wait_for;
mod words;

use playbook_api::{ModuleEntry, Registry};

/// Adds every module and probe of this crate.
pub fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::host::<apt::Apt>(),
        ModuleEntry::host::<apt_repository::AptRepository>(),
        ModuleEntry::host::<assemble::Assemble>(),
        ModuleEntry::host::<async_status::AsyncStatus>(),
        ModuleEntry::host::<async_wrapper::AsyncWrapper>(),
        ModuleEntry::host::<authorized_key::AuthorizedKey>(),
        ModuleEntry::host::<blockinfile::Blockinfile>(),
        ModuleEntry::host::<command::Command>(),
        ModuleEntry::host::<command::Shell>(),
        ModuleEntry::host::<copy::Copy>(),
        ModuleEntry::host::<cron::Cron>(),
        ModuleEntry::host::<deb822_repository::Deb822Repository>(),
        ModuleEntry::host::<debconf::Debconf>(),
        ModuleEntry::host::<dnf::Dnf>(),
        ModuleEntry::host::<dpkg_selections::DpkgSelections>(),
        ModuleEntry::host::<expect::Expect>(),
        ModuleEntry::host::<fetch::Fetch>(),
        ModuleEntry::host::<file::File>(),
        ModuleEntry::host::<find::Find>(),
        ModuleEntry::host::<foreign::Foreign>(),
        ModuleEntry::host::<get_url::GetUrl>(),
        ModuleEntry::host::<getent::Getent>(),
        ModuleEntry::host::<git::Git>(),
        ModuleEntry::host::<group::Group>(),
        ModuleEntry::host::<hostname::Hostname>(),
        ModuleEntry::host::<iptables::Iptables>(),
        ModuleEntry::host::<known_hosts::KnownHosts>(),
        ModuleEntry::host::<lineinfile::Lineinfile>(),
        ModuleEntry::host::<mount_facts::MountFacts>(),
        ModuleEntry::host::<package::Package>(),
        ModuleEntry::host::<package_facts::PackageFacts>(),
        ModuleEntry::host::<ping::Ping>(),
        ModuleEntry::host::<pip::Pip>(),
        ModuleEntry::host::<replace::Replace>(),
        ModuleEntry::host::<script::Script>(),
        ModuleEntry::host::<service::Service>(),
        ModuleEntry::host::<service::Systemd>(),
        ModuleEntry::host::<service_facts::ServiceFacts>(),
        ModuleEntry::host::<setup::Setup>(),
        ModuleEntry::host::<slurp::Slurp>(),
        ModuleEntry::host::<stat::Stat>(),
        ModuleEntry::host::<tempfile::Tempfile>(),
        ModuleEntry::host::<unarchive::Unarchive>(),
        ModuleEntry::host::<uri::Uri>(),
        ModuleEntry::host::<user::User>(),
        ModuleEntry::host::<wait_for::WaitFor>(),
    ]);
    registry.probes.extend(probe::all());
}
