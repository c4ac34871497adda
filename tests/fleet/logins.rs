//! Logins: keys, passwords, jump hosts, ~/.ssh/config, become, delegation, and connections that are made again.

use std::net::ToSocketAddrs;
use std::time::Duration;

use xtask::fleet::{Make, PASSWORD};
use xtask::tested::Ended;

use crate::scene::{Scene, like_ansible, wait_until};

/// Prints the user and the host.
const WHO: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - command: sh -c 'echo I am $(id -un) on $(hostname)'
";

fn password(name: &str) -> String {
    format!("{name}=\"{PASSWORD}\"")
}

/// Logs into a machine called `web` with these variables and prints the user there.
fn who(scene: &Scene, variables: &str, options: &[&str]) -> Ended {
    let machine = scene.machine("web");
    scene.inventory(&[(&machine, variables)]);
    scene.run(WHO, &[&["-v"], options].concat()).hides(&[PASSWORD])
}

#[test]
fn an_unprivileged_user_with_a_key() {
    like_ansible("a key", |scene| who(scene, "ansible_user=guest", &[]).ok().says(&["I am guest on web"]));
}

#[test]
fn an_explicit_key_file() {
    like_ansible("a key file", |scene| {
        std::fs::rename(scene.path(".ssh/id_ed25519"), scene.path("the key")).expect("a moved key");
        let key = format!("ansible_ssh_private_key_file=\"{}\"", scene.path("the key").display());
        who(scene, &key, &[]).ok().says(&["I am root on web"])
    });
}

#[test]
fn a_password() {
    like_ansible("a password", |scene| {
        std::fs::remove_file(scene.path(".ssh/id_ed25519")).expect("no key");
        who(scene, &format!("ansible_user=guest {}", password("ansible_password")), &[])
            .ok()
            .says(&["I am guest on web"])
    });
}

#[test]
fn a_wrong_password() {
    like_ansible("a wrong password", |scene| {
        std::fs::remove_file(scene.path(".ssh/id_ed25519")).expect("no key");
        who(scene, "ansible_user=guest ansible_password=guess-6", &[]).fails(4).hides(&["guess-6"])
    });
}

#[test]
fn no_way_in() {
    like_ansible("no way in", |scene| {
        std::fs::remove_file(scene.path(".ssh/id_ed25519")).expect("no key");
        who(scene, "ansible_user=guest", &[]).fails(4).says(&["Permission denied"])
    });
}

#[test]
fn a_user_of_the_configuration_and_of_the_command_line() {
    like_ansible("remote users", |scene| {
        scene.write(".ssh/config", "Host 198.18.*\n  User keeper\n");
        let _machine = scene.single();
        scene.run(WHO, &["-v"]).ok().says(&["I am keeper on web"]);
        scene.run(WHO, &["-v", "-u", "guest"]).ok().says(&["I am guest on web"])
    });
}

#[test]
fn a_jump_host() {
    like_ansible("a jump host", |scene| {
        let jump =
            scene.fleet.make(Make { name: "jump", subdued: true, ..Make::default() }).expect("a machine");
        let inner = scene
            .fleet
            .make(Make { name: "inner", behind: Some(&jump), ..Make::default() })
            .expect("a machine");
        let by_argument = format!("ansible_ssh_common_args='-o ProxyJump=guest@{}'", jump.address());
        scene.inventory(&[(&inner, &by_argument)]);
        scene.run(WHO, &["-v"]).ok().says(&["I am root on inner"]);

        let config = format!(
            "Host inner.example\n  HostName {}\n  HostKeyAlias {0}\n  ProxyJump guest@{}\n",
            inner.address(),
            jump.address()
        );
        scene.write(".ssh/config", &config);
        scene.write("hosts.ini", "inner.example ansible_user=keeper\n");
        scene.run(WHO, &["-v"]).ok().says(&["I am keeper on inner"])
    });
}

#[test]
fn sudo_without_a_password() {
    like_ansible("sudo", |scene| who(scene, "ansible_user=keeper", &["-b"]).ok().says(&["I am root on web"]));
}

#[test]
fn sudo_with_a_password() {
    like_ansible("sudo with a password", |scene| {
        let variables = format!("ansible_user=warden {}", password("ansible_become_password"));
        who(scene, &variables, &["-b"]).ok().says(&["I am root on web"])
    });
}

#[test]
fn sudo_without_the_password_it_wants() {
    like_ansible("a missing sudo password", |scene| {
        who(scene, "ansible_user=warden", &["-b"]).says(&["Missing sudo password"])
    });
}

#[test]
fn sudo_to_an_unprivileged_user() {
    like_ansible("sudo to another user", |scene| {
        let options = ["-b", "--become-user", "robot"];
        who(scene, "ansible_user=keeper", &options).ok().says(&["I am robot on web"])
    });
}

