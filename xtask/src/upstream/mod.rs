//! Runs ansible-core's own integration targets against `playbook`.
//!
//! The targets come from the ansible-core source archive and are not part of this repository. A target passes if it
//! exits with status 0 and the sum of its recaps' `ok=` is at least that of ansible-core's own run
//! (`tests/upstream/reference.json`), so that a run that skips tasks does not pass. If ansible-core itself stops early
//! on the reference machine (`"up to N"`), a target passes if it gets as far. Targets that change the machine run in a
//! separate Debian.

mod list;
mod release;
mod root;
mod target;
mod times;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use xtask::fleet::Fleet;
use xtask::tested::ANSIBLE_PROGRAMS;
use xtask::{Doing, Result, build, cache, lock, python};

use crate::preflight;
use crate::total::Total;
use list::{Place, Target};
use release::Release;
use target::{Machine, Outcome};

#[derive(Default)]
struct Options {
    release_of_core: &'static Release,
    targets: Vec<String>,
    list: Option<PathBuf>,
    bin: Option<PathBuf>,
    logs: Option<PathBuf>,
    jobs: Option<usize>,
    timeout: Option<u64>,
    release: bool,
    fast: bool,
    times: bool,
    record: bool,
    place: Option<Place>,
}

/// Runs the targets and returns whether all of them passed.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    add_to(&mut Total::default(), arguments)
}

/// Runs the targets, adds their results to `total`, and returns whether all of them passed.
pub(crate) fn add_to(total: &mut Total, arguments: &[String]) -> Result<bool> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} requires a value"));
        match argument.as_str() {
            "--core" => options.release_of_core = Release::named(value()?)?,
            "--list" => options.list = Some(value()?.into()),
            "--bin" => options.bin = Some(value()?.into()),
            "--logs" => options.logs = Some(value()?.into()),
            "--jobs" => options.jobs = Some(value()?.parse().doing("--jobs")?),
            "--timeout" => options.timeout = Some(value()?.parse().doing("--timeout")?),
            "--release" => options.release = true,
            "--fast" => options.fast = true,
            "--times" => options.times = true,
            "--record" => options.record = true,
            "--in" => {
                options.place = Some(Place::named(value()?).ok_or("--in must be here, root or online")?)
            }
            option if option.starts_with('-') => {
                return Err(format!(
                    "unknown option '{option}' of `upstream`\nRun `cargo xtask help` for the options."
                ));
            }
            target => options.targets.push(target.to_owned()),
        }
    }
    let core = options.release_of_core;
    let mut targets = choose(&options)?;
    let roots = targets.iter().filter(|target| target.place != Place::Here).count();
    preflight::upstream(roots > 0)?;
    let mut complete = true;
    if let Some(why) = Fleet::impossible().filter(|_| roots > 0) {
        println!("SKIPPED: {roots} targets that run in a separate Debian: {why}");
        targets.retain(|target| target.place == Place::Here);
        complete = !preflight::is_ci();
    }
    if options.record {
        // Records are ansible-core's own.
        options.bin = None;
    }
    let work = tempfile::tempdir().doing("creating a temporary directory")?;
    let bin = match &options.bin {
        Some(bin) => bin.canonicalize().doing(format!("looking for {}", bin.display()))?,
        None if options.record => root::ANSIBLE.into(),
        None => {
            link_commands(&build::playbook(options.release, build::Parts::All)?, &work.path().join("bin"))?
        }
    };
    let machine = Machine {
        source: source_of(core)?,
        bin,
        python: python::environment(&python::ORACLE)?.join("python"),
        root: targets
            .iter()
            .any(|target| target.place != Place::Here)
            .then(|| root::directory(core))
            .transpose()?,
        core,
        timeout: Duration::from_secs(options.timeout.unwrap_or(180)),
    };
    if options.times {
        let here = Machine { bin: python::environment(&python::ORACLE)?, ..machine.clone() };
        let inside = Machine { bin: root::ANSIBLE.into(), ..machine.clone() };
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        return times::compare(&names, |side, at| {
            let target = &targets[at];
            let theirs = if target.place == Place::Here { &here } else { &inside };
            target::run(if side == times::Side::Ours { &machine } else { theirs }, target)
        });
    }
    Ok(run_all(&options, &targets, &machine, total)? && complete)
}

/// Returns the targets to run: the named ones, in their places from the list, or all of the list. Targets that are not
/// in the list run in a separate Debian, since they may change the machine.
fn choose(options: &Options) -> Result<Vec<Target>> {
    let path = options.list.clone().unwrap_or(options.release_of_core.list());
    let mut targets = list::read(&path)?;
    if options.targets.is_empty() {
        targets.retain(|target| !(options.fast && target.slow));
    } else {
        let known = |name: &String| targets.iter().find(|target| target.name == *name).cloned();
        let found = |name| known(name).unwrap_or(Target::new(name, Place::Root));
        targets = options.targets.iter().map(found).collect();
    }
    for target in &mut targets {
        target.place = options.place.unwrap_or(target.place);
        if options.release_of_core.debian.is_some() && target.place == Place::Here {
            target.place = Place::Root;
        }
    }
    Ok(targets)
}

fn link_commands(playbook: &Path, directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).doing("creating a directory for the commands")?;
    for name in ANSIBLE_PROGRAMS.into_iter().chain(["ansible-test"]) {
        symlink(playbook, directory.join(name)).doing("linking the commands")?;
    }
    Ok(directory.to_owned())
}

