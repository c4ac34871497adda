//! Measurements of large projects, of loops whose results grow, and of many hosts: time and memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::{Doing, Result, build, python};

use super::{Bench, Usage, measure, projects, yes};

/// What a result must be, and how often the programs run.
#[derive(Clone, Copy, Default)]
struct Goal {
    /// The factor by which ansible-core is slower.
    times: Option<f64>,
    seconds: Option<f64>,
    megabytes: Option<f64>,
}

/// The best of a program's runs.
struct Row<'a> {
    what: &'a str,
    ansible: Option<Usage>,
    ours: Usage,
    goal: Goal,
}

/// Runs all measurements and returns whether every goal was met.
pub(crate) fn run(bench: &Bench, quick: bool) -> Result<bool> {
    println!(
        "\n{:<48} {:>9} {:>7} {:>9} {:>7} {:>7}   goal",
        "seconds and peak MB", "ansible", "MB", "playbook", "MB", "ansible"
    );
    let mut met = true;
    met &= loops(bench, quick)?;
    met &= terraform(bench)?;
    met &= hosts(bench, quick)?;
    met &= listings(bench, quick)?;
    Ok(met)
}

fn loops(bench: &Bench, quick: bool) -> Result<bool> {
    let goal = |seconds, megabytes| Goal { seconds: Some(seconds), megabytes, ..Goal::default() };
    // The goals are in proportion to the number of items. ansible-core takes half a minute for 1,000 items, and minutes for
    // more.
    let cases: [(&str, &str, usize, bool, Goal); 18] = [
        ("a list that set_fact grows, 1,000 items", "grow-list.yml", 1000, true, Goal::default()),
        ("the same, 4,000 items", "grow-list.yml", 4000, false, goal(0.1, Some(40.0))),
        ("the same, 16,000 items", "grow-list.yml", 16_000, false, goal(0.4, Some(80.0))),
        ("a dict that combine grows, 1,000 items", "grow-dict.yml", 1000, true, Goal::default()),
        ("the same, 4,000 items", "grow-dict.yml", 4000, false, goal(0.1, Some(40.0))),
        ("the same, 16,000 items", "grow-dict.yml", 16_000, false, goal(0.5, Some(80.0))),
        ("a list that union grows, 1,000 items", "grow-union.yml", 1000, true, Goal::default()),
        ("the same, 4,000 items", "grow-union.yml", 4000, false, goal(0.1, Some(40.0))),
        ("the same, 16,000 items", "grow-union.yml", 16_000, false, goal(0.5, Some(80.0))),
        ("a list of dicts, 1,000 items", "grow-dicts.yml", 1000, true, Goal::default()),
        ("the same, 4,000 items", "grow-dicts.yml", 4000, false, goal(0.1, None)),
        ("set_fact with register, 1,000 items", "loop-register.yml", 1000, true, Goal::default()),
        ("the same, 10,000 items", "loop-register.yml", 10_000, false, goal(0.3, None)),
        ("the same, 100,000 items", "loop-register.yml", 100_000, false, goal(3.0, None)),
        ("debug, 10,000 items", "grow-debug.yml", 10_000, false, goal(0.3, None)),
        ("add_host, 1,000 items", "grow-hosts.yml", 1000, true, Goal::default()),
        ("the same, 5,000 items", "grow-hosts.yml", 5000, false, goal(0.4, None)),
        ("include_tasks, 2,000 items", "grow-includes.yml", 2000, false, goal(0.3, None)),
    ];
    let mut met = true;
    for (what, playbook, items, with_ansible, goal) in cases {
        let items = format!("count={items}");
        let arguments = ["-i", "localhost,", "-c", "local", "-e", &items, playbook];
        let directory = build::root().join("benches");
        met &= side_by_side(bench, what, &directory, &arguments, with_ansible && !quick, goal)?;
    }
    Ok(met)
}

fn terraform(bench: &Bench) -> Result<bool> {
    let directory = tempfile::tempdir().doing("creating a temporary directory")?;
    let root = directory.path();
    projects::terraform_state(&root.join("terraform.tfstate"))?;
    let config = "plugin: terraform_outputs\npath: terraform.tfstate\n";
    std::fs::write(root.join("outputs.yml"), config).doing("writing a configuration")?;
    let goal = Goal { seconds: Some(1.0), megabytes: Some(200.0), times: None };
    let mut command = Command::new(&bench.playbook);
    command.args(["inventory", "-i", "outputs.yml", "--list"]).current_dir(root);
    let what = "outputs of a Terraform state of 100 MB";
    Ok(Row { what, ansible: None, ours: best(what, &mut command, 3)?, goal }.print())
}

fn hosts(bench: &Bench, quick: bool) -> Result<bool> {
    let directory = build::root().join("benches");
    let arguments = ["-i", "thousand.ini", "-f", "20", "hosts-ten.yml"];
    let goal = Goal { seconds: Some(1.0), ..Goal::default() };
    let met = side_by_side(bench, "1,000 hosts, 10 tasks", &directory, &arguments, !quick, goal)?;
    let arguments = ["-i", "ten-thousand.ini", "-f", "20", "group-hosts.yml"];
    let goal = Goal { seconds: Some(0.5), ..Goal::default() };
    let met = met & side_by_side(bench, "10,000 hosts, group_by", &directory, &arguments, false, goal)?;
    let arguments = ["-i", "ten-thousand.ini", "-f", "20", "hosts-twenty.yml"];
    let goal = Goal { seconds: Some(2.0), megabytes: Some(90.0), ..Goal::default() };
    Ok(met & side_by_side(bench, "10,000 hosts, 20 tasks", &directory, &arguments, false, goal)?)
}

