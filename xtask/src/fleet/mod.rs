//! Hosts to reach over SSH, on this one machine: OpenSSH's server in namespaces, each with files, processes, users and a
//! network cable of its own. What happens on them is seen and kept nowhere else; they need root, and Linux.

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

use crate::{Doing, Result, children};

/// The password of every user of every machine.
pub const PASSWORD: &str = "walnut 7 'quoted'";

/// What the password looks like in /etc/shadow.
const HASH: &str =
    "$6$fleet$kauCUjxeb4MdMI/mGnPpnXLnqkglr.HDFKRx92dKoTCju6IuF7jnHpnBvJ2kerC5PoW8CfeRdQEMqfXu/OHxD1";

/// Who can log in beside root, all with the client's key or the password.
///
/// `keeper` uses sudo without a password and `warden` with it; `guest` may not use it; `robot` is there to be become.
pub const USERS: [&str; 4] = ["keeper", "warden", "guest", "robot"];

/// Machines, the key that opens them, and the file that knows theirs.
pub struct Fleet {
    folder: TempDir,
    known_hosts: Mutex<()>,
}

impl Fleet {
    /// A fleet without machines.
    pub fn new() -> Result<Fleet> {
        let folder = tempfile::Builder::new().prefix("playbook-fleet-").tempdir().doing("making a folder")?;
        let fleet = Fleet { folder, known_hosts: Mutex::new(()) };
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f"]).arg(fleet.key());
        children::run("ssh-keygen", &mut keygen)?;
        fs::write(fleet.known_hosts(), "").doing("writing known_hosts")?;
        Ok(fleet)
    }

    /// Why there can be no machines here.
    pub fn impossible() -> Option<&'static str> {
        match (cfg!(target_os = "linux"), crate::is_root()) {
            (false, _) => Some("namespaces need Linux"),
            (true, true) => None,
            (true, false) => Some("only root can make namespaces with users and networks of their own"),
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The private key that all users of all machines take.
    pub fn key(&self) -> PathBuf {
        self.folder().join("key")
    }

    /// The machines' own keys, in ssh's form.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder().join("known_hosts")
    }

    /// A machine like this one.
    pub fn machine(&self, name: &str) -> Result<Machine> {
        self.make(Make { name, ..Make::default() })
    }

    pub fn make(&self, make: Make) -> Result<Machine> {
        let machine = Machine::start(self, make)?;
        self.know(&machine, &machine.address())?;
        self.know(&machine, &format!("198.19.{}.*", machine.number()))?;
        Ok(machine)
    }

    /// Notes that the machine's key is to be expected at this address; `[ADDRESS]:PORT` where the port is not 22.
    pub fn know(&self, machine: &Machine, address: &str) -> Result<()> {
        let _alone = self.known_hosts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = machine.path("/etc/ssh/ssh_host_ed25519_key.pub");
        let key = fs::read_to_string(key).doing("reading a machine's public key")?;
        let mut known = fs::read_to_string(self.known_hosts()).doing("reading known_hosts")?;
        known.push_str(&format!("{address} {}\n", key.trim()));
        fs::write(self.known_hosts(), known).doing("writing known_hosts")
    }
}