#[test]
fn su_with_a_password() {
    like_ansible("su", |scene| {
        let variables =
            format!("ansible_user=guest ansible_become_method=su {}", password("ansible_become_password"));
        who(scene, &variables, &["-b"]).ok().says(&["I am root on web"])
    });
}

#[test]
fn files_go_to_a_become_user_with_the_right_owner() {
    like_ansible("a become user's files", |scene| {
        let machine = scene.machine("web");
        // Without ACLs, ansible-core asks for this.
        scene.inventory(&[(&machine, "ansible_user=keeper ansible_shell_allow_world_readable_temp=true")]);
        let book = "
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - {copy: {content: secret, dest: /etc/secret, mode: '0600'}}
    - {copy: {content: mine, dest: /home/robot/mine}, become_user: robot}
    - {slurp: {src: /etc/secret}}
    - {fetch: {src: /etc/secret, dest: fetched/, flat: true}}
";
        let run = scene.run(book, &[]).ok();
        let owners = machine.shell("stat -c '%U %a %s' /etc/secret /home/robot/mine").expect("the files");
        assert_eq!(owners, "root 600 6\nrobot 644 4\n", "{}", run.text());
        assert_eq!(std::fs::read_to_string(scene.path("fetched/secret")).expect("a fetched file"), "secret");
        run
    });
}

#[test]
fn tasks_are_delegated_from_one_connection_to_another() {
    like_ansible("delegation", |scene| {
        let (one, two) = (scene.machine("one"), scene.machine("two"));
        scene.inventory(&[(&one, "ansible_user=guest"), (&two, "")]);
        let book = "
- hosts: one
  gather_facts: false
  tasks:
    - command: sh -c 'echo I am $(id -un) on $(hostname)'
      delegate_to: '{{ item }}'
      loop: [one, two, localhost]
      register: said
    - copy: {content: '{{ said.results | map(attribute=\"stdout\") | list }}', dest: /tmp/said}
      delegate_to: two
    - command: hostname
";
        let run = scene.run(book, &["-v"]).ok().says(&["I am guest on one", "I am root on two"]);
        let said = std::fs::read_to_string(two.path("/tmp/said")).expect("a file");
        assert!(said.contains("on one") && said.contains("on two"), "{said}");
        run
    });
}

#[test]
fn raw_needs_no_helper() {
    like_ansible("raw", |scene| {
        let machine = scene.single();
        let before = machine.files(&["/tmp", "/var/tmp", "/root", "/dev/shm"]).expect("the files");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - raw: echo raw $0 $(hostname)
    - raw: exit 3
      register: three
      failed_when: three.rc != 3
    - raw: id -un
      become: true
      become_user: robot
";
        let run = scene.run(book, &["-v"]).ok().says(&["raw ", " web", "robot"]);
        assert_eq!(machine.files(&["/tmp", "/var/tmp", "/root", "/dev/shm"]).expect("the files"), before);
        run
    });
}

#[test]
fn a_connection_is_waited_for_and_made_anew() {
    like_ansible("wait_for_connection and reset_connection", |scene| {
        let machine = scene.machine("web");
        scene.inventory(&[(&machine, "ansible_user=guest")]);
        machine.cut().expect("a pulled cable");
        let book = "
- hosts: web
  gather_facts: false
  tasks:
    - wait_for_connection: {timeout: 200, sleep: 1, connect_timeout: 3}
    - command: id -Gn
      register: before
    - command: adduser guest staff
      delegate_to: root-of-web
    - meta: reset_connection
    - command: id -Gn
      register: after
    - assert:
        that: [\"'staff' not in before.stdout\", \"'staff' in after.stdout\"]
";
        let address = machine.address();
        scene.write("more.ini", &format!("root-of-web ansible_host={address} ansible_user=root\n"));
        let run = scene.start(book, &["-i", "hosts.ini", "-i", "more.ini"]);
        std::thread::sleep(Duration::from_secs(4));
        machine.mend().expect("a cable");
        run.end()
    });
}

#[test]
fn a_slow_host_is_given_up_in_time() {
    like_ansible("a connection's timeout", |scene| {
        // Somebody listens there, and never says a word.
        let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = silent.local_addr().expect("a port").port();
        assert!(("localhost", port).to_socket_addrs().is_ok());
        scene.write("hosts.ini", &format!("silent ansible_host=127.0.0.1 ansible_port={port}\n"));
        let started = std::time::Instant::now();
        let run = scene.run(WHO, &["-T", "3"]).fails(4);
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
        run
    });
}

#[test]
fn nothing_of_a_password_is_seen_by_others() {
    like_ansible("passwords out of sight", |scene| {
        std::fs::remove_file(scene.path(".ssh/id_ed25519")).expect("no key");
        let machine = scene.machine("web");
        let variables = format!(
            "ansible_user=warden {} {}",
            password("ansible_password"),
            password("ansible_become_password")
        );
        scene.inventory(&[(&machine, &variables)]);
        let book = WHO.replace("echo I am", "until [ -e /run/go ]; do sleep 0.1; done; echo I am");
        let run = scene.start(&book, &["-b", "-vvv"]);
        wait_until("the task", || {
            machine.processes().iter().any(|line| line.contains(" sh -c until [ -e /run/go ]"))
        });
        for line in machine.processes() {
            assert!(!line.contains("walnut"), "{line}");
            let number = line.split(' ').next().unwrap_or_default();
            let environment = std::fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&environment).contains("walnut"), "the environment of {line}");
        }
        assert!(!scene.processes().iter().any(|line| line.contains("walnut")), "{:?}", scene.processes());
        machine.shell("touch /run/go").expect("a file");
        run.end().ok().hides(&[PASSWORD, "walnut"])
    });
}

