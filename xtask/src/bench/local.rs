//! Measurements on this machine, with the local connection.

use std::process::Command;
use std::time::Duration;

use xtask::aws::{self, Aws};
use xtask::children::Directory;
use xtask::moto::Moto;
use xtask::postgres::Postgres;
use xtask::proxy::Proxy;
use xtask::sandbox::{self, Database};
use xtask::{Doing, Result, build};

use super::{Bench, Contestant, measure, time, yes};

/// One measurement.
struct Case {
    what: &'static str,
    program: Program,
    arguments: &'static [&'static str],
    /// Whether Ansible takes minutes for it.
    long: bool,
    goal: Goal,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Playbook,
    Inventory,
}

/// What the result must be.
enum Goal {
    None,
    TimesFasterThanAnsible(f64),
    TimesTheShell(f64),
    Seconds(f64),
}

const LOCAL: [&str; 4] = ["-i", "localhost,", "-c", "local"];

const CASES: &[Case] = &[
    case("start, one debug task", &["debug.yml"], Goal::TimesFasterThanAnsible(40.0)),
    case("one task, loop of 100 commands", &["loop.yml"], Goal::TimesTheShell(2.0)),
    case("one task, loop of 10,000 set_fact with register", &["loop-register.yml"], Goal::Seconds(0.3)),
    case("100 command tasks", &["hundred-command.yml"], Goal::TimesTheShell(2.0)),
    case("copy of 100 small files", &["copy.yml"], Goal::None),
    case("100 set_fact tasks", &["hundred-set_fact.yml"], Goal::None),
    case("gather facts", &["facts.yml"], Goal::None),
    case("1000 hosts, 1 debug task", &["-i", "thousand.ini", "-f", "20", "hosts.yml"], Goal::None),
    Case {
        long: true,
        ..case(
            "1000 hosts, 10 debug tasks",
            &["-i", "thousand.ini", "-f", "20", "hosts-ten.yml"],
            Goal::Seconds(1.0),
        )
    },
    Case {
        program: Program::Inventory,
        ..case("list 10,000 hosts", &["-i", "ten-thousand.ini", "--list"], Goal::Seconds(0.2))
    },
];

const fn case(what: &'static str, arguments: &'static [&'static str], goal: Goal) -> Case {
    Case { what, program: Program::Playbook, arguments, long: false, goal }
}

/// Runs all measurements and returns whether every goal was met.
pub(crate) fn run(bench: &Bench, quick: bool) -> Result<bool> {
    let shell = shell()?;
    println!(
        "\n{:<32} {:>9} {:>9} {:>9}   {:>8} {:>8}   goal",
        "seconds", "ansible", "mitogen", "playbook", "ansible", "mitogen"
    );
    let mut met = true;
    for case in CASES {
        let ours = best_of(bench, case, Contestant::Playbook, 5)?;
        let skipped = quick && case.long;
        let repeats = if case.long { 1 } else { 2 };
        let ansible = if skipped { None } else { Some(best_of(bench, case, Contestant::Ansible, repeats)?) };
        let with_mitogen = !skipped && case.program == Program::Playbook;
        let mitogen =
            if with_mitogen { Some(best_of(bench, case, Contestant::Mitogen, repeats)?) } else { None };
        let (verdict, ok) = case.goal.judge(ours, ansible, shell);
        met &= ok;
        let seconds = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.3}"));
        let ratio = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{:.0}x", time / ours));
        println!(
            "{:<32} {:>9} {:>9} {:>9}   {:>8} {:>8}   {verdict}",
            case.what,
            seconds(ansible),
            seconds(mitogen),
            seconds(Some(ours)),
            ratio(ansible),
            ratio(mitogen)
        );
    }
    println!("{:<32} {shell:>29.3}   100 commands in a plain sh loop", "the shell itself");
    let size = std::fs::metadata(&bench.playbook).doing("measuring the binary")?.len() as f64 / 1e6;
    let memory = memory_of_a_deployment(bench)?;
    for (what, value, limit) in
        [("release binary", size, 40.0), ("peak memory of the deployment", memory, 60.0)]
    {
        let ok = value < limit;
        met &= ok;
        println!("{what:<32} {value:>26.1} MB   under {limit} MB: {}", yes(ok));
    }
    Ok(met)
}

