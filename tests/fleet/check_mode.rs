//! Check mode before and after, for every module: a machine is the same after it, and what it called changed is what the
//! run changes.
//!
//! The scenarios are plays in `check_mode/GROUP.yml`, and `GROUP.sh` prepares the machine that they share. Each play is
//! run four times: in check mode, for real, for real again, and in check mode again. The first words of a task's name, up
//! to a colon, say what must come of it:
//!
//! | words | in check mode | in the run | in the second run |
//! |---|---|---|---|
//! | `change` | changed | changed, with the same difference | ok |
//! | `once` | changed | changed, with the same difference | skipped |
//! | `same` | ok | ok | ok |
//! | `always` | changed | changed, with the same difference | changed |
//! | `skip` | skipped | ok or changed | ok, changed or skipped |
//! | `fail` | failed | failed, with the same message | failed |
//! | `late` | changed | failed: it could not be known | failed |
//!
//! After `change`, `once` or `always`, `other diff` says that the difference of check mode is not that of the run, as in
//! ansible-core. The machine's state is the same after each check mode, and after each second run unless a task is
//! `always` or `skip`; in a play with only `same` and `fail` it is the same after the run, too.

mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use playbook_api::Registry;
use playbook_api::name::builtin;
use serde_json::Value;
use xtask::fleet::{Machine, Make};
use xtask::tested::skip;

use self::state::State;
use crate::database::Server;
use crate::scene::{Program, Scene};

/// A machine's scenarios.
#[derive(Clone, Copy)]
struct Group {
    name: &'static str,
    /// Shell commands that prepare the machine.
    prepare: &'static str,
    plays: &'static str,
    /// The directories whose files belong to the machine's state.
    directories: &'static [&'static str],
}

macro_rules! group {
    ($name:literal, $directories:expr) => {
        Group {
            name: $name,
            prepare: include_str!(concat!("check_mode/", $name, ".sh")),
            plays: include_str!(concat!("check_mode/", $name, ".yml")),
            directories: $directories,
        }
    };
}

const FILES: Group = group!("files", &[""]);
const SOFTWARE: Group = group!("software", &[""]);
const SYSTEM: Group = group!("system", &[""]);
/// The rest of its machine's files are those of this machine, which other programs change.
const DATABASE: Group = group!(
    "database",
    &["/etc", "/home", "/root", "/run", "/srv", "/tmp", "/var/lib/postgresql", "/var/tmp"]
);

/// An archive that a machine lends to the controller.
const ARCHIVE: &str = "/srv/f/pack.tgz";

/// Modules and actions without a scenario, with the reason.
const WITHOUT: &[(&str, &str)] = &[
    ("_foreign", "what a task with a module in another language is run by: the scenarios of `marks`"),
    ("async_wrapper", "what a task with `async` is run by: the scenarios of `async_status`"),
    ("add_host", "acts on the run"),
    ("assert", "acts on the run"),
    ("debug", "acts on the run"),
    ("fail", "acts on the run"),
    ("gather_facts", "runs the module setup"),
    ("group_by", "acts on the run"),
    ("include_role", "acts on the run"),
    ("include_tasks", "acts on the run"),
    ("include_vars", "acts on the run"),
    ("pause", "acts on the run"),
    ("ansible._protomatter.debug", "acts on the run"),
    ("set_fact", "acts on the run"),
    ("set_stats", "acts on the run"),
    ("validate_argument_spec", "acts on the run"),
];

/// Modules that change nothing: their tasks are `same` or `skip`, and one is enough.
const READERS: &[(&str, &str)] = &[
    ("async_status", "asks for a job"),
    ("find", "reads files"),
    ("getent", "reads accounts"),
    ("mount_facts", "reads mounts"),
    ("package_facts", "reads packages"),
    ("ping", "answers"),
    ("postgresql_ping", "reads the database"),
    ("service_facts", "reads services"),
    ("setup", "reads facts"),
    ("slurp", "reads a file"),
    ("stat", "reads a file"),
    ("wait_for", "waits"),
    ("wait_for_connection", "waits"),
    ("wait_until", "waits"),
];

/// Keywords of the scenarios' tasks; what is left is the module.
const KEYWORDS: &[&str] = &[
    "args",
    "async",
    "become",
    "become_user",
    "changed_when",
    "check_mode",
    "delegate_to",
    "environment",
    "failed_when",
    "loop",
    "name",
    "poll",
    "register",
    "vars",
    "when",
];

/// What must come of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Change,
    Once,
    Same,
    Always,
    Skip,
    Fail,
    Late,
}

struct Task {
    name: String,
    module: String,
    kind: Kind,
    other_diff: bool,
}

struct Play {
    text: String,
    tasks: Vec<Task>,
}

