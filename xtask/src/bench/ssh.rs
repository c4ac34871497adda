//! Measurements over SSH, on machines in namespaces: each has its own files and OpenSSH's server.

use std::cell::Cell;
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use xtask::fleet::{Controller, Delay, Fleet, Machine};
use xtask::{Doing, Result, build};

use super::{Bench, Contestant, time, yes};

const HOSTS: u8 = 20;
const BIG: usize = 100_000_000;
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// The settings of all programs that are measured.
const SETTINGS: &str = "[defaults]\nforks = 20\ndeprecation_warnings = false\ninterpreter_python = auto_silent\n\
    [connection]\npipelining = true\n[ssh_connection]\nssh_args = -o ControlMaster=auto -o ControlPersist=60s\n";

/// Runs all measurements and returns whether every goal was met.
pub(crate) fn run(bench: &Bench, quick: bool) -> Result<bool> {
    let field = Field::lay_out(bench)?;
    println!(
        "\n{:<40} {:>9} {:>9} {:>9}   {:>8} {:>8}   goal",
        "seconds", "ansible", "mitogen", "playbook", "ansible", "mitogen"
    );
    let table = Table::default();
    // The helper has not been copied to any host yet.
    let all = field.hosts(HOSTS.into());
    let cold = field.best_of(1, Contestant::Playbook, "twenty-command.yml", &all)?;
    let warm = field.best_of(3, Contestant::Playbook, "twenty-command.yml", &all)?;
    let mitogen =
        field.best_of(if quick { 1 } else { 2 }, Contestant::Mitogen, "twenty-command.yml", &all)?;
    let ansible = field.unless(quick, Contestant::Ansible, "twenty-command.yml", &all)?;
    let what = "20 hosts, 20 command tasks";
    table.row(&format!("{what}, helper to copy"), ansible, Some(mitogen), cold, &[]);
    table.row(what, ansible, Some(mitogen), warm, &[Goal::Ansible(40.0), Goal::Mitogen(6.0)]);

    let ours = field.best_of(3, Contestant::Playbook, "facts.yml", &all)?;
    let mitogen = field.best_of(1, Contestant::Mitogen, "facts.yml", &all)?;
    let ansible = field.best_of(1, Contestant::Ansible, "facts.yml", &all)?;
    table.row("20 hosts, facts", Some(ansible), Some(mitogen), ours, &[]);

    let one = field.hosts(1);
    let ours = field.best_of(3, Contestant::Playbook, "copy-hundred.yml", &one)?;
    let mitogen = field.best_of(1, Contestant::Mitogen, "copy-hundred.yml", &one)?;
    let ansible = field.unless(quick, Contestant::Ansible, "copy-hundred.yml", &one)?;
    table.row("1 host, 100 small files", ansible, Some(mitogen), ours, &[]);

    let scp = field.scp(3)?;
    let ours = field.best_of(3, Contestant::Playbook, "copy-big.yml", &one)?;
    let mitogen = field.best_of(1, Contestant::Mitogen, "copy-big.yml", &one)?;
    let ansible = field.best_of(1, Contestant::Ansible, "copy-big.yml", &one)?;
    table.row("1 host, a file of 100 MB", Some(ansible), Some(mitogen), ours, &[Goal::Scp(scp)]);

    let far = field.far()?;
    let alone = field.best_of(3, Contestant::Playbook, "command.yml", &far.inventory)?;
    let more = field.best_of(3, Contestant::Playbook, "command-and-twenty.yml", &far.inventory)?;
    let ansible = match quick {
        true => None,
        false => Some(
            field.best_of(1, Contestant::Ansible, "command-and-twenty.yml", &far.inventory)?
                - field.best_of(1, Contestant::Ansible, "command.yml", &far.inventory)?,
        ),
    };
    let what = "20 tasks, 50 ms round trip";
    table.row(what, ansible, None, more - alone, &[Goal::Seconds(1.3)]);

    field.memory(if quick { 40 } else { 200 }, &table)?;
    println!("\nThe round trip of 50 ms is simulated by a port of this machine that delays all data.");
    Ok(table.met.get())
}

enum Goal {
    Ansible(f64),
    Mitogen(f64),
    /// The time that scp takes, in seconds: playbook must reach 90% of its speed.
    Scp(f64),
    Seconds(f64),
}