fn listings(bench: &Bench, quick: bool) -> Result<bool> {
    let directory = tempfile::tempdir().doing("creating a temporary directory")?;
    let goal = Goal { times: Some(40.0), ..Goal::default() };
    let generated = directory.path().join("nested");
    projects::nested(&generated)?;
    let what = "--list-tasks, 2,000 tasks in 60 roles";
    let mut met = side_by_side(bench, what, &generated, &["--list-tasks", "site.yml"], true, goal)?;

    let bin = python::environment(&python::PROJECTS)?;
    let (ansible, debops) = projects::collections(&bin)?;
    let with_collections = Bench { playbook: bench.playbook.clone(), oracle: bin, mitogen: PathBuf::new() };
    let bench = &with_collections;
    let modules = directory.path().join("modules");
    projects::modules(&modules, &ansible)?;
    let what = "--syntax-check, every module of 12 collections";
    met &= side_by_side(bench, what, &modules, &["--syntax-check", "site.yml"], !quick, goal)?;

    let root = directory.path().join("debops");
    let site = projects::debops(&root, &ansible, &debops)?;
    let site = site.to_string_lossy();
    for (what, option) in [
        ("--list-tasks of DebOps, 9,500 tasks", "--list-tasks"),
        ("--syntax-check of DebOps", "--syntax-check"),
    ] {
        let goal = Goal { megabytes: Some(182.0), ..goal };
        met &= side_by_side(bench, what, &root, &[option, &site], !quick, goal)?;
    }
    Ok(met)
}

/// Runs the programs in a directory with the same arguments.
fn side_by_side(
    bench: &Bench,
    what: &str,
    directory: &Path,
    arguments: &[&str],
    with_ansible: bool,
    goal: Goal,
) -> Result<bool> {
    let empty = tempfile::Builder::new().suffix(".cfg").tempfile().doing("creating a temporary file")?;
    let command = |program: &Path, first: Option<&str>| {
        let mut command = Command::new(program);
        command.args(first).args(arguments).current_dir(directory);
        // A project has its own configuration. ansible-core rejects one that is not a file with this extension.
        if !directory.join("ansible.cfg").exists() {
            command.env("ANSIBLE_CONFIG", empty.path());
        }
        command.env("ANSIBLE_DEPRECATION_WARNINGS", "false");
        command.env("ANSIBLE_PYTHON_INTERPRETER", bench.oracle.join("python"));
        command.env("PLAYBOOK_PYTHON", bench.oracle.join("python"));
        command
    };
    let ours = best(what, &mut command(&bench.playbook, Some("run")), 5)?;
    let ansible = match with_ansible {
        true => Some(best(what, &mut command(&bench.oracle.join("ansible-playbook"), None), 1)?),
        false => None,
    };
    Ok(Row { what, ansible, ours, goal }.print())
}

/// Returns the shortest time and the least memory of some runs.
fn best(what: &str, command: &mut Command, runs: usize) -> Result<Usage> {
    let mut best = measure(what, command)?;
    for _ in 1..runs {
        let usage = measure(what, command)?;
        best = Usage { time: best.time.min(usage.time), memory: best.memory.min(usage.memory) };
    }
    Ok(best)
}

impl Row<'_> {
    /// Prints the row and returns whether its goal is met.
    fn print(&self) -> bool {
        let Row { what, ansible, ours, goal } = self;
        let seconds = ours.time.as_secs_f64();
        let factor = ansible.map(|ansible| ansible.time.as_secs_f64() / seconds);
        let mut goals = Vec::new();
        if let (Some(times), Some(factor)) = (goal.times, factor) {
            goals.push((format!("{times}x faster"), factor >= times));
        }
        if let Some(most) = goal.seconds {
            goals.push((format!("under {most} s"), seconds < most));
        }
        if let Some(most) = goal.megabytes {
            goals.push((format!("under {most} MB"), ours.memory < most));
        }
        let verdicts: Vec<String> = goals.iter().map(|(goal, ok)| format!("{goal}: {}", yes(*ok))).collect();
        let shown = |number: Option<f64>, digits: usize| {
            number.map_or("-".to_owned(), |number| format!("{number:.digits$}"))
        };
        println!(
            "{what:<48} {:>9} {:>7} {seconds:>9.3} {:>7.0} {:>7}   {}",
            shown(ansible.map(|ansible| ansible.time.as_secs_f64()), 2),
            shown(ansible.map(|ansible| ansible.memory), 0),
            ours.memory,
            factor.map_or("-".to_owned(), |factor| format!("{factor:.0}x")),
            verdicts.join(", ")
        );
        goals.iter().all(|(_, ok)| *ok)
    }
}
