//! A Debian for targets that change the machine: each target gets a temporary copy in its own namespaces, with an SSH
//! server on port 22 of all its loopback addresses, at which root can log in.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::debian::{self, System};
use xtask::{Doing, Result};

use super::list::Place;
use super::release::Release;

/// The packages that targets need, so that few of them download anything, and a cron that runs ten times as fast.
const PACKAGES: &[&str] = &[
    "acl",
    "bzip2",
    "cron",
    "file",
    "git",
    "gnupg",
    "iproute2",
    "iptables",
    "libfaketime",
    "libuser",
    "locales",
    "openssh-client",
    "openssh-server",
    "procps",
    "python3",
    "python3-jinja2",
    "python3-passlib",
    "python3-pexpect",
    "python3-pip",
    "python3-venv",
    "python3-yaml",
    "rsync",
    "subversion",
    "sudo",
    "unzip",
    "virtualenv",
    "xz-utils",
    "zip",
    "zstd",
];

/// The system's Python, which the targets use.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
/// The Python that has ansible-core, which the targets do not use.
pub(crate) const ANSIBLE_PYTHON: &str = "/opt/ansible-core/bin/python";
/// The directory that has only ansible-core's own commands.
pub(crate) const ANSIBLE: &str = "/opt/ansible-core/commands";
/// The `PATH` of the targets.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const SCRIPT: &str = concat!(include_str!("../fleet/devices.sh"), include_str!("root.sh"));

/// Returns the root directory of the Debian with a release of ansible-core, which the first call installs.
pub(crate) fn directory(release: &Release) -> Result<PathBuf> {
    debian::root(&System {
        name: release.system,
        packages: PACKAGES,
        release: release.debian,
        setup: &format!("core={}\n{}", release.version, include_str!("setup.sh")),
    })
}

/// Returns the command to run in a copy of `root`. It can read `lent` at their paths, and write to `work`.
pub(crate) fn enclose(
    command: &Command,
    root: &Path,
    place: Place,
    work: &Path,
    lent: &[&Path],
) -> Result<Command> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--uts", "--ipc"]);
    if place == Place::Root {
        unshare.arg("--net");
    }
    unshare.args(["sh", "-ec", SCRIPT, "sh"]).arg(root).arg(work);
    unshare.arg(std::env::join_paths(lent).doing("joining paths")?);
    unshare.arg(if place == Place::Root { "alone" } else { "online" });
    unshare.arg(command.get_current_dir().unwrap_or(Path::new("/")));
    unshare.arg(command.get_program()).args(command.get_args());
    unshare.env_clear();
    for (name, value) in [
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("SHELL", "/bin/bash"),
        ("LANG", "en_US.UTF-8"),
        ("TERM", "xterm"),
        ("DEBIAN_FRONTEND", "noninteractive"),
    ] {
        unshare.env(name, value);
    }
    // The settings with which this machine reaches the package indexes.
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        if text.starts_with("pip_") || text.ends_with("_proxy") {
            unshare.env(name, value);
        }
    }
    unshare.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ok(unshare)
}
