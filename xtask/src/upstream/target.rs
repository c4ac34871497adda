//! One target, run the way ansible-test runs it: `runme.sh` in the target's directory, or else a play on `testhost` with
//! the target as its one role.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use xtask::children::{self, Directory, Group};
use xtask::{Doing, Result, recap};

use super::list::{self, Target};
use super::release::Release;
use super::root;

/// The environment in which targets run.
#[derive(Clone)]
pub(crate) struct Machine {
    /// The unpacked source of ansible-core.
    pub source: PathBuf,
    /// The directory of the commands to test.
    pub bin: PathBuf,
    /// A Python with ansible-core, for targets that run on this machine.
    pub python: PathBuf,
    /// The root directory of the Debian that the other targets run in.
    pub root: Option<PathBuf>,
    /// The release of ansible-core.
    pub core: &'static Release,
    /// The time limit of each target.
    pub timeout: Duration,
}

/// The result of a target.
pub(crate) struct Outcome {
    /// The exit status; `None` after the timeout.
    pub status: Option<i32>,
    /// The time that it took.
    pub time: Duration,
    /// The sum of `ok=` over all recaps.
    pub done: u32,
    /// The standard output and the standard error.
    pub output: String,
}

/// Runs one target.
pub(crate) fn run(machine: &Machine, target: &Target) -> Result<Outcome> {
    let work =
        tempfile::Builder::new().prefix("upstream-").tempdir().doing("creating a temporary directory")?;
    let work = Directory::new(work.keep());
    let place = Place::lay_out(machine, target, &work.0)?;
    let directory = place.targets.join(&target.name);
    if !directory.is_dir() {
        return Err(format!("ansible-core {} has no target {}", machine.core.version, target.name));
    }
    let mut command = place.command(machine, &target.name, &directory)?;
    if let Some(root) = machine.root.as_ref().filter(|_| target.place != list::Place::Here) {
        // ansible-core's own commands are in the root already.
        let program = machine.bin.join("ansible-playbook").canonicalize().ok();
        let ours = [Some(&*machine.bin), program.as_deref().and_then(Path::parent)];
        let ours = ours.into_iter().flatten().filter(|directory| directory.exists());
        let lent: Vec<&Path> = std::iter::once(&*machine.source).chain(ours).collect();
        command = root::enclose(&command, root, target.place, &work.0, &lent)?;
    }
    let log = work.0.join("log");
    let output = File::create(&log).doing("creating a log")?;
    command.stdin(Stdio::null()).stdout(output.try_clone().doing("creating a log")?).stderr(output);
    let started = Instant::now();
    let mut group = Group::start(&mut command)?;
    let status = group.wait(machine.timeout)?;
    let time = started.elapsed();
    drop(group);
    let output = String::from_utf8_lossy(&fs::read(&log).doing("reading a log")?).into_owned();
    Ok(Outcome { status, time, done: recap::sums(&output).ok, output })
}

/// A copy of the targets in the directory layout that they expect.
struct Place {
    work: PathBuf,
    integration: PathBuf,
    targets: PathBuf,
    inventory: PathBuf,
    output: PathBuf,
    /// The Python that targets use.
    python: PathBuf,
    /// The Python in which `playbook` finds ansible-core.
    ansible_python: PathBuf,
    /// The `PATH` of the commands that are not under test.
    path: OsString,
}

impl Place {
    fn lay_out(machine: &Machine, target: &Target, work: &Path) -> Result<Place> {
        let (python, ansible_python, path) = match target.place {
            list::Place::Here => (machine.python.clone(), machine.python.clone(), path_here()?),
            _ if target.core_python => {
                (root::ANSIBLE_PYTHON.into(), root::ANSIBLE_PYTHON.into(), root::PATH.into())
            }
            _ => (root::PYTHON.into(), root::ANSIBLE_PYTHON.into(), root::PATH.into()),
        };
        let integration = work.join("test/integration");
        let targets = integration.join("targets");
        fs::create_dir_all(&targets).doing("creating a target's directory")?;
        let mut copy = Command::new("cp");
        copy.arg("-a").arg("--target-directory").arg(&targets);
        let source = machine.source.join("test/integration/targets");
        // A target may write to its own directory, to those of its setup roles, and to those that its scripts name.
        let scripts = scripts(&source.join(&target.name));
        let named: HashSet<&str> = scripts.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for entry in fs::read_dir(&source).doing(format!("reading {}", source.display()))?.flatten() {
            let file = entry.file_name();
            let name = file.to_string_lossy();
            let is_role = name.starts_with("setup_") || name.starts_with("prepare_");
            if *name == target.name || is_role || named.contains(&*name) {
                copy.arg(entry.path());
            } else {
                symlink(entry.path(), targets.join(&file)).doing("linking a target")?;
            }
        }
        children::run("copying a target", &mut copy)?;
        // Some targets use these directories.
        for part in ["lib", "test/lib", "test/support"] {
            symlink(machine.source.join(part), work.join(part)).doing("linking a source directory")?;
        }
        let output = work.join("out");
        fs::create_dir_all(&output).doing("creating a target's directory")?;
        let inventory = integration.join("inventory");
        let host = format!(
            "[testgroup]\ntesthost ansible_connection=local ansible_pipelining=yes ansible_python_interpreter={}\n",
            python.display()
        );
        fs::write(&inventory, host).doing("writing the inventory")?;
        fs::write(work.join("ansible.cfg"), "").doing("writing ansible.cfg")?;
        Ok(Place {
            work: work.to_owned(),
            targets,
            integration,
            inventory,
            output,
            python,
            ansible_python,
            path,
        })
    }