impl Group {
    fn plays(&self) -> Vec<Play> {
        let head = "- hosts: all\n";
        let all: Vec<Value> = serde_yaml::from_str(self.plays).expect("a list of plays");
        let texts = self.plays.split(head).skip(1).map(|body| {
            // The next play's comment is not part of this one.
            let body = body.trim_end();
            format!("{head}  gather_facts: false\n  ignore_errors: true\n{body}\n")
        });
        let texts: Vec<String> = texts.collect();
        assert_eq!(texts.len(), all.len(), "{}: each play begins with '{}'", self.name, head.trim());
        let tasks = |play: &Value| -> Vec<Task> {
            play["tasks"].as_array().expect("tasks").iter().map(|task| Task::read(self.name, task)).collect()
        };
        texts.into_iter().zip(&all).map(|(text, play)| Play { text, tasks: tasks(play) }).collect()
    }
}

impl Task {
    fn read(group: &str, task: &Value) -> Task {
        let name = task["name"].as_str().expect("a task has a name").to_owned();
        let mut words = name.split(':').next().unwrap_or_default().split(", ");
        let kind = match words.next() {
            Some("change") => Kind::Change,
            Some("once") => Kind::Once,
            Some("same") => Kind::Same,
            Some("always") => Kind::Always,
            Some("skip") => Kind::Skip,
            Some("fail") => Kind::Fail,
            Some("late") => Kind::Late,
            _ => panic!("{group}: '{name}' does not say what must come of it"),
        };
        let keys = task.as_object().expect("a task").keys().map(String::as_str);
        let modules: Vec<&str> = keys.filter(|key| !KEYWORDS.contains(key)).collect();
        let [module] = modules[..] else { panic!("{group}: '{name}' has the modules {modules:?}") };
        Task {
            module: builtin(module).to_owned(),
            kind,
            other_diff: words.next() == Some("other diff"),
            name,
        }
    }
}

