//! One host: a process tree in its own namespaces.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Fleet, HASH};
use crate::children::Server;
use crate::{Doing, Result, children, lock};

/// How to make a machine.
#[derive(Clone, Copy)]
pub struct Make<'a> {
    /// The machine's name.
    pub name: &'a str,
    /// The directory whose copy is its root.
    pub root: &'a Path,
    /// The machine that its network is connected to and that alone can reach it; `None` for this machine.
    pub behind: Option<&'a Machine>,
    /// Whether its SSH server only forwards connections.
    pub subdued: bool,
    /// Whether its first process is systemd, which starts the SSH server, and not the server itself.
    pub boots: bool,
}

impl Default for Make<'_> {
    fn default() -> Self {
        Make { name: "host", root: Path::new("/"), behind: None, subdued: false, boots: false }
    }
}

/// A running machine; dropping it kills all its processes at once.
pub struct Machine {
    /// The machine's name.
    pub name: String,
    number: u8,
    /// The id of its first process outside its namespace.
    init: libc::pid_t,
    server: Option<Server>,
    boots: bool,
}

const SCRIPT: &str = concat!(include_str!("devices.sh"), include_str!("machine.sh"));

/// The last number given to a machine. Machines start one after another, so that no two get the same number.
static STARTING: Mutex<u8> = Mutex::new(0);

impl Machine {
    pub(super) fn start(fleet: &Fleet, make: Make) -> Result<Machine> {
        let mut last = lock(&STARTING);
        for _ in 0..250 {
            *last = last.checked_add(1).unwrap_or(1);
            if Path::new("/sys/class/net").join(cable(*last)).exists() {
                continue;
            }
            match Self::start_as(fleet, make, *last) {
                // Another process has taken the number in the meantime.
                Err(error) if error.contains("File exists") => {}
                done => return done,
            }
        }
        Err("all networks of 198.18.0.0/15 are in use by machines of other runs".into())
    }

    fn start_as(fleet: &Fleet, make: Make, number: u8) -> Result<Machine> {
        let what = format!("starting the machine {}", make.name);
        let work = fleet.directory().join(format!("{}-{number}", make.name));
        fs::create_dir_all(&work).doing(&what)?;
        let log = fleet.directory().join(format!("{}-{number}.log", make.name));
        let output = File::create(&log).doing(&what)?;
        let key = fs::read_to_string(fleet.key().with_extension("pub")).doing(&what)?;
        let peer = make.behind.map_or(std::process::id() as libc::pid_t, |machine| machine.init);

        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--uts", "--ipc", "--net", "sh", "-c", SCRIPT]);
        unshare.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        unshare.env("ROOT", make.root).env("WORK", &work).env("NAME", make.name);
        unshare.env("NUMBER", number.to_string()).env("CABLE", cable(number)).env("PEER", peer.to_string());
        unshare.env("KEY", key.trim()).env("HASH", HASH);
        let word = |is_set| if is_set { "yes" } else { "no" };
        unshare.env("SUBDUED", word(make.subdued)).env("BOOTS", word(make.boots));
        unshare.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).process_group(0);
        let mut server = Server::start("a machine", &mut unshare, libc::SIGKILL)?;

