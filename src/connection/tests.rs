//! The helper, really started, at the other end of a shell that stands for a host.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use playbook_api::context::{Cancel, Sink, Source};
use playbook_api::stream::Endpoint;
use playbook_api::{Arguments, Context, ErrorKind, Failure, Map, Outcome, Registry, map};

use super::bootstrap::Deploy;
use super::launch::{Launcher, Shell, Started};
use super::peer::Peer;
use super::remote::Remote;
use super::{Become, Connection, Password};

/// A host with a home of its own.
struct Lab {
    home: tempfile::TempDir,
    registry: Arc<Registry>,
}

/// A shell in that home.
struct AtHome(PathBuf);

impl Launcher for AtHome {
    fn start(&self, command: &str) -> Result<Started, Failure> {
        let home = self.0.display();
        Shell.start(&format!("cd {home}; HOME={home}; export HOME; {command}"))
    }
}

impl Lab {
    fn new() -> Lab {
        let mut registry = Registry::default();
        playbook_host::register(&mut registry);
        Lab { home: tempfile::tempdir().unwrap(), registry: Arc::new(registry) }
    }

    fn remote(&self, dir: &str, keep: bool) -> Arc<Remote> {
        let launcher = Box::new(AtHome(self.home.path().to_owned()));
        let peer = Peer::new("lab", Duration::from_secs(2));
        Arc::new(Remote::new(launcher, peer, Deploy { directory: dir.into(), keep }))
    }

    fn context(&self) -> Context {
        Context { registry: self.registry.clone(), ..Context::default() }
    }

    fn run(
        &self,
        on: &dyn Connection,
        module: &str,
        args: Map,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        on.run(self.registry.module(module).unwrap(), &Arguments::from(args), context)
    }

    fn shell(&self, on: &dyn Connection, line: &str) -> Result<Outcome, Failure> {
        self.run(on, "shell", map! { "_raw_params" => line }, &self.context())
    }

    /// Returns the helpers in a directory.
    fn helpers(&self, dir: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.home.path().join(dir).join("playbook"));
        entries.map_or_else(|_| Vec::new(), |entries| entries.flatten().map(|e| e.path()).collect())
    }
}

fn out(outcome: &Outcome) -> String {
    outcome.values.get("stdout").map(|v| v.to_text().into_owned()).unwrap_or_default()
}

#[test]
fn the_helper_is_put_there_once_and_a_damaged_one_again() {
    let lab = Lab::new();
    let remote = lab.remote("~/t", true);
    let pid = out(&lab.shell(&remote.user(None), "echo $PPID; umask; pwd").unwrap());
    let again = out(&lab.shell(&remote.user(None), "echo $PPID; umask; pwd").unwrap());
    assert_eq!(pid, again, "one process serves all tasks");
    remote.close();
    let helper = lab.helpers("t").pop().unwrap();
    let written = helper.metadata().unwrap().modified().unwrap();
    lab.shell(&lab.remote("~/t", true).user(None), "true").unwrap();
    assert_eq!(helper.metadata().unwrap().modified().unwrap(), written);
    let whole = std::fs::read(&helper).unwrap();
    std::fs::write(&helper, &whole[..whole.len() - 100]).unwrap();
    lab.shell(&lab.remote("~/t", true).user(None), "true").unwrap();
    assert_eq!(std::fs::read(&helper).unwrap(), whole);
}

#[test]
fn nothing_stays_behind_where_that_is_asked_for() {
    let lab = Lab::new();
    lab.shell(&lab.remote("~/t", false).user(None), "true").unwrap();
    assert_eq!(lab.helpers("t"), Vec::<PathBuf>::new());
}

#[test]
fn a_directory_that_does_not_do_is_passed_over() {
    let lab = Lab::new();
    lab.shell(&lab.remote("/proc/nowhere", true).user(None), "true").unwrap();
    assert_eq!(lab.helpers(".cache").len(), 1);
}

#[test]
fn many_talk_over_one_channel() {
    let lab = Lab::new();
    let remote = lab.remote("~/t", true);
    lab.shell(&remote.user(None), "true").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (lab, remote) = (&lab, &remote);
            scope.spawn(move || {
                for round in 0..10 {
                    let line = format!("sleep 0.0{}; echo {thread}-{round}", (thread + round) % 3);
                    let said = out(&lab.shell(&remote.user(None), &line).unwrap());
                    assert_eq!(said, format!("{thread}-{round}"));
                }
            });
        }
    });
}

