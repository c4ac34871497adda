//! A Debian for targets that change the machine they run on: each gets a copy that forgets everything, in namespaces of
//! its own, with an SSH server on port 22 of all its loopback addresses that lets root in.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::debian::{self, System};
use xtask::{Doing, Result};

use super::list::Place;

/// What targets find installed, so that few of them have to fetch anything: what they call, what the Python modules
/// among them import, and a cron whose minutes are short.
const SYSTEM: System = System {
    name: "targets-2",
    packages: &[
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
    ],
    setup: include_str!("setup.sh"),
};

pub const PYTHON: &str = "/usr/bin/python3";
/// The Python that has ansible-core, out of the targets' way.
pub const ANSIBLE_PYTHON: &str = "/opt/ansible-core/bin/python";
/// ansible-core's own commands, and none beside them.
pub const ANSIBLE: &str = "/opt/ansible-core/commands";
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const SCRIPT: &str = concat!(include_str!("../fleet/devices.sh"), include_str!("root.sh"));

/// The folder of the Debian, made at the first call.
pub fn folder() -> Result<PathBuf> {
    debian::root(&SYSTEM)
}

/// The same command inside a copy of `root`; it sees `lent` where they are, and may change what is in `work`.
pub fn enclose(command: &Command, root: &Path, place: Place, work: &Path, lent: &[&Path]) -> Result<Command> {
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
    // How this machine reaches the package indexes.
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        if text.starts_with("pip_") || text.ends_with("_proxy") {
            unshare.env(name, value);
        }
    }
    unshare.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ok(unshare)
}
