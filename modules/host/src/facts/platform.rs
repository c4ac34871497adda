//! The kernel, the machine and their names.

use playbook_api::{Context, Map};

use super::{put, read};

pub(crate) fn collect(context: &Context, facts: &mut Map) {
    let Ok(system) = nix::sys::utsname::uname() else { return };
    let text = |t: &std::ffi::OsStr| t.to_string_lossy().into_owned();
    let (machine, node) = (text(system.machine()), text(system.nodename()));
    let architecture = match machine.as_str() {
        "i386" | "i486" | "i586" | "i686" => "i386".to_owned(),
        other => other.to_owned(),
    };
    let fqdn = qualified(&node);
    put(facts, "system", text(system.sysname()));
    put(facts, "kernel", text(system.release()));
    put(facts, "kernel_version", text(system.version()));
    put(facts, "machine", machine.as_str());
    put(facts, "architecture", architecture.as_str());
    put(facts, "userspace_bits", if cfg!(target_pointer_width = "64") { "64" } else { "32" });
    put(facts, "userspace_architecture", architecture);
    put(facts, "nodename", node.as_str());
    put(facts, "hostname", node.split('.').next().unwrap_or_default());
    put(facts, "domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
    put(facts, "fqdn", fqdn.as_str());
    if let Some(id) = read("/var/lib/dbus/machine-id").or_else(|| read("/etc/machine-id")) {
        put(facts, "machine_id", id);
    }
    super::software::python_version(context, facts);
}

/// Returns the fully qualified name, from `/etc/hosts` if it is there, since a name server could take seconds.
fn qualified(node: &str) -> String {
    if node.contains('.') {
        return node.to_owned();
    }
    let hosts = read("/etc/hosts").unwrap_or_default();
    let lines = hosts.lines().map(|l| l.split('#').next().unwrap_or_default());
    let named = lines.filter(|l| l.split_whitespace().skip(1).any(|name| name == node)).find_map(|l| {
        let names = l.split_whitespace().skip(1);
        names.into_iter().find(|n| n.contains('.') || *n == "localhost").map(str::to_owned)
    });
    named.unwrap_or_else(|| node.to_owned())
}
