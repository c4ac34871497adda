//! Boot options, name servers, security modules, and the service and package managers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use playbook_api::{Context, Map, Value, map};

use super::{put, read};
use crate::host::Host;
use crate::host::process::{Program, which};

pub(crate) fn cmdline(_: &Context, facts: &mut Map) {
    let text = read("/proc/cmdline").unwrap_or_default();
    let words = crate::host::words::split(&text).unwrap_or_default();
    let (mut last, mut all) = (Map::default(), Map::default());
    for word in words {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Value::from(value)),
            None => (word, true.into()),
        };
        last.insert(name.as_str().into(), value.clone());
        // An option that occurs more than once has a list of values.
        let merged = match all.get(name.as_str()) {
            None => value,
            Some(old) => {
                let mut values = old.as_list().map_or_else(|| vec![old.clone()], <[Value]>::to_vec);
                values.push(value);
                values.into()
            }
        };
        all.insert(name.into(), merged);
    }
    put(facts, "cmdline", last);
    put(facts, "proc_cmdline", all);
}

pub(crate) fn dns(_: &Context, facts: &mut Map) {
    let text = read("/etc/resolv.conf").unwrap_or_default();
    let mut dns = Map::default();
    let mut servers: Vec<Value> = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';'])) {
        let mut words = line.split_whitespace();
        let Some(word) = words.next() else { continue };
        let rest: Vec<&str> = words.collect();
        match word {
            "nameserver" => servers.extend(rest.into_iter().map(Value::from)),
            "domain" => put(&mut dns, "domain", rest.first().copied().unwrap_or_default()),
            "search" | "sortlist" => put(&mut dns, word, rest),
            "options" => {
                let option = |o: &str| match o.split_once(':') {
                    Some((name, value)) => (Value::from(name), Value::from(value)),
                    None => (Value::from(o), true.into()),
                };
                put(&mut dns, "options", rest.into_iter().map(option).collect::<Map>());
            }
            _ => {}
        }
    }
    if !servers.is_empty() {
        put(&mut dns, "nameservers", servers);
    }
    put(facts, "dns", dns);
}

pub(crate) fn fips(_: &Context, facts: &mut Map) {
    put(facts, "fips", read("/proc/sys/crypto/fips_enabled").as_deref() == Some("1"));
}

pub(crate) fn selinux(_: &Context, facts: &mut Map) {
    let enforce = read("/sys/fs/selinux/enforce");
    put(facts, "selinux_python_present", true);
    let Some(enforce) = enforce else { return put(facts, "selinux", map! { "status" => "disabled" }) };
    let config = read("/etc/selinux/config").unwrap_or_default();
    let setting = |name: &str| {
        super::assignments(&config).find(|(n, _)| *n == name).map_or("unknown", |(_, v)| v).to_owned()
    };
    put(
        facts,
        "selinux",
        map! {
            "status" => "enabled",
            "mode" => if enforce == "1" { "enforcing" } else { "permissive" },
            "config_mode" => setting("SELINUX"),
            "type" => setting("SELINUXTYPE"),
            "policyvers" => read("/sys/fs/selinux/policyvers").and_then(|v| v.parse::<i64>().ok()),
        },
    );
}

pub(crate) fn apparmor(_: &Context, facts: &mut Map) {
    let enabled = Path::new("/sys/kernel/security/apparmor").exists();
    put(facts, "apparmor", map! { "status" => if enabled { "enabled" } else { "disabled" } });
}

const CAPABILITIES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

pub(crate) fn capabilities(_: &Context, facts: &mut Map) {
    let status = read("/proc/self/status").unwrap_or_default();
    let mask = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name))?;
        u64::from_str_radix(line.trim_start_matches(':').trim(), 16).ok()
    };
    let (Some(effective), Some(bounding)) = (mask("CapEff"), mask("CapBnd")) else {
        return put(facts, "system_capabilities_enforced", "NA");
    };
    let full = effective & bounding == bounding && effective != 0;
    let names =
        CAPABILITIES.iter().enumerate().filter(|(i, _)| effective >> i & 1 == 1).map(|(_, name)| *name);
    let names: Vec<&str> = if full { Vec::new() } else { names.collect() };
    put(facts, "system_capabilities_enforced", if full { "False" } else { "True" });
    put(facts, "system_capabilities", names);
}

pub(crate) fn ssh_keys(_: &Context, facts: &mut Map) {
    for name in ["dsa", "rsa", "ecdsa", "ed25519"] {
        let directories = ["/etc/ssh", "/etc/openssh", "/etc"];
        let text = directories.iter().find_map(|f| read(format!("{f}/ssh_host_{name}_key.pub")));
        let Some(text) = text else { continue };
        let mut words = text.split_whitespace();
        if let (Some(kind), Some(key)) = (words.next(), words.next()) {
            put(facts, &format!("ssh_host_key_{name}_public"), key);
            put(facts, &format!("ssh_host_key_{name}_public_keytype"), kind);
        }
    }
}

