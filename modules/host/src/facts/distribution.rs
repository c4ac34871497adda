//! The distribution of the host.

use std::collections::HashMap;

use playbook_api::{Context, Map, map};

use super::{assignments, put, read};

/// The `ID` of os-release, Ansible's name, and Ansible's family.
const KNOWN: &[(&str, &str, &str)] = &[
    ("debian", "Debian", "Debian"),
    ("ubuntu", "Ubuntu", "Debian"),
    ("raspbian", "Debian", "Debian"),
    ("kali", "Kali", "Debian"),
    ("linuxmint", "Linux Mint", "Debian"),
    ("pop", "Pop!_OS", "Debian"),
    ("rhel", "RedHat", "RedHat"),
    ("centos", "CentOS", "RedHat"),
    ("fedora", "Fedora", "RedHat"),
    ("rocky", "Rocky", "RedHat"),
    ("almalinux", "AlmaLinux", "RedHat"),
    ("ol", "OracleLinux", "RedHat"),
    ("amzn", "Amazon", "RedHat"),
    ("opensuse-leap", "openSUSE Leap", "Suse"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse"),
    ("sles", "SLES", "Suse"),
    ("alpine", "Alpine", "Alpine"),
    ("arch", "Archlinux", "Archlinux"),
    ("manjaro", "Manjaro", "Archlinux"),
    ("gentoo", "Gentoo", "Gentoo"),
    ("nixos", "NixOS", "NixOS"),
    ("wolfi", "Wolfi", "Alpine"),
];

const FILES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

pub(crate) fn collect(_: &Context, facts: &mut Map) {
    let Some((path, text)) = FILES.iter().find_map(|p| Some((*p, read(p)?))) else {
        put(facts, "distribution", "Linux");
        put(facts, "os_family", "Linux");
        return;
    };
    let fields: HashMap<&str, &str> = assignments(&text).collect();
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let id = field("ID");
    let like = field("ID_LIKE").split_whitespace().next().unwrap_or_default();
    let find = |id: &str| KNOWN.iter().find(|(known, _, _)| *known == id);
    let name = find(id).map_or_else(|| field("NAME"), |(_, name, _)| name);
    let family = find(id).or_else(|| find(like)).map_or(name, |(_, _, family)| family);
    let version = match id {
        // Testing and unstable have no number: the file contains `forky/sid`.
        "debian" => read("/etc/debian_version")
            .filter(|v| v.starts_with(|c: char| c.is_ascii_digit()) || field("VERSION_ID").is_empty()),
        "alpine" => read("/etc/alpine-release"),
        _ => None,
    };
    let version = version.unwrap_or_else(|| field("VERSION_ID").to_owned());
    let in_brackets =
        field("VERSION").split_once('(').and_then(|(_, rest)| rest.split(')').next()).unwrap_or("NA");
    let codename = Some(field("VERSION_CODENAME")).filter(|c| !c.is_empty()).unwrap_or(in_brackets);
    put(facts, "distribution", name);
    put(facts, "distribution_version", if version.is_empty() { "NA" } else { &version });
    put(
        facts,
        "distribution_major_version",
        version.split('.').next().filter(|v| !v.is_empty()).unwrap_or("NA"),
    );
    if let Some(minor) = version.split('.').nth(1).filter(|_| id == "debian" || id == "amzn") {
        put(facts, "distribution_minor_version", minor);
    }
    put(facts, "distribution_release", codename);
    put(facts, "distribution_file_path", path);
    put(facts, "distribution_file_variety", if name == "Ubuntu" { "Debian" } else { family });
    put(facts, "distribution_file_parsed", true);
    put(facts, "os_family", family);
}

/// The facts of `lsb_release`, from the same files.
pub(crate) fn lsb(_: &Context, facts: &mut Map) {
    let text = read("/etc/lsb-release").or_else(|| FILES.iter().find_map(read)).unwrap_or_default();
    let fields: HashMap<&str, &str> = assignments(&text).collect();
    let field =
        |a: &str, b: &str| fields.get(a).or_else(|| fields.get(b)).copied().unwrap_or_default().to_owned();
    let release = field("DISTRIB_RELEASE", "VERSION_ID");
    let id = field("DISTRIB_ID", "ID");
    let id =
        KNOWN.iter().find(|(known, _, _)| *known == id).map_or(id.clone(), |(_, name, _)| (*name).to_owned());
    let lsb = if release.is_empty() {
        Map::default()
    } else {
        map! {
            "id" => id,
            "release" => release.as_str(),
            "major_release" => release.split('.').next().unwrap_or_default(),
            "codename" => field("DISTRIB_CODENAME", "VERSION_CODENAME"),
            "description" => field("DISTRIB_DESCRIPTION", "PRETTY_NAME"),
        }
    };
    put(facts, "lsb", lsb);
}
