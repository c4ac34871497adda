//! Faults of networks, hosts and users: the run goes on with the other hosts, reports the faulty one as ansible-core does,
//! leaves nothing behind, and ends.

use std::time::Duration;

use xtask::fleet::Machine;

use crate::scene::{Scene, alone, like_ansible, wait_until};

/// The directories in which a run may leave something.
const PLACES: [&str; 7] = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/root", "/home", "/mnt"];

/// Returns the files in those places, except for the empty directories that ansible-core leaves as well.
fn left_on(machine: &Machine) -> Vec<String> {
    let mut files = machine.files(&PLACES).expect("the files");
    let empty = ["/.ansible", "/.ansible/tmp", "/.ansible_async"];
    files.retain(|path| !empty.iter().any(|end| path.ends_with(end)));
    files
}

/// Starts two machines, one of which will have a fault.
fn two(scene: &Scene) -> (Machine, Machine) {
    let machines = (scene.machine("well"), scene.machine("ill"));
    scene.inventory(&[(&machines.0, ""), (&machines.1, "")]);
    machines
}

/// Two tasks that take a moment; the fault comes during the first.
const TWO_TASKS: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - command: sleep {{ 987 if inventory_hostname == 'ill' else 2 }}
    - command: echo still there
";

/// Asserts that nothing but SSH's own processes runs on a machine soon after the run.
#[track_caller]
pub fn nothing_runs_on(machine: &Machine) {
    let programs = || -> Vec<String> {
        let own = |line: &String| line.split(' ').nth(1).is_some_and(|word| word.starts_with("sshd:"));
        machine.processes().into_iter().filter(|line| !own(line)).collect()
    };
    wait_until(&format!("the end of all that ran on {}: {:?}", machine.name, programs()), || {
        programs().is_empty()
    });
}

/// Asserts that a run has left nothing on its hosts and on the controller.
#[track_caller]
fn nothing_is_left(scene: &Scene, machines: &[&Machine]) {
    for machine in machines {
        nothing_runs_on(machine);
    }
    wait_until(&format!("the end of {:?}", scene.processes()), || scene.processes().is_empty());
}

/// Waits until the helper's guard has been told of a program that was just started, which nothing shows.
pub fn told_to_the_guard() {
    std::thread::sleep(Duration::from_secs(2));
}

#[track_caller]
pub fn runs(machine: &Machine, what: &str) {
    wait_until(&format!("{what} on {}", machine.name), || {
        machine.processes().iter().any(|line| line.ends_with(what))
    });
}

#[test]
fn hosts_out_of_reach_from_the_start() {
    like_ansible("hosts out of reach", |scene| {
        let (well, ill) = two(scene);
        ill.cut().expect("a pulled cable");
        scene.write("more.ini", &format!("refusing ansible_host={} ansible_port=1\n", well.address()));
        let run = scene.run(TWO_TASKS, &["-i", "hosts.ini", "-i", "more.ini"]);
        assert_eq!((run.count("well", "ok"), run.count("ill", "unreachable")), (2, 1), "{}", run.text());
        assert_eq!(run.count("refusing", "unreachable"), 1, "{}", run.text());
        nothing_runs_on(&well);
        run.fails(4).says(&["UNREACHABLE!", "Connection refused"])
    });
}

#[test]
fn a_host_dies_in_the_middle_of_a_task() {
    like_ansible("a dying host", |scene| {
        let (well, ill) = two(scene);
        let run = scene.start(TWO_TASKS, &[]);
        runs(&ill, "sleep 987");
        drop(ill);
        let run = run.end();
        assert_eq!((run.count("well", "ok"), run.count("ill", "unreachable")), (2, 1), "{}", run.text());
        nothing_runs_on(&well);
        run.fails(4)
    });
}

#[test]
fn the_network_is_cut_and_never_comes_back() {
    // ansible-core waits for ever.
    alone("a cut network", |scene| {
        let (well, ill) = two(scene);
        let run = scene.start(TWO_TASKS, &[]);
        runs(&ill, "sleep 987");
        ill.cut().expect("a pulled cable");
        let run = run.end().fails(4);
        assert_eq!((run.count("well", "ok"), run.count("ill", "unreachable")), (2, 1), "{}", run.text());
        nothing_runs_on(&well);
        // With the cable back, the next run is not troubled by what the first one left.
        ill.mend().expect("a cable");
        let run = scene.run(&TWO_TASKS.replace("987", "0"), &[]).ok();
        assert_eq!((run.count("ill", "ok"), run.count("ill", "unreachable")), (2, 0), "{}", run.text());
        nothing_runs_on(&ill);
    });
}