pub(crate) fn package_manager(_: &Context, facts: &mut Map) {
    let known = [
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf-3", "dnf"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/zypper", "zypper"),
        ("/usr/bin/pacman", "pacman"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/emerge", "portage"),
        ("/usr/bin/xbps-install", "xbps"),
        ("/nix/var/nix/profiles/default/bin/nix", "nix"),
        ("/usr/bin/rpm-ostree", "atomic_container"),
    ];
    let found = known.iter().find(|(path, _)| Path::new(path).exists());
    put(facts, "pkg_mgr", found.map_or("unknown", |(_, name)| name));
}

pub(crate) fn service_manager(context: &Context, facts: &mut Map) {
    let first = read("/proc/1/comm").unwrap_or_default();
    let is_running =
        ["/run/systemd/system", "/dev/.run/systemd/", "/dev/.systemd/"].iter().any(|p| Path::new(p).exists());
    let manager = if is_running {
        "systemd".to_owned()
    } else if Path::new("/run/openrc/softlevel").exists() || first == "openrc-init" {
        "openrc".to_owned()
    } else if first.is_empty() || matches!(first.as_str(), "init" | "sh" | "bash") {
        match which("initctl", context) {
            Some(_) if Path::new("/etc/init").is_dir() => "upstart".to_owned(),
            _ if is_manager(context) => "systemd".to_owned(),
            _ if Path::new("/etc/init.d").exists() => "sysvinit".to_owned(),
            _ => "service".to_owned(),
        }
    } else {
        first
    };
    put(facts, "service_mgr", manager);
}

/// Returns whether systemd manages the host's services, even if it does not run, as in a chroot or an image.
pub(crate) fn is_manager(context: &Context) -> bool {
    if which("systemctl", context).is_none() {
        return false;
    }
    let first = std::fs::read_to_string("/proc/1/comm").unwrap_or_default();
    if Path::new("/run/systemd/system").exists() || first.trim() == "systemd" {
        return true;
    }
    let init = std::fs::read_link("/sbin/init").unwrap_or_default();
    let is_unclear = matches!(first.trim(), "" | "init" | "sh" | "bash");
    is_unclear && init.file_name().is_some_and(|name| name == "systemd")
}

/// Whether the root directory of this process is not the one that the system started with.
pub(crate) fn is_chroot() -> bool {
    use std::os::unix::fs::MetadataExt;
    if std::env::var_os("debian_chroot").is_some_and(|name| !name.is_empty()) {
        return true;
    }
    let id = |path: &str| std::fs::metadata(path).ok().map(|s| (s.dev(), s.ino()));
    match (id("/"), id("/proc/1/root/.")) {
        (Some(here), Some(first)) => here != first,
        // Otherwise the root of a file system is recognized by its inode number: 256 on btrfs, 128 on XFS.
        (Some((_, inode)), None) => !matches!(inode, 2 | 128 | 256),
        _ => false,
    }
}

pub(crate) fn chroot(_: &Context, facts: &mut Map) {
    put(facts, "is_chroot", is_chroot());
}

pub(crate) fn initiators(_: &Context, facts: &mut Map) {
    let text = read("/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = super::assignments(&text).find(|(n, _)| *n == "InitiatorName").map_or("", |(_, v)| v);
    put(facts, "iscsi_iqn", name);
    put(facts, "hostnqn", read("/etc/nvme/hostnqn").unwrap_or_default());
}

/// The Python that tasks may call. No module needs it.
pub(crate) fn python(context: &Context, facts: &mut Map) {
    let Some(path) = interpreter(context) else { return };
    let mut python =
        map! { "executable" => path.display().to_string(), "type" => "cpython", "has_sslcontext" => true };
    let known = facts.get("python_version").map(|version| version.to_text().into_owned());
    if let Some((major, minor)) = known.as_deref().map_or_else(|| version(&path, context), numbers) {
        put(&mut python, "version", map! { "major" => major, "minor" => minor });
        put(&mut python, "version_info", vec![major, minor]);
    }
    put(facts, "python", python);
}

/// The version of that Python, which is a fact of the platform.
pub(crate) fn python_version(context: &Context, facts: &mut Map) {
    if let Some((major, minor)) = interpreter(context).and_then(|path| version(&path, context)) {
        put(facts, "python_version", format!("{major}.{minor}"));
    }
}

fn interpreter(context: &Context) -> Option<PathBuf> {
    which("python3", context).or_else(|| which("python", context))
}

/// Returns the version, which the name of the file has: `python3.11`. If not, it is run to get it.
fn version(path: &Path, context: &Context) -> Option<(i64, i64)> {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = match name.contains('.') {
        true => name,
        false => {
            let program = Program::new([path.display().to_string()]).arg("--version");
            let said = Host::new(context).try_query(&program.timeout(Duration::from_secs(5)));
            said.map(|said| said.out().trim().to_lowercase().replace(' ', "")).unwrap_or_default()
        }
    };
    numbers(name.strip_prefix("python")?)
}

fn numbers(version: &str) -> Option<(i64, i64)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
