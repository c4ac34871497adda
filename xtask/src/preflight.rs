//! Checks for the required programs before a command starts. In CI and as root, missing packages are installed;
//! otherwise the error names them.

use std::path::Path;
use std::process::Command;

use xtask::fleet::Fleet;
use xtask::{Result, children, is_root, python};

/// A requirement, and the Debian packages that provide it.
struct Need {
    what: &'static str,
    packages: &'static [&'static str],
    there: fn() -> bool,
}

const PYTHON: Need = Need { what: "python3 (3.9 or newer)", packages: &["python3"], there: has_python };
const VENV: Need =
    Need { what: "Python's venv module with pip", packages: &["python3-venv"], there: has_venv };
const COMPILER: Need =
    Need { what: "a C compiler (cc)", packages: &["gcc", "libc6-dev"], there: has_compiler };
const SUDO: Need = Need { what: "sudo", packages: &["sudo"], there: has_sudo };
const LOCALE: Need = Need { what: "the locale en_US.UTF-8", packages: &["locales"], there: has_locale };

const SSH: Need = Need {
    what: "OpenSSH's server and client",
    packages: &["openssh-server", "openssh-client"],
    there: || ["sshd", "ssh", "ssh-keygen", "scp"].iter().all(|name| is_command(name)),
};
const SSHPASS: Need = Need { what: "sshpass", packages: &["sshpass"], there: || is_command("sshpass") };
const NETWORK: Need = Need { what: "ip", packages: &["iproute2"], there: || is_command("ip") };
const DOCKER: Need = Need {
    what: "a Docker engine",
    packages: &["docker.io"],
    there: || is_command("docker") && is_command("dockerd"),
};
const DEBOOTSTRAP: Need =
    Need { what: "debootstrap", packages: &["debootstrap"], there: || is_command("debootstrap") };

/// Checks what the servers and the build need.
pub(crate) fn sandbox() -> Result<()> {
    check(&[PYTHON, VENV, COMPILER])
}

/// Checks what the tests need.
pub(crate) fn tests() -> Result<()> {
    let here = [PYTHON, VENV, COMPILER, SUDO, LOCALE];
    // Only root can create machines to reach over SSH, and only on Linux: otherwise their tests are skipped.
    let machines = [SSH, SSHPASS, NETWORK, DOCKER, DEBOOTSTRAP];
    let machines = machines.into_iter().filter(|_| Fleet::impossible().is_none());
    check(&here.into_iter().chain(machines).collect::<Vec<_>>())
}

/// Checks what measuring runs over SSH needs.
pub(crate) fn fleet() -> Result<()> {
    if let Some(why) = Fleet::impossible() {
        return Err(format!("cannot create machines to reach over SSH: {why}"));
    }
    check(&[PYTHON, VENV, COMPILER, SSH, SSHPASS, NETWORK])
}

/// Checks what ansible-core's integration targets need. With `roots`, some of them run in a separate Debian.
pub(crate) fn upstream(roots: bool) -> Result<()> {
    let here = [PYTHON, VENV, SUDO, LOCALE];
    let debian = Some(DEBOOTSTRAP).filter(|_| roots && Fleet::impossible().is_none());
    check(&here.into_iter().chain(debian).collect::<Vec<_>>())
}

/// Returns whether the command runs in CI: `CI` is `true` or `1`.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

fn check(needs: &[Need]) -> Result<()> {
    let missing = |needs: &[Need]| -> Vec<(&'static str, &'static [&'static str])> {
        needs.iter().filter(|need| !(need.there)()).map(|need| (need.what, need.packages)).collect()
    };
    let mut lacking = missing(needs);
    if lacking.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = lacking.iter().flat_map(|(_, packages)| packages.iter().copied()).collect();
    if is_ci() || is_root() {
        install(&packages)?;
        lacking = missing(needs);
        if lacking.is_empty() {
            return Ok(());
        }
    }
    let names: Vec<&str> = lacking.iter().map(|(what, _)| *what).collect();
    let mut message = format!(
        "missing on this machine: {}\nOn Debian or Ubuntu, run: apt-get install {}",
        names.join(", "),
        packages.join(" ")
    );
    if packages.contains(&"locales") {
        message.push_str("\nThen run: localedef -i en_US -f UTF-8 en_US.UTF-8");
    }
    Err(message)
}

fn install(packages: &[&str]) -> Result<()> {
    eprintln!("installing {}", packages.join(" "));
    children::run("apt-get update", Command::new("apt-get").args(["update", "-q"]))?;
    let mut apt = Command::new("apt-get");
    children::run("apt-get install", apt.args(["install", "-qy", "--no-install-recommends"]).args(packages))?;
    if packages.contains(&"locales") {
        let mut localedef = Command::new("localedef");
        children::run("localedef", localedef.args(["-i", "en_US", "-f", "UTF-8", "en_US.UTF-8"]))?;
    }
    Ok(())
}

fn has_python() -> bool {
    python::interpreter().is_ok()
}

fn has_venv() -> bool {
    python::interpreter().is_ok_and(|python| python::can_make_environments(&python))
}

fn has_compiler() -> bool {
    succeeds(Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into())).arg("--version"))
        && (cfg!(not(target_os = "linux")) || Path::new("/usr/include/stdlib.h").exists())
}

fn has_sudo() -> bool {
    succeeds(Command::new("sudo").arg("--version"))
}

/// Finds a command on PATH, or in the administrators' directories, which may not be on PATH.
fn is_command(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path).chain(more).any(|directory| directory.join(name).is_file())
}

fn has_locale() -> bool {
    let locales = Command::new("locale").arg("-a").output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&locales).lines().any(|name| name.to_lowercase().replace('-', "") == "en_us.utf8")
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