/// Returns the directory of the unpacked source of the ansible-core that the tests compare with.
pub(crate) fn source() -> Result<PathBuf> {
    source_of(Release::usual())
}

/// Returns the directory of the unpacked source of a release of ansible-core.
fn source_of(core: &Release) -> Result<PathBuf> {
    let version = core.version;
    let directory = cache::directory()?.join("ansible-core").join(version);
    cache::once(&directory, |directory| {
        let archive = python::source_archive("ansible-core", version)?;
        let file = fs::File::open(&archive).doing(format!("opening {}", archive.display()))?;
        tar::Archive::new(flate2::read::GzDecoder::new(file))
            .unpack(directory)
            .doing("unpacking ansible-core")
    })?;
    Ok(directory.join(format!("ansible_core-{version}")))
}

/// What a target must reach.
enum Asked {
    /// Exit status 0 with at least this sum of `ok=`.
    All(u32),
    /// At least this sum of `ok=`, which ansible-core reaches on the reference machine before it fails.
    UpTo(u32),
    /// There is no reference.
    Unknown,
}

impl Asked {
    fn of(reference: &Value, target: &str) -> Asked {
        match &reference[target] {
            Value::Number(number) => Asked::All(number.as_u64().unwrap_or(0) as u32),
            Value::String(text) => match text.rsplit(' ').next().and_then(|number| number.parse().ok()) {
                Some(number) => Asked::UpTo(number),
                None => Asked::Unknown,
            },
            _ => Asked::Unknown,
        }
    }

    fn is_met(&self, outcome: &Outcome) -> bool {
        match self {
            Asked::All(number) => outcome.status == Some(0) && outcome.done >= *number,
            Asked::UpTo(number) => outcome.done >= *number,
            Asked::Unknown => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Asked::All(number) => number.to_string(),
            Asked::UpTo(number) => format!("up to {number}"),
            Asked::Unknown => "no reference".into(),
        }
    }
}

fn run_all(options: &Options, targets: &[Target], machine: &Machine, total: &mut Total) -> Result<bool> {
    let path = options.release_of_core.reference();
    if options.record && !path.exists() {
        fs::write(&path, "{}").doing(format!("writing {}", path.display()))?;
    }
    let text = fs::read_to_string(&path).doing(format!("reading {}", path.display()))?;
    let reference: Value = serde_json::from_str(&text).doing(format!("reading {}", path.display()))?;
    let record = Mutex::new(reference.as_object().cloned().unwrap_or_default());
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.unwrap_or(2).max(1) {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (name, logs) = (&target.name, options.logs.as_deref());
                    // A run that is recorded has nothing to reach.
                    let asked = if options.record { Asked::UpTo(0) } else { Asked::of(&reference, name) };
                    let outcome = target::run(machine, target);
                    if let Some(outcome) = outcome.as_ref().ok().filter(|_| options.record) {
                        let done = match outcome.status {
                            Some(0) => outcome.done.into(),
                            _ => format!("up to {}", outcome.done).into(),
                        };
                        lock(&record).insert(name.clone(), done);
                    }
                    if let Some(said) = report(name, &asked, outcome, logs) {
                        lock(&failed).push((name.clone(), said));
                    }
                }
            });
        }
    });
    if options.record {
        let mut record: Vec<_> = std::mem::take(&mut *lock(&record)).into_iter().collect();
        record.sort_by(|a, b| a.0.cmp(&b.0));
        let lines: Vec<String> = record.iter().map(|(name, done)| format!(" \"{name}\": {done}")).collect();
        let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
        fs::write(&path, text).doing(format!("writing {}", path.display()))?;
    }
    let failed: Vec<(String, String)> = std::mem::take(&mut *lock(&failed));
    if !failed.is_empty() {
        let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
        println!("failed: {}", names.join(" "));
    }
    println!("upstream: {} passed, {} failed", targets.len() - failed.len(), failed.len());
    total.passed += targets.len() - failed.len();
    let passed = failed.is_empty();
    failed.into_iter().for_each(|(name, said)| total.fail(format!("upstream {name}"), said));
    Ok(passed)
}

/// Prints one line for a target, and the end of its output if it failed and there is no directory for logs. Returns what it
/// has printed if the target failed.
fn report(name: &str, asked: &Asked, outcome: Result<Outcome>, logs: Option<&Path>) -> Option<String> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let line = format!("FAIL {name:<34} {error}");
            println!("{line}");
            return Some(line);
        }
    };
    let passed = asked.is_met(&outcome);
    let verdict = if passed { "PASS" } else { "FAIL" };
    let status = outcome.status.map_or("timeout".to_owned(), |status| format!("rc={status}"));
    let seconds = outcome.time.as_secs_f64();
    let line =
        format!("{verdict} {name:<34} {status:<8} {seconds:>6.1}s  ok={}/{}", outcome.done, asked.describe());
    let text = match logs {
        Some(directory) => {
            let path = directory.join(format!("{name}.log"));
            let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, &outcome.output));
            let note = written
                .err()
                .map(|error| format!("  (cannot write {}: {error})", path.display()))
                .unwrap_or_default();
            format!("{line}{note}")
        }
        None if passed => line,
        None => {
            let lines: Vec<&str> = outcome.output.lines().filter(|line| !line.trim().is_empty()).collect();
            let tail = &lines[lines.len().saturating_sub(12)..];
            format!("{line}\n    {}", tail.join("\n    "))
        }
    };
    println!("{text}");
    (!passed).then_some(text)
}
