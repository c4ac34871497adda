//! Whether the host is a virtual machine or a container, and of which kind.

use std::path::Path;

use playbook_api::{Context, Map};

use super::{put, read};

pub(crate) fn collect(_: &Context, facts: &mut Map) {
    let (mut guest, mut host): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    if let Some(kind) = container() {
        guest.push(kind);
        guest.push("container");
    }
    if let Some(kind) = machine() {
        guest.push(kind);
    }
    if Path::new("/dev/kvm").exists() {
        host.push("kvm");
    }
    let (kind, role) = match (guest.first(), host.first()) {
        (Some(kind), _) => (*kind, "guest"),
        (None, Some(kind)) => (*kind, "host"),
        (None, None) => ("NA", "NA"),
    };
    put(facts, "virtualization_type", kind);
    put(facts, "virtualization_role", role);
    put(facts, "virtualization_tech_guest", guest);
    put(facts, "virtualization_tech_host", host);
}

fn container() -> Option<&'static str> {
    if Path::new("/run/.containerenv").exists() {
        return Some("podman");
    }
    if Path::new("/.dockerenv").exists() || Path::new("/.dockerinit").exists() {
        return Some("docker");
    }
    let groups = read("/proc/1/cgroup").unwrap_or_default();
    let environment = std::fs::read("/proc/1/environ").unwrap_or_default();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let named = environment.split('\0').find_map(|v| v.strip_prefix("container="));
    match named {
        Some("lxc") => return Some("lxc"),
        Some("podman") => return Some("podman"),
        Some("docker") => return Some("docker"),
        Some(_) => return Some("container"),
        None => {}
    }
    [
        ("/docker", "docker"),
        ("/lxc/", "lxc"),
        ("kubepods", "docker"),
        ("/system.slice/containerd", "containerd"),
    ]
    .iter()
    .find(|(part, _)| groups.contains(part))
    .map(|(_, kind)| *kind)
}

fn machine() -> Option<&'static str> {
    let dmi = |name: &str| read(format!("/sys/devices/virtual/dmi/id/{name}")).unwrap_or_default();
    let (product, vendor, bios) = (dmi("product_name"), dmi("sys_vendor"), dmi("bios_vendor"));
    let xen = Path::new("/proc/xen").exists() || read("/sys/hypervisor/type").as_deref() == Some("xen");
    match () {
        () if xen => Some("xen"),
        () if matches!(product.as_str(), "KVM" | "KVM Server" | "Bochs" | "AHV") || vendor == "QEMU" => {
            Some("kvm")
        }
        () if matches!(vendor.as_str(), "Amazon EC2" | "DigitalOcean" | "Hetzner" | "Google") => Some("kvm"),
        () if product == "OpenStack Nova" || product == "Google Compute Engine" => Some("kvm"),
        () if product.starts_with("VMware") || bios == "VMware, Inc." => Some("VMware"),
        () if bios == "innotek GmbH" || product == "VirtualBox" => Some("virtualbox"),
        () if vendor == "Microsoft Corporation" && product == "Virtual Machine" => Some("VirtualPC"),
        () if vendor == "Parallels Software International Inc." => Some("parallels"),
        () => None,
    }
}
