//! Where runs against a fleet are started from: with SSH settings of their own, and followed to the last process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Fleet;
use crate::children::Server;
use crate::{Doing, Result};

/// A home folder, in which the fleet's key and its known hosts are all that SSH finds.
pub struct Controller {
    home: PathBuf,
    /// Holds the mounts that all its commands share, and by which they are known.
    mounts: Server,
}

impl Controller {
    /// Puts what SSH needs into `home`.
    pub fn new(fleet: &Fleet, home: &Path) -> Result<Controller> {
        let ssh = home.join(".ssh");
        fs::create_dir_all(&ssh).doing("making a folder for SSH")?;
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).doing("making a private folder")?;
        fs::copy(fleet.key(), ssh.join("id_ed25519")).doing("copying a key")?;
        // ssh, which does not ask HOME, must find the fleet's `.ssh` where it looks.
        let script = "mkdir -p -m 700 ~root/.ssh; mount --bind \"$HOME/.ssh\" ~root/.ssh; \
                      : > \"$HOME/.ready\"; exec sleep infinity";
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "sh", "-ec", script]).env("HOME", home).process_group(0);
        let mut mounts = Server::start("a controller", &mut holder, libc::SIGKILL)?;
        while !home.join(".ready").exists() {
            if !mounts.is_running()? {
                return Err("the controller's mounts could not be made".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Controller { home: home.to_owned(), mounts })
    }

    /// A command that begins in the home, before the program and its arguments are added. Ansible's settings, AWS's
    /// and those of the developer's SSH agent are not passed on.
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

    /// The numbers and command lines of all that the commands started and that is still there.
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
    /// SSH's masters outlive the run that started them.
    fn drop(&mut self) {
        for (number, _) in self.processes() {
            // SAFETY: a plain system call on a process in a namespace that only this guard's commands are in.
            unsafe { libc::kill(number, libc::SIGKILL) };
        }
    }
}
