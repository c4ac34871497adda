//! Servers and hosts that take few sessions, few connections or few bytes, that stop answering, and logins that print or
//! hang: a run goes on where it can, and ends where it cannot.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use xtask::fleet::Machine;

use crate::faults::{nothing_runs_on, runs};
use crate::scene::{Scene, alone, wait_until};

/// Modules, files and plain commands, as the login user and as another.
const EVERYTHING: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - command: echo a module
    - copy: {content: here, dest: /tmp/here}
    - command: id -un
      become: true
      become_user: robot
      register: who
    - raw: echo raw
    - raw: echo raw
      become: true
      become_user: robot
    - assert: {that: who.stdout == 'robot'}
";

/// With a short timeout, a busy machine may need more than one attempt to connect.
const RETRIES: &str = "ansible_ssh_retries=5";

/// Changes a setting of a machine's SSH server, which takes effect for new connections.
fn configure(machine: &Machine, setting: &str) {
    // The server starts again with the new settings, and then listens on another socket.
    let socket = || {
        let table = std::fs::read_to_string(machine.path("/proc/1/net/tcp")).unwrap_or_default();
        let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<&str>>());
        let listens = |words: &Vec<&str>| words[1].ends_with(":0016") && words[3] == "0A";
        lines.find(listens).map(|words| words[9].to_owned())
    };
    let before = socket();
    let name = setting.split(' ').next().unwrap_or_default();
    let script = format!(
        "grep -v '^{name} ' /etc/ssh/sshd_config > /run/lines; echo '{setting}' >> /run/lines
         cat /run/lines > /etc/ssh/sshd_config; rm /run/lines; kill -HUP 1"
    );
    machine.shell(&script).expect("a setting of sshd's");
    wait_until("the new settings", || socket().is_some_and(|now| Some(now) != before));
}

#[test]
fn logins_that_print_without_a_line_break_or_without_measure() {
    alone("logins that print", |scene| {
        let machine = scene.machine("web");
        // No output makes the run wait for a timeout, which is very long here.
        scene.inventory(&[(&machine, "ansible_timeout=100")]);
        for line in [
            "printf nonewline",
            "head -c 2000000 /dev/zero | tr '\\\\0' x",
            "printf nonewline >&2",
            "yes words of welcome | head -n 100000",
            "yes words of welcome | head -n 100000 >&2; printf end >&2",
            "echo PLAYBOOK-READY is what I print",
        ] {
            machine
                .shell(&format!("echo \"{line}\" > /root/.bashrc; cp /root/.bashrc /home/robot/.profile"))
                .expect("a login file");
            let started = Instant::now();
            let run = scene.run(EVERYTHING, &["--no-keep-remote"]).ok();
            assert_eq!(run.count("web", "ok"), 6, "{line}\n{}", run.text());
            assert!(started.elapsed() < Duration::from_secs(200), "{line}: {:?}", started.elapsed());
        }
    });
}

#[test]
fn a_login_that_prints_without_end_or_hangs() {
    alone("a login without end", |scene| {
        let machine = scene.machine("web");
        let book = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: echo on\n";
        for (line, timeout, says) in [
            ("yes", "100", "the login on 'web' prints endless output"),
            ("sleep 1000", "2", "Timeout (6s) waiting for the helper to start on 'web'"),
        ] {
            scene.inventory(&[(&machine, &format!("ansible_timeout={timeout} {RETRIES}"))]);
            machine.shell(&format!("echo '{line}' > /root/.bashrc")).expect("a login file");
            let run = scene.start(book, &[]).end_within(Duration::from_secs(150)).fails(4).says(&[says]);
            assert_eq!(run.count("web", "unreachable"), 1, "{}", run.text());
        }
    });
}

