//! Debian root directories, installed once and cached.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Doing, Result, cache, children};

/// A Debian system: its packages and its setup.
#[derive(Clone, Copy)]
pub struct System<'a> {
    /// Part of the name in the cache: change it whenever another field changes.
    pub name: &'a str,
    /// The packages to install in addition to the minimal system.
    pub packages: &'a [&'a str],
    /// The code name of the release; `None` is this machine's.
    pub release: Option<&'a str>,
    /// A shell script that runs in the system as root.
    pub setup: &'a str,
}

/// A managed host: it has an SSH server, the programs that modules need, and the Python that ansible-core needs.
pub const HOST: System = System {
    name: "1",
    packages: &["openssh-server", "sudo", "cron", "git", "python3", "python3-apt"],
    release: None,
    // Tests must not access the package servers.
    setup: ": > /etc/apt/sources.list",
};

/// A managed host with every program that a module calls: dnf and what makes its packages, and iptables, among others.
pub const EQUIPPED: System = System {
    name: "equipped-1",
    release: None,
    packages: &[
        "acl",
        "bzip2",
        "createrepo-c",
        "cron",
        "debconf-utils",
        "dnf",
        "git",
        "gnupg",
        "iproute2",
        "iptables",
        "openssh-client",
        "openssh-server",
        "procps",
        "python3",
        "python3-apt",
        "python3-debian",
        "python3-dnf",
        "python3-pexpect",
        "python3-pip",
        "python3-venv",
        "rpm",
        "sudo",
        "systemd",
        "unzip",
        "xz-utils",
        "zip",
        "zstd",
    ],
    // Tests must not access the package servers.
    setup: ": > /etc/apt/sources.list; rm -f /usr/lib/python3*/EXTERNALLY-MANAGED",
};

/// The releases that the roles of the tests are played on; all but the first only on demand.
pub const RELEASES: [&str; 2] = ["bookworm", "trixie"];

/// Returns a managed host that boots systemd, with archives of the packages that the roles of the tests install.
pub const fn booted(release: &str) -> System<'_> {
    System {
        name: "booted-1",
        release: Some(release),
        packages: &[
            "openssh-server",
            "sudo",
            "cron",
            "git",
            "python3",
            "python3-apt",
            "python3-debian",
            "python3-packaging",
            "systemd",
            "systemd-sysv",
            "dbus",
            "libpam-systemd",
            "dbus-user-session",
            "iproute2",
            "gpg",
            "gpg-agent",
            "ca-certificates",
        ],
        setup: include_str!("debian/archive.sh"),
    }
}

/// Returns the root directory of a system, which must not be changed. Its mirror is this machine's.
pub fn root(system: &System) -> Result<PathBuf> {
    let (mirror, here) = source()?;
    let release = system.release.unwrap_or(&here);
    let directory = cache::directory()?.join(format!("debian-{release}-{}", system.name));
    cache::once(&directory, |directory| {
        eprintln!("  installing Debian {release} (takes some minutes, once)");
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.arg("--variant=minbase");
        if release == here {
            debootstrap.arg(format!("--include={}", system.packages.join(",")));
        }
        children::run("debootstrap", debootstrap.arg(release).arg(directory).arg(&mirror))?;
        if release != here {
            add_packages(directory, system.packages)?;
        }
        children::run("apt-get clean", Command::new("chroot").arg(directory).args(["apt-get", "clean"]))?;
        trust_as_here(directory)?;
        let mut setup = Command::new("chroot");
        setup.arg(directory).args(["sh", "-ec", system.setup]).env("HOME", "/root");
        children::run("setting up Debian", &mut setup).map(drop)
    })?;
    Ok(directory)
}

/// Installs packages with the system's own apt: the debootstrap of another release does not know in which order to
/// configure them.
fn add_packages(root: &Path, packages: &[&str]) -> Result<()> {
    // Nothing that a package installs may start here.
    let policy = root.join("usr/sbin/policy-rc.d");
    std::fs::write(&policy, "#!/bin/sh\nexit 101\n").doing("writing policy-rc.d")?;
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&policy, executable).doing("writing policy-rc.d")?;
    std::fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf")).doing("copying resolv.conf")?;
    for arguments in [&["update", "-q"][..], &["install", "-qy", "--no-install-recommends"]] {
        let mut apt = Command::new("chroot");
        apt.arg(root).arg("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        if arguments[0] == "install" {
            apt.args(packages);
        }
        children::run("apt-get in the new Debian", &mut apt)?;
    }
    std::fs::remove_file(&policy).doing("removing policy-rc.d")
}

/// Copies this machine's certificates, which its package mirrors may need.
fn trust_as_here(root: &Path) -> Result<()> {
    let bundle = Path::new("/etc/ssl/certs/ca-certificates.crt");
    let there = root.join("etc/ssl/certs");
    if bundle.exists() && there.exists() {
        std::fs::copy(bundle, there.join("ca-certificates.crt")).doing("copying certificates")?;
    }
    Ok(())
}

/// Returns the mirror and the release of this machine's packages.
fn source() -> Result<(String, String)> {
    let system = std::fs::read_to_string("/etc/os-release").doing("reading /etc/os-release")?;
    let release = system.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let release =
        release.ok_or("/etc/os-release has no VERSION_CODENAME: the Debian tests run on Debian only")?;
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]);
    let targets = children::run("apt-get indextargets", &mut targets)?;
    let mirror = targets.lines().find_map(|line| {
        let mut words = line.split(' ');
        let mirror = words.next()?;
        (words.next() == Some(release) && words.next() == Some("main")).then(|| mirror.to_owned())
    });
    let mirror =
        mirror.ok_or(format!("apt has no mirror for {release} main\nAdd one to /etc/apt/sources.list."))?;
    Ok((mirror, release.to_owned()))
}