/// A file that knows how often it was read.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl Source for Counted {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn sha1(&self) -> io::Result<String> {
        use sha1::Digest;
        Ok(hex::encode(sha1::Sha1::digest(&self.0)))
    }

    fn open(&self) -> io::Result<Box<dyn io::BufRead + Send>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(io::Cursor::new(self.0.clone())))
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<u8>>);

impl Sink for Kept {
    fn take(&self, content: &mut dyn Read) -> io::Result<()> {
        content.read_to_end(&mut self.0.lock().unwrap()).map(drop)
    }
}

/// Larger than what may be under way at once, so that both sides have to wait for each other.
fn large() -> Vec<u8> {
    (0..9_000_000_u32).map(|n| (n ^ (n >> 9)) as u8).collect()
}

#[test]
fn files_go_there_if_they_are_needed_and_come_back() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let (content, reads) = (large(), Arc::new(AtomicUsize::new(0)));
    let source = Arc::new(Counted(content.clone(), reads.clone()));
    let context = Context { source: Some(source), ..lab.context() };
    let place = lab.home.path().join("large");
    let args = map! { "dest" => place.display().to_string() };
    let made = lab.run(&user, "copy", args.clone(), &context).unwrap();
    assert!(made.changed && std::fs::read(&place).unwrap() == content);
    assert!(!lab.run(&user, "copy", args.clone(), &context).unwrap().changed);
    assert_eq!(reads.load(Ordering::Relaxed), 1, "what is there already is not sent");

    let kept = Arc::new(Kept::default());
    let context = Context { sink: Some(kept.clone()), ..lab.context() };
    lab.run(&user, "fetch", map! { "src" => place.display().to_string() }, &context).unwrap();
    assert!(*kept.0.lock().unwrap() == content);
    assert_eq!(out(&lab.shell(&user, "echo on").unwrap()), "on");
}

#[test]
fn a_file_that_is_refused_ends_its_stream_and_nothing_else() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let source = Arc::new(Counted(large(), Arc::default()));
    let context = Context { source: Some(source), ..lab.context() };
    // Refused once it is all there.
    let place = lab.home.path().join("refused");
    let args = map! { "dest" => place.display().to_string(), "validate" => "false %s" };
    assert!(lab.run(&user, "copy", args, &context).is_err() && !place.exists());
    // Refused before any of it was read.
    let args = map! { "dest" => "/proc/nowhere/x" };
    assert!(lab.run(&user, "copy", args, &context).is_err());
    assert_eq!(out(&lab.shell(&user, "echo on").unwrap()), "on");
}

