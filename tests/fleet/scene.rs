//! What the tests share: machines, a directory with a project, and a controller that has no SSH settings but the test's.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use xtask::children::Group;
use xtask::fleet::{Controller, Fleet, Machine};
use xtask::http::Message;
use xtask::tested::{AS_THE_ORACLE, Ended, skip};

/// The program that runs the playbooks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Program {
    Playbook,
    AnsibleCore,
}

/// A test's machines and its project.
pub struct Scene {
    pub program: Program,
    pub fleet: Fleet,
    /// Variables for the runs.
    pub environment: RefCell<Vec<(&'static str, String)>>,
    controller: Controller,
    directory: TempDir,
}

/// Plays the same with `playbook` and with ansible-core, whose exit statuses and recaps must be equal.
///
/// `act` returns how the run ended, and checks what ansible-core does not promise.
#[track_caller]
pub fn like_ansible(test: &str, act: impl Fn(&Scene) -> Ended) {
    let Some(scene) = Scene::compared(test) else { return };
    let ours = act(&scene);
    let Some(scene) = Scene::new(test, Program::AnsibleCore) else { return };
    let theirs = act(&scene);
    let both = || format!("== ours\n{}\n== ansible-core's\n{}", ours.text(), theirs.text());
    assert_eq!(ours.code, theirs.code, "exit code\n{}", both());
    assert_eq!(ours.recap(), theirs.recap(), "recap\n{}", both());
}

/// Plays what ansible-core does not do, or not in a reasonable time.
#[track_caller]
pub fn alone(test: &str, act: impl Fn(&Scene)) {
    if let Some(scene) = Scene::new(test, Program::Playbook) {
        act(&scene);
    }
}

impl Scene {
    pub fn new(test: &str, program: Program) -> Option<Scene> {
        if let Some(why) = Fleet::impossible() {
            skip(test, why);
            return None;
        }
        if program == Program::AnsibleCore && oracle().is_none() {
            skip(test, "no ansible-core beside it: run the tests with `cargo xtask test`");
            return None;
        }
        let directory = tempfile::Builder::new().prefix("scene-").tempdir().expect("a temporary directory");
        let fleet = Fleet::new().expect("a fleet");
        let controller = Controller::new(&fleet, directory.path()).expect("a controller");
        let scene = Scene { program, fleet, environment: RefCell::default(), controller, directory };
        scene.write(
            "ansible.cfg",
            "[defaults]\ninventory = hosts.ini\nforks = 10\ndeprecation_warnings = false\n\
             interpreter_python = auto_silent\nlocalhost_warning = false\n\
             [connection]\npipelining = true\n[ssh_connection]\n\
             ssh_args = -o ControlMaster=auto -o ControlPersist=5s\n",
        );
        Some(scene)
    }

    /// Returns a scene of `playbook` with the behavior of the ansible-core that it is compared with.
    pub fn compared(test: &str) -> Option<Scene> {
        let scene = Scene::new(test, Program::Playbook)?;
        let (name, release) = AS_THE_ORACLE;
        scene.environment.borrow_mut().push((name, release.to_owned()));
        Some(scene)
    }

    pub fn is_ours(&self) -> bool {
        self.program == Program::Playbook
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a written file");
    }

    /// Starts the only machine of a scene, and writes its inventory. Dropping the machine ends it.
    #[must_use]
    pub fn single(&self) -> Machine {
        let machine = self.machine("web");
        self.inventory(&[(&machine, "")]);
        machine
    }

    /// Starts a machine, without Python unless ansible-core needs it.
    pub fn machine(&self, name: &str) -> Machine {
        let machine = self.fleet.machine(name).expect("a machine");
        if self.is_ours() {
            machine.shell("rm -rf /usr/bin/python* /usr/local/bin/python*").expect("no Python");
        }
        machine
    }

    /// Writes the inventory: each machine under its name, with variables.
    pub fn inventory(&self, hosts: &[(&Machine, &str)]) {
        let mut text = String::new();
        for (machine, variables) in hosts {
            text.push_str(&format!("{} ansible_host={} {variables}\n", machine.name, machine.address()));
        }
        self.write("hosts.ini", &text);
    }

    /// Runs a playbook to its end.
    pub fn run(&self, playbook: &str, options: &[&str]) -> Ended {
        self.start(playbook, options).end()
    }