#[test]
fn a_user_who_was_become_can_be_removed() {
    like_ansible("removing a user", |scene| {
        let machine = scene.single();
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - command: id -un
      become: true
      become_user: robot
    - user:
        name: robot
        state: absent
    - command: id robot
      failed_when: false
";
        let ended = scene.run(book, &["-v"]).ok();
        assert!(machine.shell("id robot").is_err(), "{}", ended.text());
        ended
    });
}

#[test]
fn a_host_is_restarted() {
    like_ansible("a restart", |scene| {
        let machine = scene.machine("web");
        // Whoever is logged in loses the connection; /proc knows of no restart, and so a file has to. ansible-core's command
        // has a terminal, whose end must not end the restart before it has begun.
        let script = "echo one > /run/start; cat > /run/restart <<END\n#!/bin/sh\ntrap '' HUP\n\
                      setsid sh -c 'sleep 1; kill -KILL -1; echo two > /run/start' > /dev/null 2>&1 &\nEND\n\
                      chmod +x /run/restart";
        machine.shell(script).expect("a way to restart");
        scene.inventory(&[(&machine, "")]);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - reboot:
        reboot_command: restart now
        search_paths: [/nowhere, /run]
        boot_time_command: cat /run/start
        test_command: grep two /run/start
        connect_timeout: 5
        reboot_timeout: 240
      register: restarted
    - assert:
        that: restarted.rebooted
    - command: cat /run/start
";
        scene.run(book, &["--check"]).ok();
        assert_eq!(machine.shell("cat /run/start").expect("a file").trim(), "one");
        scene.run(book, &["-v"]).ok().says(&["two"])
    });
}

#[test]
fn sudo_that_wants_a_terminal() {
    // With pipelining, ansible-core fails.
    crate::scene::alone("requiretty", |scene| {
        let machines = (scene.machine("web"), scene.machine("db"));
        for machine in [&machines.0, &machines.1] {
            machine.shell("echo 'Defaults requiretty' >> /etc/sudoers").expect("a setting of sudo's");
        }
        let with_password = format!("ansible_user=warden {}", password("ansible_become_password"));
        scene.inventory(&[(&machines.0, "ansible_user=keeper"), (&machines.1, &with_password)]);
        let book = WHO.to_owned() + "    - raw: echo raw is $(id -un)\n";
        let run = scene.run(&book, &["--become", "-v"]).ok().hides(&[PASSWORD]);
        run.says(&["I am root on web", "I am root on db", "raw is root"]);
        // A wrong one is refused as ever.
        scene.inventory(&[(&machines.1, "ansible_user=warden ansible_become_password=guess-8")]);
        scene.run(WHO, &["--become"]).says(&["Incorrect sudo password"]).hides(&["guess-8"]);
    });
}

#[test]
fn users_of_a_directory_on_the_network() {
    crate::scene::alone("users that are in no file", |scene| {
        let machine = scene.single();
        // What the host's own programs are told by a directory.
        let getent = "#!/bin/sh\ncase \"$1 $2\" in \"passwd ada\"|\"passwd 70001\") echo ada:x:70001:70002::/home/ada:/bin/sh;;\n\
                      \"group crew\"|\"group 70002\") echo crew:x:70002:ada;; *) exit 2;; esac\n";
        std::fs::write(machine.path("/usr/bin/getent"), getent).expect("a directory's answers");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - copy: {content: hers, dest: /var/tmp/hers, owner: ada, group: crew}
      register: hers
    - stat: {path: /var/tmp/hers}
      register: seen
    - assert: {that: [hers.uid == 70001, seen.stat.pw_name == 'ada', seen.stat.gr_name == 'crew', hers.owner == 'ada']}
    - file: {path: /var/tmp/hers, owner: nobody-at-all}
      register: nobody
      ignore_errors: true
    - assert: {that: [nobody is failed]}
    - stat: {path: ~ada}
      register: home
    - assert: {that: not home.stat.exists}
";
        scene.run(book, &[]).ok();
    });
}
