//! Where runs against a fleet are started from: with SSH settings of their own, and followed to the last process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Fleet;
use crate::{Doing, Result};

/// A home folder, in which the fleet's key and its known hosts are all that SSH finds.
pub struct Controller {
    home: PathBuf,
}

impl Controller {
    /// Puts what SSH needs into `home`.
    pub fn new(fleet: &Fleet, home: &Path) -> Result<Controller> {
        let ssh = home.join(".ssh");
        fs::create_dir_all(&ssh).doing("making a folder for SSH")?;
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).doing("making a private folder")?;
        fs::copy(fleet.key(), ssh.join("id_ed25519")).doing("copying a key")?;
        Ok(Controller { home: home.to_owned() })
    }

    /// A command that begins in the home, before the program and its arguments are added. Ansible's settings, AWS's
    /// and those of the developer's SSH agent are not passed on.
    ///
    /// The program has mounts of its own: ssh, which does not ask HOME, finds the fleet's `.ssh` where it looks.
    pub fn command(&self) -> Command {
        let mut command = Command::new("unshare");
        let script = "readlink /proc/self/ns/mnt > \"$HOME/.namespace\"; mkdir -p -m 700 ~root/.ssh; \
                      mount --bind \"$HOME/.ssh\" ~root/.ssh; exec \"$@\"";
        command.args(["--mount", "--", "sh", "-ec", script, "sh"]).current_dir(&self.home);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["ANSIBLE_", "AWS_", "PLAYBOOK_", "SSH_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.env("HOME", &self.home).env("LC_ALL", "C.UTF-8");
        command
    }

    /// The numbers and command lines of what the last command started and what is still there.
    pub fn processes(&self) -> Vec<(libc::pid_t, String)> {
        let Ok(namespace) = fs::read_to_string(self.home.join(".namespace")) else { return Vec::new() };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut found = Vec::new();
        for entry in entries {
            let there = fs::read_link(entry.path().join("ns/mnt"));
            if there.is_ok_and(|there| there.as_os_str() == namespace.trim())
                && let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok())
                && let Ok(words) = fs::read(entry.path().join("cmdline"))
            {
                found
                    .push((number, String::from_utf8_lossy(&words).replace('\0', " ").trim_end().to_owned()));
            }
        }
        found
    }
}

impl Drop for Controller {
    /// SSH's masters outlive the run that started them.
    fn drop(&mut self) {
        for (number, _) in self.processes() {
            // SAFETY: a plain system call on a process in a namespace that only this guard's commands are in.
            unsafe { libc::kill(number, libc::SIGKILL) };
        }
    }
}
