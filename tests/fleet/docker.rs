//! The docker connection, with a real engine.

use xtask::docker::{Docker, PROGRAMS};

use crate::scene::{Scene, alone, wait_until};

/// Starts an engine with these containers, which do nothing.
fn containers(scene: &Scene, names: &[&str]) -> Docker {
    let docker = Docker::start().expect("an engine");
    docker.image("tiny:1").expect("an image");
    for name in names {
        let run = [&["run", "-d", "--name", name][..], &PROGRAMS, &["tiny:1", "sleep", "600"]].concat();
        docker.run(&run).expect("a container");
    }
    let hosts: Vec<String> = names.iter().map(|name| format!("{name} ansible_connection=docker\n")).collect();
    scene.write("hosts.ini", &hosts.concat());
    scene.environment.borrow_mut().push(("DOCKER_HOST", docker.host()));
    docker
}

#[test]
fn modules_run_in_containers() {
    alone("the docker connection", |scene| {
        let docker = containers(scene, &["blue", "green"]);
        scene.write("page.html", "hello\n");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - ping:
    - copy: {src: page.html, dest: /app/page.html, owner: robot, mode: '0640'}
    - command: cat /app/page.html
      register: page
    - fetch: {src: /app/page.html, dest: fetched}
    - raw: echo raw $(cat /proc/1/comm)
      changed_when: false
    - shell: id -un
      vars: {ansible_user: robot}
      register: who
    - assert: {that: [page.stdout == 'hello', who.stdout == 'robot']}
";
        let run = scene.run(book, &[]).ok();
        assert_eq!((run.count("blue", "ok"), run.count("green", "failed")), (7, 0), "{}", run.text());
        for name in ["blue", "green"] {
            let there = docker.run(&["exec", name, "stat", "-c", "%U %a %s", "/app/page.html"]);
            assert_eq!(there.as_deref(), Ok("robot 640 6"));
            let fetched = std::fs::read_to_string(scene.path(&format!("fetched/{name}/app/page.html")));
            assert_eq!(fetched.expect("a fetched file"), "hello\n");
            // A heading, and the container's own.
            let processes = || docker.run(&["top", name, "-o", "pid,args"]).expect("the processes");
            wait_until("the helper's end", || processes().lines().count() == 2);
        }
    });
}

#[test]
fn a_container_that_does_not_run_is_unreachable() {
    alone("a stopped container", |scene| {
        let docker = containers(scene, &["blue", "green"]);
        docker.run(&["kill", "green"]).expect("a dead container");
        scene.write("more.ini", "absent ansible_connection=docker\n");
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - ping:
    - ping:
";
        let run = scene.run(book, &["-i", "hosts.ini", "-i", "more.ini"]).fails(4);
        assert_eq!((run.count("blue", "ok"), run.count("green", "unreachable")), (2, 1), "{}", run.text());
        assert_eq!(run.count("absent", "unreachable"), 1, "{}", run.text());
    });
}

#[test]
fn a_container_killed_in_the_middle_of_a_task_fails_it() {
    alone("a killed container", |scene| {
        let docker = containers(scene, &["blue", "green"]);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - command: sleep {{ 987 if inventory_hostname == 'green' else 1 }}
    - ping:
";
        let run = scene.start(book, &[]);
        wait_until("the task", || {
            docker
                .run(&["top", "green", "-o", "pid,args"])
                .is_ok_and(|processes| processes.contains("sleep 987"))
        });
        docker.run(&["kill", "green"]).expect("a dead container");
        let run = run.end();
        // Docker may notice first that the container is gone, or that the program in it has ended.
        let lost = run.count("green", "failed") + run.count("green", "unreachable");
        assert_eq!((run.count("blue", "ok"), lost), (2, 1), "{}", run.text());
        assert!([2, 4].contains(&run.code), "{}", run.text());
    });
}