    fn command(&self, machine: &Machine, name: &str, target: &Path) -> Result<Command> {
        let runme = target.join("runme.sh");
        let mut command;
        if runme.exists() {
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&runme, executable).doing("making runme.sh executable")?;
            command = Command::new("./runme.sh");
            command.current_dir(target);
            self.set_environment(machine, &mut command)?;
            command.env("ANSIBLE_PLAYBOOK_DIR", target);
        } else {
            let aliases = fs::read_to_string(target.join("aliases")).unwrap_or_default();
            let play = json!([{
                "hosts": "testhost",
                "gather_facts": !aliases.contains("gather_facts/no/"),
                "vars": {"output_dir": self.output},
                "roles": [name],
            }]);
            let book = format!("{name}-upstream.yml");
            fs::write(self.integration.join(&book), format!("{play:#}")).doing("writing a play")?;
            command = Command::new(machine.bin.join("ansible-playbook"));
            command.args([&book, "-i", "inventory"]).current_dir(&self.integration);
            self.set_environment(machine, &mut command)?;
            command.env("ANSIBLE_ROLES_PATH", &self.targets).env("ANSIBLE_PLAYBOOK_DIR", &self.integration);
        }
        Ok(command)
    }

    fn set_environment(&self, machine: &Machine, command: &mut Command) -> Result<()> {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["ANSIBLE_", "AWS_", "PLAYBOOK_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        let injector = machine.source.join("test/lib/ansible_test/_util/target/injector");
        let first = [machine.bin.clone(), self.python_alone(machine.core)?, injector];
        let path = first.into_iter().chain(std::env::split_paths(&self.path));
        let path = std::env::join_paths(path).doing("joining PATH")?;
        command.env("PATH", path);
        for (name, value) in [
            ("LC_ALL", "en_US.UTF-8"),
            ("PYTHONPATH", ""),
            ("ANSIBLE_FORCE_COLOR", "false"),
            ("ANSIBLE_FORCE_HANDLERS", "true"),
            ("ANSIBLE_HOST_PATTERN_MISMATCH", "error"),
            ("ANSIBLE_INVENTORY", "/dev/null"),
            ("ANSIBLE_DEPRECATION_WARNINGS", "false"),
            ("ANSIBLE_HOST_KEY_CHECKING", "false"),
            ("ANSIBLE_RETRY_FILES_ENABLED", "false"),
            ("ANSIBLE_LIBRARY", "/dev/null"),
            ("ANSIBLE_DEVEL_WARNING", "false"),
            ("ANSIBLE_PYTHON_INTERPRETER", "/set/ansible_python_interpreter/in/inventory"),
            ("ANSIBLE_TEST_CI", ""),
            ("ANSIBLE_TEST_ANSIBLE_VERSION", machine.core.version),
            ("ANSIBLE_TEST_PYTHON_VERSION", machine.core.python),
            ("PAGER", "/bin/cat"),
        ] {
            command.env(name, value);
        }
        command.env("ANSIBLE_CONFIG", self.work.join("ansible.cfg"));
        // Modules and plugins in Python need one with ansible-core.
        command.env("PLAYBOOK_PYTHON", &self.ansible_python).env("PLAYBOOK_CORE", machine.core.series);
        command.env("ANSIBLE_TEST_PYTHON_INTERPRETER", &self.python);
        command.env("INVENTORY_PATH", &self.inventory);
        command.env("OUTPUT_DIR", &self.output).env("JUNIT_OUTPUT_DIR", &self.output);
        Ok(())
    }

    /// Creates a directory that has only this Python and its pip, not the other commands of its environment.
    fn python_alone(&self, core: &Release) -> Result<PathBuf> {
        let directory = self.work.join("python");
        fs::create_dir_all(&directory).doing("creating a directory for Python")?;
        for (name, call) in [
            ("python", ""),
            ("python3", ""),
            (&*format!("python{}", core.python), ""),
            ("pip", "-m pip"),
            ("pip3", "-m pip"),
            ("virtualenv", "-m virtualenv"),
        ] {
            let path = directory.join(name);
            let script = format!("#!/bin/sh\nexec {} {call} \"$@\"\n", self.python.display());
            fs::write(&path, script).doing("writing a wrapper for Python")?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .doing("writing a wrapper for Python")?;
        }
        Ok(directory)
    }
}

/// Returns the text of all shell scripts in a directory.
fn scripts(directory: &Path) -> String {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let scripts = entries.filter(|path| path.extension().is_some_and(|ending| ending == "sh"));
    scripts.filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// Returns PATH without the directories that have another ansible-playbook.
fn path_here() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories =
        std::env::split_paths(&path).filter(|directory| !directory.join("ansible-playbook").exists());
    std::env::join_paths(directories).doing("joining PATH")
}