#[test]
fn a_cancelled_module_ends_there_too() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let cancel = Cancel::default();
    let context = Context { cancel: cancel.clone(), ..lab.context() };
    let start = Instant::now();
    let begun = lab.home.path().join("pid");
    std::thread::spawn(move || {
        while std::fs::read_to_string(&begun).unwrap_or_default().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        cancel.set();
    });
    let line = "echo $$ > pid; sleep 300";
    assert!(lab.run(&user, "shell", map! { "_raw_params" => line }, &context).is_err());
    assert!(start.elapsed() < Duration::from_secs(100));
    let pid = std::fs::read_to_string(lab.home.path().join("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_helper_that_dies_fails_its_module_and_the_next_task_has_another() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let failure = lab.shell(&user, "kill -9 $PPID; sleep 5").unwrap_err();
    assert!(failure.error.to_string().contains("went away"), "{}", failure.error);
    assert!(!failure.unreachable);
    assert_eq!(out(&lab.shell(&user, "echo on").unwrap()), "on");
    // One that dies between two tasks is not even noticed.
    lab.shell(&user, "(sleep 0.2; kill -9 $PPID; : > dead) >/dev/null 2>&1 &").unwrap();
    while !lab.home.path().join("dead").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(out(&lab.shell(&user, "echo on").unwrap()), "on");
}

#[test]
fn a_stream_carries_bytes_both_ways_and_ends_with_either_side() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let path = lab.home.path().join("service");
    let service = UnixListener::bind(&path).unwrap();
    let echo = std::thread::spawn(move || {
        let (mut first, _) = service.accept().unwrap();
        let mut sent = Vec::new();
        first.read_to_end(&mut sent).unwrap();
        first.write_all(&sent).unwrap();
        drop(first);
        // A client that closes its socket is noticed, though the service never sends anything.
        let (mut second, _) = service.accept().unwrap();
        second.read_to_end(&mut Vec::new()).unwrap()
    });
    let open = || user.connect(&Endpoint::Unix(path.clone()), Duration::from_secs(5), &Cancel::default());
    let mut stream = open().unwrap();
    let (content, mut writing) = (large(), stream.try_clone().unwrap());
    let sender = std::thread::spawn(move || {
        writing.write_all(&large()).unwrap();
        writing.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    sender.join().unwrap();
    assert!(back == content);
    drop(open().unwrap());
    assert_eq!(echo.join().unwrap(), 0);
    // The channel goes on.
    assert_eq!(out(&lab.shell(&user, "echo on").unwrap()), "on");
}

#[test]
fn a_stream_to_nothing_says_so() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let said = |endpoint: Endpoint| {
        let failure = user.connect(&endpoint, Duration::from_secs(5), &Cancel::default()).unwrap_err();
        (failure.error.to_string(), failure.error.kind())
    };
    let missing = said(Endpoint::Unix(lab.home.path().join("nothing")));
    assert_eq!(missing, ("No such file or directory (os error 2)".into(), ErrorKind::NotFound));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = said(Endpoint::Tcp { host: "127.0.0.1".into(), port });
    assert_eq!(refused, ("Connection refused (os error 111)".into(), ErrorKind::Input));
}

#[test]
fn a_stream_ends_with_its_helper() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let service = UnixListener::bind(lab.home.path().join("service")).unwrap();
    let endpoint = Endpoint::Unix(lab.home.path().join("service"));
    let mut stream = user.connect(&endpoint, Duration::from_secs(5), &Cancel::default()).unwrap();
    let _served = service.accept().unwrap();
    assert!(lab.shell(&user, "kill -9 $PPID; sleep 5").is_err());
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_helper_that_is_stopped_is_given_up() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    // A quiet module is not a silent helper.
    assert_eq!(out(&lab.shell(&user, "sleep 9; echo on").unwrap()), "on");
    let pid = out(&lab.shell(&user, "echo $PPID").unwrap());
    let started = Instant::now();
    let failure = lab.shell(&user, "kill -STOP $PPID; sleep 1").unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "The helper on the host went away while it ran the module: the helper on 'lab' has not responded for 6 seconds"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(out(&lab.shell(&user, "echo on").unwrap()), "on");
    std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap();
}

#[test]
fn wrong_arguments_are_told_before_anything_starts() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let failure = lab.run(&user, "stat", map! { "pth" => "/" }, &lab.context()).unwrap_err();
    assert!(failure.error.to_string().contains("Unsupported parameters"));
    assert!(lab.helpers("t").is_empty());
}

#[test]
fn raw_needs_no_helper() {
    let lab = Lab::new();
    let user = lab.remote("~/t", true).user(None);
    let output = user.execute("echo out; echo err >&2; exit 3", &lab.context()).unwrap();
    assert_eq!((output.code, &*output.stdout, &*output.stderr), (3, &b"out\n"[..], &b"err\n"[..]));
    assert!(lab.helpers("t").is_empty());
}

#[test]
fn another_user_is_asked_for_in_sudos_way() {
    let lab = Lab::new();
    // A sudo that asks the way the real one does, and takes one password.
    let sudo = lab.home.path().join("sudo");
    let script = "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in -p) p=$2; shift 2;; -u) shift 2;; -*) shift;; *) break;; esac; done\nprintf '%s' \"$p\" >&2; read -r given\n[ \"$given\" = right ] || { printf 'Sorry, try again.\\n%s' \"$p\" >&2; read -r given; exit 1; }\nexec \"$@\"\n";
    std::fs::write(&sudo, script).unwrap();
    std::fs::set_permissions(&sudo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let other = |password: &str| {
        Some(Become {
            user: "root".into(),
            method: "sudo".into(),
            exe: Some(sudo.display().to_string()),
            password: Some(Password(password.into())),
            ..Become::default()
        })
    };
    let remote = lab.remote("~/t", true);
    assert_eq!(out(&lab.shell(&remote.user(other("right")), "echo in").unwrap()), "in");
    let output = remote.user(other("right")).execute("echo raw", &lab.context()).unwrap();
    assert_eq!(&*output.stdout, b"raw\n");
    let failure = lab.shell(&remote.user(other("wrong")), "echo in").unwrap_err();
    assert_eq!(failure.error.to_string(), "Incorrect sudo password");
}