    /// Starts a playbook, with options of ansible-playbook's.
    pub fn start(&self, playbook: &str, options: &[&str]) -> Running {
        self.write("play.yml", playbook);
        if !self.path(".ssh/known_hosts").exists() {
            fs::copy(self.fleet.known_hosts(), self.path(".ssh/known_hosts")).expect("known hosts");
        }
        let mut command = self.controller.command();
        command.envs(self.environment.borrow().iter().map(|(name, value)| (name, value)));
        match self.program {
            Program::Playbook => command.args([env!("CARGO_BIN_EXE_playbook"), "run"]),
            Program::AnsibleCore => command.arg(oracle().expect("ansible-core").join("ansible-playbook")),
        };
        command.arg("play.yml").args(options);
        let out = self.path("stdout");
        let err = self.path("stderr");
        command.stdin(Stdio::null());
        command.stdout(File::create(&out).expect("a file")).stderr(File::create(&err).expect("a file"));
        Running {
            started: Instant::now(),
            group: Group::start(&mut command).expect("the run starts"),
            out,
            err,
        }
    }

    /// Returns what still runs on the controller of what the last run started.
    pub fn processes(&self) -> Vec<String> {
        self.controller.processes().into_iter().map(|(_, words)| words).collect()
    }
}

/// A run that has not ended yet; it is killed when the test forgets it.
pub struct Running {
    started: Instant,
    group: Group,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Waits for the end, which comes within five minutes on the busiest machine.
    #[track_caller]
    pub fn end(self) -> Ended {
        self.end_within(Duration::from_secs(300))
    }

    #[track_caller]
    pub fn end_within(mut self, patience: Duration) -> Ended {
        let code = self.group.wait(patience.saturating_sub(self.started.elapsed())).expect("a status");
        let ended = Ended { code: code.unwrap_or(-1), stdout: text(&self.out), stderr: text(&self.err) };
        assert!(code.is_some(), "still running after {patience:?}\n{}", ended.text());
        ended
    }

    /// Returns what it has written to standard error so far.
    pub fn errors(&self) -> String {
        text(&self.err)
    }

    /// Kills the run itself, which cannot clean up.
    pub fn kill(&self) {
        // SAFETY: a plain system call on a process that the test has started and not yet waited for.
        unsafe { libc::kill(self.group.id(), libc::SIGKILL) };
    }

    /// Sends the run itself a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: a plain system call on a process that the test has started and not yet waited for.
        unsafe { libc::kill(self.group.id(), signal) };
    }

    /// Interrupts the run and all that it started, as a terminal does.
    pub fn interrupt(&self) {
        self.group.signal(libc::SIGINT);
    }
}

/// Waits until `happened`, at most two minutes.
#[track_caller]
pub fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !happened() {
        assert!(Instant::now() < deadline, "{what}: not within two minutes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Returns the directory with ansible-core's commands.
pub fn oracle() -> Option<PathBuf> {
    std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from)
}

/// Returns the Debian releases that the tests are run on.
pub fn releases() -> Vec<String> {
    let names = std::env::var("PLAYBOOK_TEST_RELEASES").unwrap_or_else(|_| xtask::debian::RELEASES[0].into());
    names.split_whitespace().map(str::to_owned).collect()
}

/// Returns the directory of the collections that roles use.
pub fn collections() -> Option<PathBuf> {
    std::env::var_os("PLAYBOOK_TEST_COLLECTIONS").map(PathBuf::from)
}

/// Returns the lines that only one of the texts has.
pub fn compare(theirs: &str, ours: &str) -> Vec<String> {
    let only = |these: &str, those: &str, sign: char| -> Vec<String> {
        let those: BTreeSet<&str> = those.lines().collect();
        these.lines().filter(|line| !those.contains(line)).map(|line| format!("{sign} {line}")).collect()
    };
    [only(theirs, ours, '-'), only(ours, theirs, '+')].concat()
}

/// Serves what `answer` returns for a path, which has no leading slash, to the machine. Returns the server's URL. Port 0 is
/// any free one.
pub fn serve(
    machine: &Machine,
    port: u16,
    content_type: &'static str,
    answer: impl Fn(&str) -> Option<Vec<u8>> + Clone + Send + 'static,
) -> String {
    let listener = TcpListener::bind((machine.gateway(), port)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("a port"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                while let Ok(Some(request)) = Message::read(&mut stream) {
                    let path = request.start.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
                    let found = answer(path);
                    let start = if found.is_some() { "HTTP/1.1 200 OK" } else { "HTTP/1.1 404 Not Found" };
                    let headers = vec![("content-type".into(), content_type.into())];
                    let answer = Message { start: start.into(), headers, body: found.unwrap_or_default() };
                    if answer.write(stream.get_mut(), false).is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}