        let seconds = if make.boots { 300 } else { 120 };
        let first = if make.boots { "systemd" } else { "sshd" };
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline && server.is_running()? {
            if let Some(init) = only_child(server.id())
                && is_named(init, first)
                && listens(init)
            {
                let (name, boots) = (make.name.to_owned(), make.boots);
                let machine = Machine { name, number, init, server: Some(server), boots };
                if boots {
                    // The exit status only says whether some unit has failed.
                    machine.shell("systemctl is-system-running --wait || true")?;
                }
                return Ok(machine);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(&log).unwrap_or_default();
        Err(format!("{what}: the SSH server did not start within {seconds} seconds\n{}", log.trim_end()))
    }

    pub(super) fn number(&self) -> u8 {
        self.number
    }

    /// Returns its address.
    pub fn address(&self) -> String {
        format!("198.18.{}.2", self.number)
    }

    /// Returns the address of the other end of its network connection.
    pub fn gateway(&self) -> String {
        format!("198.18.{}.1", self.number)
    }

    /// Returns one of its 255 other addresses.
    pub fn other_address(&self, number: u8) -> String {
        format!("198.19.{}.{number}", self.number)
    }

    /// Returns the path at which this process finds one of the machine's files.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// Runs a shell script on the machine, without SSH, and returns its standard output.
    pub fn shell(&self, script: &str) -> Result<String> {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &self.init.to_string(), "--all", "sh", "-ec", script]);
        nsenter.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        children::run(&format!("{} on {}", script, self.name), nsenter.stdin(Stdio::null()))
    }

    /// Returns the sorted paths of all files and directories below `directories`.
    pub fn files(&self, directories: &[&str]) -> Result<Vec<String>> {
        let text = self.shell(&format!("find {} -mindepth 1 -xdev | sort", directories.join(" ")))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Returns the command lines of all processes except the listening SSH server.
    pub fn processes(&self) -> Vec<String> {
        let Ok(here) = fs::read_link(format!("/proc/{}/ns/pid", self.init)) else { return Vec::new() };
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<libc::pid_t>().ok());
        let mut found = Vec::new();
        for number in numbers.filter(|number| *number != self.init) {
            let Ok(there) = fs::read_link(format!("/proc/{number}/ns/pid")) else { continue };
            let Ok(words) = fs::read(format!("/proc/{number}/cmdline")) else { continue };
            if there == here {
                let words = String::from_utf8_lossy(&words).replace('\0', " ");
                found.push(format!("{number} {}", words.trim_end()));
            }
        }
        found
    }

    /// Waits until no processes are left.
    ///
    /// # Errors
    ///
    /// The command lines of the processes that still run after `timeout`.
    pub fn becomes_idle(&self, timeout: Duration) -> std::result::Result<(), Vec<String>> {
        let deadline = Instant::now() + timeout;
        loop {
            let running = self.processes();
            if running.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(running);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Disconnects the network.
    pub fn cut(&self) -> Result<()> {
        self.shell("ip link set eth0 down").map(drop)
    }

    /// Reconnects the network and waits up to a minute until the machine can be reached.
    pub fn mend(&self) -> Result<()> {
        self.shell(&format!("ip link set eth0 up; ip route replace default via {}", self.gateway()))?;
        let address = SocketAddr::from(([198, 18, self.number, 2], 22));
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            if Instant::now() > deadline {
                return Err(format!(
                    "{} cannot be reached a minute after its network was reconnected",
                    self.name
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.server.take());
        if self.boots {
            // Only empty control groups can be removed, and its last processes may still be ending.
            let script = "mount -t cgroup2 groups /mnt; cd /mnt; for attempt in 1 2 3 4 5 6 7 8 9 10; do \
                          find \"$1\" -depth -type d -exec rmdir {} + 2> /dev/null; test ! -e \"$1\" && exit; \
                          sleep 0.2; done";
            let mut remove = Command::new("unshare");
            remove.args(["--mount", "sh", "-c", script, "sh", &cable(self.number)]);
            let _ = remove.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// Returns the name of a machine's network interface at the other end, and of the control group of its processes.
fn cable(number: u8) -> String {
    format!("fleet{number}")
}

fn only_child(parent: libc::pid_t) -> Option<libc::pid_t> {
    fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?.trim().parse().ok()
}

/// Returns whether a process runs this program, and no longer a command of the setup script.
fn is_named(process: libc::pid_t, program: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim() == program)
}

/// Returns whether a program listens on port 22 in the network namespace of a process.
fn listens(process: libc::pid_t) -> bool {
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
    table.lines().any(|line| line.contains(":0016 00000000:0000 0A"))
}