#[test]
fn the_network_is_cut_for_a_moment() {
    like_ansible("a network cut for a moment", |scene| {
        let (_well, ill) = two(scene);
        let run = scene.start(&TWO_TASKS.replace("987", "6"), &[]);
        runs(&ill, "sleep 6");
        ill.cut().expect("a pulled cable");
        std::thread::sleep(Duration::from_secs(2));
        ill.mend().expect("a cable");
        let run = run.end();
        assert_eq!((run.count("well", "ok"), run.count("ill", "ok")), (2, 2), "{}", run.text());
        run.ok()
    });
}

#[test]
fn a_full_disk() {
    like_ansible("a full disk", |scene| {
        let (well, ill) = two(scene);
        well.shell("mkdir /small").expect("a directory");
        ill.shell("mkdir /small; mount -t tmpfs -o size=1m tmpfs /small; echo old > /small/big")
            .expect("a small disk");
        let before = ill.files(&["/small", "/tmp"]).expect("the files");
        scene.write("big", &"0123456789abcdef".repeat(200_000));
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - copy: {src: big, dest: /small/big}
    - command: echo still there
";
        let run = scene.run(book, &[]);
        assert_eq!((run.count("well", "ok"), run.count("ill", "failed")), (2, 1), "{}", run.text());
        assert_eq!(std::fs::read_to_string(ill.path("/small/big")).expect("a file"), "old\n");
        if scene.is_ours() {
            assert_eq!(ill.files(&["/small", "/tmp"]).expect("the files"), before);
            assert!(run.text().contains("No space left on device"), "{}", run.text());
            nothing_runs_on(&ill);
        }
        run.fails(2)
    });
}

#[test]
fn temporary_directories_that_take_no_program() {
    // ansible-core gives such a host up.
    alone("unfit temporary directories", |scene| {
        let machines = ["readonly", "noexec", "full"].map(|name| scene.machine(name));
        let hosts = machines.each_ref().map(|machine| (machine, "ansible_remote_tmp=/unfit/tmp"));
        scene.inventory(&hosts);
        for (machine, options) in machines.iter().zip(["ro", "noexec", "size=64k"]) {
            let script = format!("mkdir /unfit; mount -t tmpfs -o {options} tmpfs /unfit");
            machine.shell(&script).expect("an unfit directory");
        }
        machines[2]
            .shell("head -c 65536 /dev/zero > /unfit/filling 2>/dev/null || true")
            .expect("a full directory");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - copy: {content: here, dest: /etc/here}
";
        let run = scene.run(book, &[]).ok();
        for machine in &machines {
            assert_eq!(run.count(&machine.name, "changed"), 1, "{}", run.text());
            nothing_runs_on(machine);
        }
    });
}

#[test]
fn no_directory_at_all_takes_a_program() {
    alone("no temporary directory", |scene| {
        let (_well, ill) = two(scene);
        for directory in PLACES {
            ill.shell(&format!("mount -o remount,noexec {directory}")).expect("a noexec directory");
        }
        ill.shell("mount -o remount,ro /").expect("a read-only system");
        let run = scene.run(&TWO_TASKS.replace("987", "0"), &[]);
        let failed = run.count("ill", "unreachable") + run.count("ill", "failed");
        assert_eq!((run.count("well", "ok"), failed), (2, 1), "{}", run.text());
        // What it is that the user can do about it.
        let run = run.says(&["noexec", "remote_tmp"]);
        assert!([2, 4].contains(&run.code), "{}", run.text());
        nothing_runs_on(&ill);
        // Without the helper there is still raw.
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - raw: echo raw works
";
        scene.run(book, &["-v"]).ok().says(&["raw works"]);
    });
}