#[test]
fn every_module_has_scenarios() {
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    playbook_wait::register(&mut registry);
    #[cfg(feature = "postgres")]
    playbook_postgres::register(&mut registry);
    let actions = playbook::run::actions::TABLE.iter().map(|(name, _)| name.to_owned());
    let modules = registry.module_names().filter_map(|name| registry.module(name));
    let all: BTreeSet<String> = modules.map(|module| module.doc.name.to_owned()).chain(actions).collect();

    let mut kinds: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for group in [FILES, SOFTWARE, SYSTEM, DATABASE] {
        for task in group.plays().into_iter().flat_map(|play| play.tasks) {
            // A module has more names than one.
            let name = registry.module(&task.module).map_or(task.module, |module| module.doc.name.to_owned());
            kinds.entry(name).or_default().push(task.kind);
        }
    }
    let mut faults = Vec::new();
    for name in &all {
        let kinds = kinds.get(name).map_or(&[][..], Vec::as_slice);
        let without = WITHOUT.iter().any(|(known, _)| known == name);
        let reads = READERS.iter().any(|(known, _)| known == name);
        match kinds {
            [] if !without => faults.push(format!("{name} has no scenario in tests/fleet/check_mode")),
            [_, ..] if without => {
                faults.push(format!("{name} has scenarios, and WITHOUT says that it has none"))
            }
            _ if without => {}
            kinds if reads => {
                if !kinds.iter().all(|kind| [Kind::Same, Kind::Skip, Kind::Fail].contains(kind)) {
                    faults.push(format!("{name} is one of READERS and changes something"));
                }
            }
            kinds => {
                // What is skipped, or changes something each time, has no state to compare with.
                let alone = [Kind::Always, Kind::Skip];
                let acts = [Kind::Change, Kind::Once, Kind::Always, Kind::Skip];
                let enough = kinds.len() > 1 || kinds.iter().all(|kind| alone.contains(kind));
                if !enough || !kinds.iter().any(|kind| acts.contains(kind)) {
                    faults.push(format!("{name} needs scenarios that change something and that do not"));
                }
            }
        }
    }
    let known = WITHOUT.iter().chain(READERS).map(|(name, _)| *name);
    faults.extend(known.filter(|name| !all.contains(*name)).map(|name| format!("{name} is not a module")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_are_the_same_after_check_mode() {
    on_a_debian(FILES);
}

#[test]
fn software_is_the_same_after_check_mode() {
    on_a_debian(SOFTWARE);
}

#[test]
fn the_system_is_the_same_after_check_mode() {
    on_a_debian(SYSTEM);
}

#[cfg(feature = "postgres")]
#[test]
fn databases_are_the_same_after_check_mode() {
    let bin = match xtask::postgres::binaries() {
        Ok(bin) => bin.display().to_string(),
        Err(why) => return skip("check mode of databases", &why),
    };
    let Some(scene) = Scene::new("check mode of databases", Program::Playbook) else { return };
    let machine = scene.machine("web");
    let server = Server::start(&machine, &bin);
    play(&scene, &machine, DATABASE, &|| {
        let dump = format!("{bin}/pg_dumpall -h /run/postgresql -U postgres | grep -v restrict");
        // What was written since the last snapshot shows in the counters, even where a transaction was rolled back.
        let settings = "SELECT name, setting, source FROM pg_settings WHERE source <> 'session' ORDER BY 1";
        let writes =
            "SELECT datname, tup_inserted, tup_updated, tup_deleted FROM pg_stat_database ORDER BY 1";
        let slots = "SELECT slot_name FROM pg_replication_slots ORDER BY 1";
        let locks = "SELECT pid, objid FROM pg_locks WHERE locktype = 'advisory'";
        let rows = [settings, writes, slots, locks].map(|sql| server.sql(&machine, "postgres", sql));
        format!("{}\n{}", server.shell(&machine, &dump), rows.join("\n"))
    });
}

/// Plays a group's scenarios on a Debian of its own.
fn on_a_debian(group: Group) {
    let Some(scene) = Scene::new(&format!("check mode of {}", group.name), Program::Playbook) else { return };
    let root = xtask::debian::root(&xtask::debian::EQUIPPED).expect("a Debian");
    let machine = Make { name: "web", root: &root, ..Make::default() };
    let machine = scene.fleet.make(machine).expect("a machine");
    play(&scene, &machine, group, &String::new);
}

/// Plays a group's scenarios. `more` describes what is not in files.
fn play(scene: &Scene, machine: &Machine, group: Group, more: &dyn Fn() -> String) {
    machine.shell(group.prepare).expect("a prepared machine");
    scene.inventory(&[(machine, "")]);
    scene.environment.borrow_mut().push(("ANSIBLE_STDOUT_CALLBACK", "json".into()));
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/check_mode/controller");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(format!("{}/.", files.display()))
        .arg(scene.path("."))
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "the project");
    if machine.path(ARCHIVE).exists() {
        std::fs::copy(machine.path(ARCHIVE), scene.path("files/pack.tgz")).expect("an archive");
    }
    // The helper's directory stays.
    let first = scene.run("- hosts: all\n  gather_facts: false\n  tasks: [ping: ]\n", &[]);
    assert_eq!(first.code, 0, "{}", first.text());
    let start = machine.shell("date +%s").expect("the time").trim().parse().expect("a time");
    let mut faults = Vec::new();
    for (number, one) in group.plays().iter().enumerate() {
        let found = Round { scene, machine, start, directories: group.directories, more, play: one }.faults();
        faults.extend(
            found.into_iter().map(|fault| format!("{}.yml, play {}: {fault}", group.name, number + 1)),
        );
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// What came of a task or of one item of its loop.
#[derive(Clone, PartialEq, Debug)]
struct Came {
    status: &'static str,
    diff: Value,
    message: String,
    warnings: Value,
}

impl Came {
    fn of(result: &Value) -> Came {
        let is = |key: &str| result[key] == Value::Bool(true);
        let status = match () {
            () if is("unreachable") => "unreachable",
            () if is("failed") => "failed",
            () if is("skipped") => "skipped",
            () if is("changed") => "changed",
            () => "ok",
        };
        let message = result["msg"].as_str().map_or_else(|| result["msg"].to_string(), str::to_owned);
        Came { status, diff: result["diff"].clone(), message, warnings: result["warnings"].clone() }
    }
}

/// One play on one machine.
struct Round<'a> {
    scene: &'a Scene,
    machine: &'a Machine,
    /// When the scenarios began, in seconds since 1970 by the machine's clock.
    start: i64,
    directories: &'a [&'a str],
    more: &'a dyn Fn() -> String,
    play: &'a Play,
}

impl Round<'_> {
    fn faults(&self) -> Vec<String> {
        let is = |kinds: &[Kind]| self.play.tasks.iter().any(|task| kinds.contains(&task.kind));
        let before = self.state();
        let check = self.run(&["--check", "--diff"]);
        let checked = self.state();
        let run = self.run(&["--diff"]);
        let ran = self.state();
        let again = self.run(&["--diff"]);
        let ran_again = self.state();
        let last = self.run(&["--check", "--diff"]);
        let end = self.state();

        let mut faults = before.differences("check mode", &checked, true);
        if !is(&[Kind::Change, Kind::Once, Kind::Always, Kind::Skip, Kind::Late]) {
            faults.extend(checked.differences("the run, which changes nothing,", &ran, false));
        }
        if !is(&[Kind::Always, Kind::Skip, Kind::Late]) {
            faults.extend(ran.differences("the second run", &ran_again, false));
        }
        faults.extend(ran_again.differences("check mode after the runs", &end, true));
        for (number, task) in self.play.tasks.iter().enumerate() {
            let of = |all: &[Vec<Came>]| all.get(number).cloned().unwrap_or_default();
            let [check, run, again, last] = [&check, &run, &again, &last].map(|all| of(all));
            let found = task.faults(&check, &run, &again, &last);
            faults
                .extend(found.into_iter().map(|fault| format!("{}, '{}': {fault}", task.module, task.name)));
        }
        faults
    }

    fn state(&self) -> State {
        State::of(self.machine, self.directories, self.scene, self.start, &(self.more)())
    }

    /// Runs the play and returns what came of each task and item.
    fn run(&self, options: &[&str]) -> Vec<Vec<Came>> {
        let ended = self.scene.start(&self.play.text, options).end_within(Duration::from_secs(180));
        let document: Value = match serde_json::from_str(&ended.stdout) {
            Ok(document) => document,
            Err(error) => panic!("{error} in\n{}", ended.text()),
        };
        let tasks = document["plays"][0]["tasks"].as_array().cloned().unwrap_or_default();
        assert_eq!(tasks.len(), self.play.tasks.len(), "tasks in\n{}", ended.text());
        let came = |task: &Value| match &task["hosts"]["web"] {
            result if result["results"].is_array() && result["ansible_loop_var"].is_null() => {
                let items = result["results"].as_array().into_iter().flatten();
                if items.clone().any(|item| item.get("ansible_loop_var").is_some()) {
                    items.map(Came::of).collect()
                } else {
                    vec![Came::of(result)]
                }
            }
            result => vec![Came::of(result)],
        };
        tasks.iter().map(came).collect()
    }
}

impl Task {
    fn faults(&self, check: &[Came], run: &[Came], again: &[Came], last: &[Came]) -> Vec<String> {
        let statuses = |all: &[Came]| all.iter().map(|came| came.status).collect::<BTreeSet<_>>();
        let told = |all: &[Came]| {
            let one = |came: &Came| match came.status {
                "failed" | "unreachable" => format!("{} ({})", came.status, came.message),
                status => status.to_owned(),
            };
            all.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let mut faults = Vec::new();
        let mut expect = |when: &str, came: &[Came], wanted: &[&str]| {
            // A task's items may differ from each other: at least one is as the task.
            let found = statuses(came);
            let items = came.len() > 1 && found.iter().all(|one| *one == "ok" || wanted.contains(one));
            let enough = found.iter().any(|one| wanted.contains(one));
            if !(enough && (found.len() == 1 || items)) {
                faults.push(format!("{when}: {} where it should be {}", told(came), wanted.join(" or ")));
            }
        };
        let any = ["ok", "changed", "skipped"];
        let (wanted, wanted_run, wanted_again, wanted_last): (&str, &[&str], &[&str], &[&str]) =
            match self.kind {
                Kind::Change => ("changed", &["changed"], &["ok"], &["ok"]),
                Kind::Once => ("changed", &["changed"], &["skipped"], &["skipped"]),
                Kind::Same => ("ok", &["ok"], &["ok"], &["ok"]),
                Kind::Always => ("changed", &["changed"], &["changed"], &["changed"]),
                Kind::Skip => ("skipped", &any, &any, &["skipped"]),
                Kind::Fail => ("failed", &["failed"], &["failed"], &["failed"]),
                Kind::Late => ("changed", &["failed"], &["failed"], &["changed"]),
            };
        expect("in check mode", check, &[wanted]);
        expect("in the run", run, wanted_run);
        expect("in the second run", again, wanted_again);
        expect("in the second check mode", last, wanted_last);
        if !faults.is_empty() {
            return faults;
        }
        let list = |all: &[Came]| all.iter().map(|came| came.status).collect::<Vec<_>>();
        if [Kind::Change, Kind::Once, Kind::Same, Kind::Always].contains(&self.kind)
            && list(check) != list(run)
        {
            faults.push(format!("items: {} in check mode, {} in the run", told(check), told(run)));
        }
        for (check, run) in check.iter().zip(run) {
            if [Kind::Change, Kind::Once, Kind::Always].contains(&self.kind)
                && (check.diff == run.diff) == self.other_diff
            {
                let equal = if self.other_diff { "the same" } else { "another" };
                faults
                    .push(format!("{equal} difference in check mode\n    {}\n    {}", check.diff, run.diff));
            }
            if ![Kind::Skip, Kind::Fail, Kind::Late].contains(&self.kind) && check.warnings != run.warnings {
                faults.push(format!(
                    "other warnings in check mode\n    {}\n    {}",
                    check.warnings, run.warnings
                ));
            }
            if self.kind == Kind::Fail && check.message != run.message {
                faults.push(format!(
                    "another message in check mode\n    {}\n    {}",
                    check.message, run.message
                ));
            }
        }
        faults
    }
}
