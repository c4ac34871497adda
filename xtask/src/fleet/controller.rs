//! The place from which runs against a fleet are started: it has its own SSH settings and tracks its processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Fleet;
use crate::children::Server;
use crate::{Doing, Result};

/// A home directory in which SSH finds only the fleet's key and known hosts.
pub struct Controller {
    home: PathBuf,
    /// Holds the mount namespace that all commands share, which also identifies their processes.
    mounts: Server,
}

impl Controller {
    /// Sets up SSH in `home`.
    pub fn new(fleet: &Fleet, home: &Path) -> Result<Controller> {
        let ssh = home.join(".ssh");
        fs::create_dir_all(&ssh).doing("creating a directory for SSH")?;
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700))
            .doing("restricting the directory for SSH")?;
        fs::copy(fleet.key(), ssh.join("id_ed25519")).doing("copying a key")?;
        // ssh ignores HOME and reads the `.ssh` of the home directory in /etc/passwd.
        let script = "mkdir -p -m 700 ~root/.ssh; mount --bind \"$HOME/.ssh\" ~root/.ssh; \
                      : > \"$HOME/.ready\"; exec sleep infinity";
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "sh", "-ec", script]).env("HOME", home).process_group(0);
        let mut mounts = Server::start("a controller", &mut holder, libc::SIGKILL)?;
        while !home.join(".ready").exists() {
            if !mounts.is_running()? {
                return Err("cannot create the controller's mounts".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Controller { home: home.to_owned(), mounts })
    }

    /// Returns a command that runs in the home directory; the caller adds the program and its arguments. The settings of
    /// Ansible, AWS and the SSH agent are removed from its environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.mounts.id().to_string(), "--mount"]);
        command.args(["sh", "-ec", "cd \"$HOME\"; exec \"$@\"", "sh"]);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["ANSIBLE_", "AWS_", "PLAYBOOK_", "SSH_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.env("HOME", &self.home).env("LC_ALL", "C.UTF-8");
        command
    }

    /// Returns the process ids and command lines of all running processes that the commands started.
    pub fn processes(&self) -> Vec<(libc::pid_t, String)> {
        let Ok(here) = fs::read_link(format!("/proc/{}/ns/mnt", self.mounts.id())) else { return Vec::new() };
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<libc::pid_t>().ok());
        let mut found = Vec::new();
        for number in numbers.filter(|number| *number != self.mounts.id()) {
            let Ok(there) = fs::read_link(format!("/proc/{number}/ns/mnt")) else { continue };
            let Ok(words) = fs::read(format!("/proc/{number}/cmdline")) else { continue };
            if there == here {
                found
                    .push((number, String::from_utf8_lossy(&words).replace('\0', " ").trim_end().to_owned()));
            }
        }
        found
    }
}

impl Drop for Controller {
    /// Kills the remaining processes: SSH control masters outlive the run that started them.
    fn drop(&mut self) {
        for (number, _) in self.processes() {
            // SAFETY: kill accesses no memory; only this guard's commands are in the namespace.
            unsafe { libc::kill(number, libc::SIGKILL) };
        }
    }
}