#[test]
fn the_helper_is_killed() {
    alone("a killed helper", |scene| {
        let (_well, ill) = two(scene);
        let run = scene.start(TWO_TASKS, &[]);
        runs(&ill, "sleep 987");
        told_to_the_guard();
        let helper = |line: &String| line.contains("playbook-remote") && !line.contains("sh -c");
        let helpers: Vec<String> = ill.processes().into_iter().filter(helper).collect();
        assert!(!helpers.is_empty(), "no helper in {:?}", ill.processes());
        for line in &helpers {
            let number: i32 =
                line.split(' ').next().and_then(|word| word.parse().ok()).expect("a process number");
            // SAFETY: a plain system call on a process of the test's own machine.
            unsafe { libc::kill(number, libc::SIGKILL) };
        }
        let run = run.end_within(Duration::from_secs(120)).fails(2);
        assert_eq!((run.count("well", "ok"), run.count("ill", "failed")), (2, 1), "{}", run.text());
        nothing_runs_on(&ill);
        // The next run starts a new one.
        scene.run(&TWO_TASKS.replace("987", "0"), &[]).ok();
    });
}

#[test]
fn a_wrong_sudo_password() {
    like_ansible("a wrong sudo password", |scene| {
        let machines = (scene.machine("well"), scene.machine("ill"));
        let right = format!("ansible_user=warden ansible_become_password=\"{}\"", xtask::fleet::PASSWORD);
        scene.inventory(&[
            (&machines.0, &right),
            (&machines.1, "ansible_user=warden ansible_become_password=guess-5"),
        ]);
        let run = scene.run(&TWO_TASKS.replace("987", "0"), &["--become"]);
        assert_eq!(run.count("well", "ok"), 2, "{}", run.text());
        nothing_runs_on(&machines.1);
        run.says(&["Incorrect sudo password"]).hides(&["guess-5", xtask::fleet::PASSWORD])
    });
}

#[test]
fn a_wrong_host_key() {
    like_ansible("a wrong host key", |scene| {
        let (_well, ill) = two(scene);
        let known = std::fs::read_to_string(scene.fleet.known_hosts()).expect("known hosts");
        let other = std::fs::read_to_string(scene.fleet.key().with_extension("pub")).expect("a key");
        let forged = |line: &str| {
            if line.starts_with(&format!("{} ", ill.address())) {
                format!("{} {}", ill.address(), other.trim())
            } else {
                line.to_owned()
            }
        };
        scene.write(".ssh/known_hosts", &(known.lines().map(forged).collect::<Vec<_>>().join("\n") + "\n"));
        let run = scene.run(&TWO_TASKS.replace("987", "0"), &[]);
        assert_eq!((run.count("well", "ok"), run.count("ill", "unreachable")), (2, 1), "{}", run.text());
        run.fails(4).says(&["Host key verification failed"])
    });
}

#[test]
fn two_hundred_megabytes_of_output() {
    alone("200 MB of output", |scene| {
        let (_well, ill) = two(scene);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - environment: {PLAYBOOK_MAX_OUTPUT: '300000000'}
      shell: head -c {{ 200000000 if inventory_hostname == 'ill' else 1000 }} /dev/zero | tr '\\0' x
      register: much
    - assert:
        that: much.stdout | length == (200000000 if inventory_hostname == 'ill' else 1000)
";
        let run = scene.run(book, &[]).ok();
        assert_eq!((run.count("well", "ok"), run.count("ill", "ok")), (2, 2), "{}", run.stderr);
        nothing_runs_on(&ill);
    });
}

#[test]
fn a_task_that_never_ends_has_a_timeout() {
    like_ansible("a timeout", |scene| {
        let (well, ill) = two(scene);
        let book = TWO_TASKS.replace("    - command: echo", "      timeout: 15\n    - command: echo");
        let book = book.replace("else 2", "else 0");
        let run = scene.run(&book, &[]);
        assert_eq!((run.count("well", "ok"), run.count("ill", "failed")), (2, 1), "{}", run.text());
        if scene.is_ours() {
            nothing_runs_on(&well);
            nothing_runs_on(&ill);
        }
        run.fails(2).says(&["Timed out after 15 second(s)"])
    });
}