/// Prints the table, and records whether all goals were met so far.
struct Table {
    met: Cell<bool>,
}

impl Default for Table {
    fn default() -> Self {
        Table { met: Cell::new(true) }
    }
}

impl Table {
    fn row(&self, what: &str, ansible: Option<f64>, mitogen: Option<f64>, ours: f64, goals: &[Goal]) {
        let seconds = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.2}"));
        let ratio = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{:.1}x", time / ours));
        let verdicts = goals.iter().map(|goal| {
            let (text, ok) = match goal {
                Goal::Ansible(times) => {
                    (format!("{times}x ansible"), ansible.is_none_or(|ansible| ansible / ours >= *times))
                }
                Goal::Mitogen(times) => {
                    (format!("{times}x mitogen"), mitogen.is_none_or(|mitogen| mitogen / ours >= *times))
                }
                Goal::Scp(scp) => (
                    format!("90% of scp's speed ({scp:.2} s; {:.0}%)", scp / ours * 100.0),
                    scp / ours >= 0.9,
                ),
                Goal::Seconds(seconds) => (format!("within {seconds} s"), ours <= *seconds),
            };
            self.met.set(self.met.get() && ok);
            format!("{text}: {}", yes(ok))
        });
        let verdicts = verdicts.collect::<Vec<_>>().join(", ");
        let [a, m, o] = [ansible, mitogen, Some(ours)].map(seconds);
        println!(
            "{what:<40} {a:>9} {m:>9} {o:>9}   {:>8} {:>8}   {verdicts}",
            ratio(ansible),
            ratio(mitogen)
        );
    }
}

/// The machines, and the files that are copied to them.
struct Field<'a> {
    bench: &'a Bench,
    fleet: Fleet,
    machines: Vec<Machine>,
    files: TempDir,
}

/// A machine behind a delay, and the inventory that names it.
struct Far {
    inventory: String,
    _way: Delay,
}

