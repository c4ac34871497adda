//! The facts of a host, read from the kernel and from files. The only programs that run for them are the host's fact
//! scripts.

mod date_time;
mod distribution;
pub(crate) mod hardware;
pub(crate) mod local;
mod network;
mod platform;
pub(crate) mod software;
mod user;
mod virtualization;

use std::fs;
use std::path::Path;

use playbook_api::{Context, Map, Value};

/// A group of facts that can be requested by name.
pub(crate) struct Collector {
    pub(crate) name: &'static str,
    /// The names of single facts that select the group, too.
    pub(crate) facts: &'static [&'static str],
    /// Whether it is part of `min`.
    pub(crate) minimal: bool,
    /// Adds the facts of the group, without the prefix `ansible_`.
    pub(crate) collect: fn(&Context, &mut Map),
}

const fn minimal(
    name: &'static str,
    facts: &'static [&'static str],
    collect: fn(&Context, &mut Map),
) -> Collector {
    Collector { name, facts, minimal: true, collect }
}

const fn more(
    name: &'static str,
    facts: &'static [&'static str],
    collect: fn(&Context, &mut Map),
) -> Collector {
    Collector { name, facts, minimal: false, collect }
}

pub(crate) const COLLECTORS: &[Collector] = &[
    minimal(
        "platform",
        &[
            "architecture",
            "kernel",
            "kernel_version",
            "machine",
            "machine_id",
            "system",
            "fqdn",
            "hostname",
            "nodename",
            "domain",
            "userspace_bits",
            "python_version",
        ],
        platform::collect,
    ),
    minimal(
        "distribution",
        &["distribution_version", "distribution_release", "distribution_major_version", "os_family"],
        distribution::collect,
    ),
    minimal("lsb", &[], distribution::lsb),
    minimal("date_time", &[], date_time::collect),
    minimal("env", &[], user::environment),
    minimal(
        "user",
        &["user_id", "user_uid", "user_gid", "user_dir", "user_shell", "effective_user_ids", "real_user_id"],
        user::collect,
    ),
    minimal("cmdline", &["proc_cmdline"], software::cmdline),
    minimal("dns", &[], software::dns),
    minimal("fips", &[], software::fips),
    minimal("selinux", &[], software::selinux),
    minimal("apparmor", &[], software::apparmor),
    minimal("caps", &["system_capabilities", "system_capabilities_enforced"], software::capabilities),
    minimal("ssh_pub_keys", &["ssh_host_pub_keys"], software::ssh_keys),
    minimal("pkg_mgr", &[], software::package_manager),
    minimal("python", &[], software::python),
    minimal("service_mgr", &[], software::service_manager),
    more("chroot", &["is_chroot"], software::chroot),
    more(
        "hardware",
        &[
            "processor",
            "processor_cores",
            "processor_count",
            "memory",
            "memtotal_mb",
            "memfree_mb",
            "bios_version",
            "product_name",
            "form_factor",
            "uptime_seconds",
        ],
        hardware::collect,
    ),
    more("devices", &["hardware"], hardware::devices),
    more("mounts", &["hardware"], hardware::mounts),
    more("loadavg", &[], hardware::load),
    more(
        "network",
        &["interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"],
        network::collect,
    ),
    more(
        "virtual",
        &[
            "virtualization_type",
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
        ],
        virtualization::collect,
    ),
    more("iscsi", &[], software::initiators),
    more("fibre_channel_wwn", &[], |_, _| {}),
    more("nvme", &[], |_, _| {}),
];

/// Returns a file's text, without the surrounding white space; `None` if it cannot be read.
fn read(path: impl AsRef<Path>) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).trim().to_owned())
}

fn put(facts: &mut Map, name: &str, value: impl Into<Value>) {
    facts.insert(name.into(), value.into());
}

/// Parses `NAME="value"` lines, as in `/etc/os-release`.
fn assignments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        (!name.starts_with('#')).then(|| (name.trim(), value.trim().trim_matches(['"', '\''])))
    })
}