/// Returns the shortest time of `repeats` runs, in seconds.
fn best_of(bench: &Bench, case: &Case, contestant: Contestant, repeats: usize) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..repeats {
        best = best.min(once(bench, case, contestant)?.as_secs_f64());
    }
    Ok(best)
}

fn once(bench: &Bench, case: &Case, contestant: Contestant) -> Result<Duration> {
    let directory = tempfile::tempdir().doing("creating a temporary directory")?;
    let mut command = match (contestant, case.program) {
        (Contestant::Playbook, program) => {
            let mut command = Command::new(&bench.playbook);
            command.arg(if program == Program::Inventory { "inventory" } else { "run" });
            command
        }
        (_, Program::Inventory) => Command::new(bench.oracle.join("ansible-inventory")),
        (_, Program::Playbook) => Command::new(bench.oracle.join("ansible-playbook")),
    };
    command.args(case.arguments).current_dir(build::root().join("benches"));
    if !case.arguments.contains(&"-i") {
        command.args(LOCAL);
    }
    if case.program == Program::Playbook {
        command.args(["-e", &format!("directory={}", directory.path().display())]);
    }
    if contestant == Contestant::Mitogen {
        command.env("ANSIBLE_STRATEGY_PLUGINS", &bench.mitogen).env("ANSIBLE_STRATEGY", "mitogen_linear");
    }
    let config = directory.path().join("ansible.cfg");
    std::fs::write(&config, "").doing("writing ansible.cfg")?;
    command.env("ANSIBLE_CONFIG", config).env("ANSIBLE_DEPRECATION_WARNINGS", "false");
    command.env("ANSIBLE_PYTHON_INTERPRETER", bench.oracle.join("python"));
    time(case.what, &mut command)
}

/// Measures 100 commands in a plain loop of the shell, in seconds.
fn shell() -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let mut sh = Command::new("sh");
        sh.args(["-c", "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done"]);
        best = best.min(time("the shell", &mut sh)?.as_secs_f64());
    }
    Ok(best)
}

/// Returns the peak memory of the reference deployment, in megabytes.
fn memory_of_a_deployment(bench: &Bench) -> Result<f64> {
    let postgres = Postgres::start()?;
    let moto = Moto::start()?;
    let proxy = Proxy::start(moto.port)?;
    sandbox::create_database(&postgres, "users_db")?;
    let database = Database { host: "127.0.0.1", port: postgres.port, name: "users_db" };
    let state = sandbox::provision(Aws { port: moto.port }, "ecs-fargate-webapp", &database)?;
    let directory = Directory::new(build::root().join(".sandbox"));
    sandbox::write_state(&directory.0, &state)?;
    let mut command = Command::new(&bench.playbook);
    command.args(["run", "deploy-app.yml", "-i", "sandbox.yml"]).current_dir(build::root());
    command.envs(aws::environment(&proxy.endpoint()));
    measure("the deployment", &mut command).map(|usage| usage.memory)
}

impl Goal {
    fn judge(&self, ours: f64, ansible: Option<f64>, shell: f64) -> (String, bool) {
        let (text, ok) = match self {
            Goal::None => return (String::new(), true),
            Goal::TimesFasterThanAnsible(times) => {
                (format!("{times}x faster"), ansible.is_none_or(|ansible| ansible / ours >= *times))
            }
            Goal::TimesTheShell(times) => (format!("{times}x the shell"), ours <= shell * times),
            Goal::Seconds(seconds) => (format!("under {seconds} s"), ours < *seconds),
        };
        (format!("{text}: {}", yes(ok)), ok)
    }
}
