//! Fresh Debians, as folders, made once.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Doing, Result, cache, children};

/// What is installed, and what is done with it then.
pub struct System<'a> {
    /// Changes when the rest does.
    pub name: &'a str,
    pub packages: &'a [&'a str],
    /// A script of the shell's that runs inside, as root.
    pub setup: &'a str,
}

/// What it has beside Debian's minimum: an SSH server to reach it by, what modules need for their work on such a host,
/// and the Python that ansible-core needs there.
pub const HOST: System = System {
    name: "1",
    packages: &["openssh-server", "sudo", "cron", "git", "python3", "python3-apt"],
    // Its own packages come from there too, and tests are to ask no server.
    setup: ": > /etc/apt/sources.list",
};

/// The folder of a system, of the same release as this machine and from the same mirror. Nobody may change what is in
/// it.
pub fn root(system: &System) -> Result<PathBuf> {
    let (mirror, release) = source()?;
    let folder = cache::folder()?.join(format!("debian-{release}-{}", system.name));
    cache::once(&folder, |folder| {
        eprintln!("  installing Debian {release} (some minutes the first time)");
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.arg("--variant=minbase").arg(format!("--include={}", system.packages.join(",")));
        children::run("debootstrap", debootstrap.arg(&release).arg(folder).arg(&mirror))?;
        children::run("apt-get clean", Command::new("chroot").arg(folder).args(["apt-get", "clean"]))?;
        trust_as_here(folder)?;
        let mut setup = Command::new("chroot");
        setup.arg(folder).args(["sh", "-ec", system.setup]).env("HOME", "/root");
        children::run("setting up a Debian", &mut setup).map(drop)
    })?;
    Ok(folder)
}

/// The certificates of this machine's mirrors may be known to this machine alone.
fn trust_as_here(root: &Path) -> Result<()> {
    let bundle = Path::new("/etc/ssl/certs/ca-certificates.crt");
    let there = root.join("etc/ssl/certs");
    if bundle.exists() && there.exists() {
        std::fs::copy(bundle, there.join("ca-certificates.crt")).doing("copying certificates")?;
    }
    Ok(())
}

/// The mirror and the release that this machine's packages come from.
fn source() -> Result<(String, String)> {
    let system = std::fs::read_to_string("/etc/os-release").doing("reading /etc/os-release")?;
    let release = system.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let release =
        release.ok_or("/etc/os-release names no release: a Debian root can only be made on Debian")?;
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]);
    let targets = children::run("apt-get indextargets", &mut targets)?;
    let mirror = targets.lines().find_map(|line| {
        let mut words = line.split(' ');
        let mirror = words.next()?;
        (words.next() == Some(release) && words.next() == Some("main")).then(|| mirror.to_owned())
    });
    let mirror = mirror.ok_or(format!("apt knows no mirror of {release} main: see /etc/apt/sources.list"))?;
    Ok((mirror, release.to_owned()))
}