#[test]
fn accounts_without_a_shell() {
    // With pipelining, ansible-core takes the account's message for the output of a module.
    alone("accounts without a shell", |scene| {
        let machine = scene.machine("web");
        scene.inventory(&[(&machine, "ansible_user=guest")]);
        machine
            .shell(
                "sed 's!^\\(guest:.*\\):/bin/sh$!\\1:/usr/sbin/nologin!' /etc/passwd > /run/lines; cat \
                /run/lines > /etc/passwd",
            )
            .expect("an account without a shell");
        let book = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: echo on\n";
        let run = scene.run(book, &[]).fails(4);
        assert_eq!(run.count("web", "unreachable"), 1, "{}", run.text());
    });
}

#[test]
fn servers_that_take_few_sessions() {
    alone("few sessions", |scene| {
        let machine = scene.single();
        for sessions in ["2", "1"] {
            configure(&machine, &format!("MaxSessions {sessions}"));
            let run = scene.run(EVERYTHING, &[]).ok();
            assert_eq!(run.count("web", "ok"), 6, "{}", run.text());
        }
        // No session at all is no way to run anything.
        configure(&machine, "MaxSessions 0");
        let run = scene.run(EVERYTHING, &[]).fails(4);
        assert_eq!(run.count("web", "unreachable"), 1, "{}", run.text());
    });
}

#[test]
fn a_server_that_drops_connections_in_a_hurry() {
    alone("dropped connections", |scene| {
        let machine = scene.machine("web");
        configure(&machine, "MaxStartups 4:60:10");
        let hosts: Vec<String> = (1..=40)
            .map(|number| format!("h{number} ansible_host={}", machine.other_address(number)))
            .collect();
        scene.write("hosts.ini", &hosts.join("\n"));
        let book = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: echo on\n";
        let run = scene.run(book, &["-f", "40"]).ok();
        for number in 1..=40 {
            assert_eq!(run.count(&format!("h{number}"), "ok"), 1, "{}", run.text());
        }
    });
}

#[test]
fn a_helper_that_is_stopped() {
    alone("a stopped helper", |scene| {
        let machine = scene.machine("web");
        scene.inventory(&[(&machine, &format!("ansible_timeout=2 {RETRIES}"))]);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - command: sleep 986
      ignore_errors: true
    - command: echo on
";
        let run = scene.start(book, &[]);
        runs(&machine, "sleep 986");
        machine
            .shell(
                "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' < $p/cmdline) in \
            */playbook-remot[e]*serv[e]*) kill -STOP ${p#/proc/};; esac; done",
            )
            .expect("a stopped helper");
        run.end().ok().says(&["the helper on 'web' has not responded for 6 seconds"]);
        machine.shell("pkill -KILL playbook-remo || true; pkill sleep || true").expect("an end");
    });
}