#[test]
fn the_controller_is_killed_in_the_middle_of_a_copy() {
    alone("a killed controller", |scene| {
        let (well, ill) = two(scene);
        for machine in [&well, &ill] {
            machine.shell("mkdir /srv/data; echo old > /srv/data/big").expect("a file");
        }
        let before = left_on(&ill);
        let big = std::fs::File::create(scene.path("big")).expect("a big file");
        big.set_len(2_000_000_000).expect("a big file");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - copy: {src: big, dest: /srv/data/big}
";
        let run = scene.start(book, &["--no-keep-remote"]);
        let arrives = "find /srv /tmp /var/tmp /root /home -xdev -size +40M -newer /srv/data/big | wc -l";
        wait_until("a file's arrival", || ill.shell(arrives).is_ok_and(|count| count.trim() != "0"));
        run.kill();
        let _ = run.end();
        nothing_is_left(scene, &[&well, &ill]);
        assert_eq!(std::fs::metadata(ill.path("/srv/data/big")).expect("a file").len(), 4);
        assert_eq!(std::fs::read_to_string(ill.path("/srv/data/big")).expect("a file"), "old\n");
        assert_eq!(ill.files(&["/srv/data"]).expect("the files"), ["/srv/data/big"]);
        assert_eq!(left_on(&ill), before);
    });
}

#[test]
fn a_copy_that_takes_too_long_leaves_nothing() {
    alone("a copy's timeout", |scene| {
        let _machine = scene.single();
        let big = std::fs::File::create(scene.path("big")).expect("a big file");
        big.set_len(40_000_000_000).expect("a big file");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - copy: {src: big, dest: /srv/big}
      timeout: 1
      register: copied
      ignore_errors: true
    - assert: {that: [copied is failed, copied.timedout.period == 1]}
    - shell: find /srv /tmp /var/tmp -xdev -size +1M
      register: found
      until: not found.stdout
      retries: 30
      delay: 1
";
        scene.run(book, &[]).ok().says(&["Timed out after 1 second(s)."]);
    });
}

#[test]
fn a_run_that_keeps_no_helper_leaves_nothing() {
    alone("a run that leaves nothing", |scene| {
        let (well, ill) = two(scene);
        scene.inventory(&[
            (&well, ""),
            (&ill, "ansible_user=keeper ansible_become=true ansible_become_user=robot"),
        ]);
        let before = [&well, &ill].map(left_on);
        let book = "
- hosts: all
  tasks:
    - copy: {content: here, dest: /tmp/here}
    - template: {src: own.j2, dest: /tmp/there}
    - script: own.sh
    - command: echo 1
      async: 20
      poll: 1
    - file: {path: '/tmp/{{ item }}', state: absent}
      loop: [here, there]
";
        scene.write("own.j2", "on {{ inventory_hostname }}\n");
        scene.write("own.sh", "#!/bin/sh\necho mine\n");
        let run = scene.run(book, &["--no-keep-remote"]).ok();
        assert_eq!((run.count("well", "ok"), run.count("ill", "ok")), (6, 6), "{}", run.text());
        nothing_is_left(scene, &[&well, &ill]);
        assert_eq!([&well, &ill].map(left_on), before);
    });
}

#[test]
fn after_one_ctrl_c_no_more_tasks_begin() {
    alone("Ctrl-C", |scene| {
        let (well, ill) = two(scene);
        let run = scene.start(&TWO_TASKS.replace("987", "8"), &[]);
        runs(&ill, "sleep 8");
        run.interrupt();
        let run = run.end_within(Duration::from_secs(120)).says(&["Interrupted"]).hides(&["panicked"]);
        assert_ne!(run.code, 0, "{}", run.text());
        assert_eq!(run.count("ill", "ok"), 1, "{}", run.text());
        nothing_is_left(scene, &[&well, &ill]);
    });
}

#[test]
fn two_ctrl_c_end_the_run_at_once() {
    alone("Ctrl-C twice", |scene| {
        let (well, ill) = two(scene);
        let before = left_on(&ill);
        let run = scene.start(TWO_TASKS, &["--no-keep-remote"]);
        runs(&ill, "sleep 987");
        run.interrupt();
        // Two signals that arrive together are one.
        wait_until("the report of the first", || run.errors().contains("Interrupted"));
        run.interrupt();
        let run = run.end_within(Duration::from_secs(60)).hides(&["panicked"]);
        assert_ne!(run.code, 0, "{}", run.text());
        nothing_is_left(scene, &[&well, &ill]);
        assert_eq!(left_on(&ill), before);
    });
}
