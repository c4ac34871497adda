//! Hosts to reach over SSH on this machine: OpenSSH servers in namespaces, each with its own files, processes, users
//! and network interface. They do not affect the machine itself. They need Linux and root.

mod controller;
mod delay;
mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

pub use controller::Controller;
pub use delay::Delay;
pub use machine::{Machine, Make};

use crate::{Doing, Result, children, lock};

/// The password of every user of every machine.
pub const PASSWORD: &str = "walnut 7 'quoted'";

/// The password's hash in /etc/shadow.
const HASH: &str =
    "$6$fleet$kauCUjxeb4MdMI/mGnPpnXLnqkglr.HDFKRx92dKoTCju6IuF7jnHpnBvJ2kerC5PoW8CfeRdQEMqfXu/OHxD1";

/// The users besides root, all of whom can log in with the client's key or the password.
///
/// `keeper` uses sudo without a password, `warden` with a password; `guest` is not allowed to use it; tests become
/// `robot`.
pub const USERS: [&str; 4] = ["keeper", "warden", "guest", "robot"];

/// Machines, with the client's key and the known hosts file.
pub struct Fleet {
    directory: TempDir,
    known_hosts: Mutex<()>,
}

impl Fleet {
    /// Creates a fleet without machines.
    pub fn new() -> Result<Fleet> {
        let directory =
            tempfile::Builder::new().prefix("playbook-fleet-").tempdir().doing("creating a directory")?;
        let fleet = Fleet { directory, known_hosts: Mutex::new(()) };
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f"]).arg(fleet.key());
        children::run("ssh-keygen", &mut keygen)?;
        fs::write(fleet.known_hosts(), "").doing("writing known_hosts")?;
        Ok(fleet)
    }

    /// Returns the reason why machines cannot be created here.
    pub fn impossible() -> Option<&'static str> {
        match (cfg!(target_os = "linux"), crate::is_root()) {
            (false, _) => Some("namespaces need Linux"),
            (true, true) => None,
            (true, false) => Some("only root can create namespaces with their own users and networks"),
        }
    }

    /// Returns the directory of the fleet's files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the path of the private key that all users of all machines accept.
    pub fn key(&self) -> PathBuf {
        self.directory().join("key")
    }

    /// Returns the path of the known hosts file.
    pub fn known_hosts(&self) -> PathBuf {
        self.directory().join("known_hosts")
    }

    /// Starts a machine that is a copy of this one.
    pub fn machine(&self, name: &str) -> Result<Machine> {
        self.make(Make { name, ..Make::default() })
    }

    /// Starts a machine and adds it to the known hosts.
    pub fn make(&self, make: Make) -> Result<Machine> {
        let machine = Machine::start(self, make)?;
        self.know(&machine, &machine.address())?;
        self.know(&machine, &format!("198.19.{}.*", machine.number()))?;
        Ok(machine)
    }

    /// Adds the machine's key to the known hosts for an address; `[ADDRESS]:PORT` if the port is not 22.
    pub fn know(&self, machine: &Machine, address: &str) -> Result<()> {
        let _alone = lock(&self.known_hosts);
        let key = machine.path("/etc/ssh/ssh_host_ed25519_key.pub");
        let key = fs::read_to_string(key).doing("reading a machine's public key")?;
        let mut known = fs::read_to_string(self.known_hosts()).doing("reading known_hosts")?;
        known.push_str(&format!("{address} {}\n", key.trim()));
        fs::write(self.known_hosts(), known).doing("writing known_hosts")
    }
}