/// Opens a port of the controller that leads to a server at a rate in kilobytes per second.
fn slow_port(to: std::net::SocketAddr, rate: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(to) else { continue };
            let back = (far.try_clone().expect("a socket"), near.try_clone().expect("a socket"));
            for ((mut from, mut to), slow) in [((near, far), true), (back, false)] {
                std::thread::spawn(move || {
                    let mut piece = vec![0; rate * 20];
                    while let Ok(count) = from.read(&mut piece)
                        && count > 0
                        && to.write_all(&piece[..count]).is_ok()
                    {
                        if slow {
                            std::thread::sleep(Duration::from_millis((count / rate) as u64));
                        }
                    }
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    port
}

#[test]
fn a_link_so_slow_that_the_helper_takes_long() {
    alone("a slow link", |scene| {
        let machine = scene.machine("web");
        let server =
            (machine.address(), 22).to_socket_addrs().expect("an address").next().expect("an address");
        let port = slow_port(server, 400);
        scene.fleet.know(&machine, &format!("[127.0.0.1]:{port}")).expect("a known host");
        scene.write(
            "hosts.ini",
            &format!("web ansible_host=127.0.0.1 ansible_port={port} ansible_timeout=2 {RETRIES}\n"),
        );
        let book = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: echo on\n";
        let started = Instant::now();
        scene.run(book, &["--no-keep-remote"]).ok();
        assert!(started.elapsed() > Duration::from_secs(6), "not slow: {:?}", started.elapsed());
    });
}

#[test]
fn a_user_who_may_start_no_process() {
    alone("a process limit", |scene| {
        let machine = scene.machine("web");
        scene.inventory(&[(&machine, &format!("ansible_user=guest ansible_timeout=2 {RETRIES}"))]);
        machine
            .shell(
                "sed 's!^\\(guest:.*\\):/bin/sh$!\\1:/bin/bash!' /etc/passwd > /run/lines; cat \
                /run/lines > /etc/passwd; echo 'ulimit -u 1' > /home/guest/.bashrc",
            )
            .expect("a limit");
        let run = scene.run(EVERYTHING, &[]);
        assert_ne!(run.code, 0, "{}", run.text());
        nothing_runs_on(&machine);
    });
}

/// Returns the sockets of the ssh masters that a scene's runs have started, and the directories of the sockets.
fn sockets(scene: &Scene) -> BTreeSet<PathBuf> {
    let processes = scene.processes();
    let after = |line: &String| {
        let mut words = line.split(' ').skip_while(|word| *word != "-S").skip(1);
        words.next().filter(|word| word.contains("/playbook-")).map(PathBuf::from)
    };
    let sockets = processes.iter().filter_map(after);
    sockets.flat_map(|socket| [socket.parent().expect("a directory").to_owned(), socket]).collect()
}

/// Asserts that a signal leaves no process and no socket behind, and that the report has no false result.
#[track_caller]
fn leaves_nothing(scene: &Scene, signal: i32, code: i32) {
    let machine = scene.single();
    let book = "
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - raw: sleep 983
      when: inventory_hostname == 'web'
    - raw: sleep 984
      become: true
      become_user: robot
      when: inventory_hostname == 'other'
    - command: sleep 985
      delegate_to: localhost
      when: inventory_hostname == 'third'
";
    scene.write(
        "hosts.ini",
        &["web", "other", "third"]
            .map(|name| format!("{name} ansible_host={}", machine.address()))
            .join("\n"),
    );
    let run = scene.start(book, &[]);
    runs(&machine, "sleep 983");
    runs(&machine, "sleep 984");
    wait_until("the local command", || scene.processes().iter().any(|line| line.ends_with("sleep 985")));
    // Those of the run itself: other tests run at the same time.
    let sockets = sockets(scene);
    assert!(!sockets.is_empty() && sockets.iter().all(|socket| socket.exists()), "{sockets:?}");
    run.signal(signal);
    let run = run.end_within(Duration::from_secs(60)).hides(&["UNREACHABLE", "FAILED", "panicked"]);
    assert_eq!(run.code, code, "{}", run.text());
    nothing_runs_on(&machine);
    wait_until(&format!("the end of {:?}", scene.processes()), || scene.processes().is_empty());
    let left: Vec<&PathBuf> = sockets.iter().filter(|socket| socket.exists()).collect();
    assert!(left.is_empty(), "sockets stay behind: {left:?}");
}

#[test]
fn sigterm_leaves_nothing() {
    alone("SIGTERM", |scene| leaves_nothing(scene, libc::SIGTERM, 143));
}

#[test]
fn sighup_leaves_nothing() {
    alone("SIGHUP", |scene| leaves_nothing(scene, libc::SIGHUP, 129));
}

#[test]
fn output_without_end_is_ended_by_a_timeout() {
    alone("endless output", |scene| {
        let machine = scene.single();
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - raw: while sleep 0.01; do echo without end; done
      timeout: 2
      ignore_errors: true
      register: endless
    - assert: {that: [endless is failed, endless.timedout.period == 2]}
    - command: echo on
";
        scene.run(book, &[]).ok();
        nothing_runs_on(&machine);
    });
}