impl Field<'_> {
    fn lay_out(bench: &Bench) -> Result<Field<'_>> {
        println!("Starting {HOSTS} machines");
        let fleet = Fleet::new()?;
        let machines =
            (1..=HOSTS).map(|number| fleet.machine(&format!("host{number}"))).collect::<Result<_>>()?;
        let files = tempfile::tempdir().doing("creating a temporary directory")?;
        fs::create_dir(files.path().join("small")).doing("creating files to copy")?;
        for number in 0..100 {
            let path = files.path().join("small").join(number.to_string());
            fs::write(path, format!("file {number}\n")).doing("creating files to copy")?;
        }
        let mut bytes = vec![0; BIG];
        // Random data, which SSH and file systems cannot compress.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for piece in bytes.chunks_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.copy_from_slice(&state.to_le_bytes()[..piece.len()]);
        }
        fs::write(files.path().join("big"), bytes).doing("creating a big file to copy")?;
        Ok(Field { bench, fleet, machines, files })
    }

    /// Returns an inventory of `count` hosts. Hosts beyond the number of machines use the machines' other addresses.
    fn hosts(&self, count: usize) -> String {
        let address = |number: usize| {
            let machine = &self.machines[number % self.machines.len()];
            match number / self.machines.len() {
                0 => machine.address(),
                further => machine.other_address(further as u8),
            }
        };
        (0..count).map(|number| format!("host{number} ansible_host={}\n", address(number))).collect()
    }

    fn far(&self) -> Result<Far> {
        let machine = &self.machines[0];
        let to: SocketAddr = (machine.address().as_str(), 22)
            .to_socket_addrs()
            .doing("resolving a machine's address")?
            .next()
            .ok_or("a machine has no address")?;
        let way = Delay::start(to, ROUND_TRIP)?;
        self.fleet.know(machine, &format!("[127.0.0.1]:{}", way.port))?;
        Ok(Far { inventory: format!("far ansible_host=127.0.0.1 ansible_port={}\n", way.port), _way: way })
    }

    /// Returns the shortest time of `repeats` runs, in seconds.
    fn best_of(&self, repeats: usize, contestant: Contestant, book: &str, hosts: &str) -> Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..repeats {
            let (_home, _controller, mut command) = self.command(contestant, book, hosts)?;
            best = best.min(time(book, &mut command)?.as_secs_f64());
            for machine in &self.machines {
                machine.shell("rm -rf /root/copied /root/big")?;
            }
        }
        Ok(best)
    }

    fn unless(&self, quick: bool, contestant: Contestant, book: &str, hosts: &str) -> Result<Option<f64>> {
        if quick { Ok(None) } else { self.best_of(1, contestant, book, hosts).map(Some) }
    }

    /// Returns the command for a run with a new home directory, so that it cannot reuse an earlier run's connections.
    fn command(
        &self,
        contestant: Contestant,
        book: &str,
        hosts: &str,
    ) -> Result<(TempDir, Controller, Command)> {
        let home = tempfile::tempdir().doing("creating a temporary directory")?;
        let controller = Controller::new(&self.fleet, home.path())?;
        let known = home.path().join(".ssh/known_hosts");
        fs::copy(self.fleet.known_hosts(), known).doing("copying known_hosts")?;
        for (name, text) in [("ansible.cfg", SETTINGS), ("hosts.ini", hosts)] {
            fs::write(home.path().join(name), text).doing("writing a project")?;
        }
        let mut command = controller.command();
        match contestant {
            Contestant::Playbook => command.arg(&self.bench.playbook).arg("run"),
            _ => command.arg(self.bench.oracle.join("ansible-playbook")),
        };
        if contestant == Contestant::Mitogen {
            command.env("ANSIBLE_STRATEGY_PLUGINS", &self.bench.mitogen);
            command.env("ANSIBLE_STRATEGY", "mitogen_linear");
        }
        command.arg(build::root().join("benches/ssh").join(book));
        command.args(["-i", "hosts.ini", "-e", &format!("directory={}", self.files.path().display())]);
        Ok((home, controller, command))
    }

    /// Returns the time that scp takes for the big file, in seconds.
    fn scp(&self, repeats: usize) -> Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..repeats {
            let (_home, controller, _) = self.command(Contestant::Playbook, "copy-big.yml", "")?;
            let mut scp = controller.command();
            scp.args(["scp", "-q"]).arg(self.files.path().join("big"));
            scp.arg(format!("root@{}:/root/big", self.machines[0].address()));
            best = best.min(time("scp", &mut scp)?.as_secs_f64());
            self.machines[0].shell("rm /root/big")?;
        }
        Ok(best)
    }

    /// Measures the peak memory of the controller, and that of its SSH control masters.
    fn memory(&self, hosts: usize, table: &Table) -> Result<()> {
        let book = "twenty-command.yml";
        let (home, controller, mut command) = self.command(Contestant::Playbook, book, &self.hosts(hosts))?;
        let log = fs::File::create(home.path().join("log")).doing("creating a log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone().doing("creating a log")?).stderr(log);
        let mut child = command.spawn().doing("running playbook")?;
        let (mut most, mut masters, mut held) = (0.0_f64, 0, 0.0_f64);
        let status = loop {
            if let Some(status) = child.try_wait().doing("waiting for playbook")? {
                break status;
            }
            // It replaces the shell that started it, so it has the same process id.
            most = most.max(memory(child.id() as libc::pid_t, "status", "VmHWM:"));
            let is_ssh = |line: &str| line.starts_with("ssh") || line.contains("/ssh ");
            let ssh: Vec<libc::pid_t> = controller
                .processes()
                .into_iter()
                .filter(|(number, line)| *number != child.id() as libc::pid_t && is_ssh(line))
                .map(|(number, _)| number)
                .collect();
            masters = masters.max(ssh.len());
            held = held.max(ssh.iter().map(|number| memory(*number, "smaps_rollup", "Pss:")).sum());
            std::thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            let log = fs::read_to_string(home.path().join("log")).unwrap_or_default();
            return Err(format!("playbook failed with {hosts} hosts:\n{log}"));
        }
        let each = most / hosts as f64;
        let ok = each < 2.0;
        table.met.set(table.met.get() && ok);
        println!(
            "{:<40} {most:>29.1}   {each:.2} MB per host, under 2 MB per host: {}",
            format!("memory of the controller, {hosts} hosts, in MB"),
            yes(ok)
        );
        println!("{:<40} {held:>29.1}   {masters} ssh processes at once", "memory of the ssh masters, in MB");
        Ok(())
    }
}

/// Returns the memory of a process in megabytes, from one of its files in /proc.
fn memory(process: libc::pid_t, file: &str, field: &str) -> f64 {
    let text =
        fs::read_to_string(Path::new("/proc").join(process.to_string()).join(file)).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
}
