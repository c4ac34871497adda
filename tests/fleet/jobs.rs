//! What goes on without a run: jobs that outlive their task and the run, and commands that must not.

use crate::faults::{nothing_runs_on, runs, told_to_the_guard};
use crate::scene::{alone, like_ansible, wait_until};

#[test]
fn a_job_is_waited_for() {
    like_ansible("a job that is waited for", |scene| {
        let machine = scene.single();
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - shell: sleep 2; echo on $(hostname)
      async: 30
      poll: 1
      register: job
    - assert: {that: [job.stdout == 'on web', job is finished, job is changed]}
    - command: sh -c 'sleep 1; exit 3'
      async: 30
      poll: 1
      register: bad
      ignore_errors: true
    - assert: {that: [bad is failed, bad.rc == 3]}
    - command: sleep 876
      async: 2
      poll: 1
      register: late
      ignore_errors: true
    - assert: {that: [late is failed]}
";
        let run = if scene.is_ours() {
            // ansible-core leaves the late one to its own watchdog.
            let run = scene.run(book, &[]);
            nothing_runs_on(&machine);
            assert!(machine.files(&["/root/.ansible_async"]).expect("the jobs' files").len() <= 1);
            run
        } else {
            scene.run(book, &["-e", "ansible_python_interpreter=/usr/bin/python3"])
        };
        run.ok()
    });
}

#[test]
fn jobs_are_asked_about_later() {
    like_ansible("jobs that are asked about", |scene| {
        let machines = (scene.machine("web"), scene.machine("db"));
        scene.inventory(&[(&machines.0, ""), (&machines.1, "ansible_user=keeper ansible_become=true")]);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - command: sh -c 'sleep 2; id -un'
      async: 30
      poll: 0
      register: job
    - command: echo meanwhile
    - async_status: {jid: '{{ job.ansible_job_id }}'}
      register: end
      until: end is finished
      retries: 40
      delay: 1
    - assert: {that: [end.stdout == 'root', job.started is true or job.started == 1]}
    - async_status: {jid: '{{ job.ansible_job_id }}', mode: cleanup}
    - async_status: {jid: '{{ job.ansible_job_id }}'}
      register: gone
      ignore_errors: true
    - assert: {that: [gone is failed, \"'could not find job' in gone.msg\"]}
";
        scene.run(book, &["-e", "ansible_python_interpreter=/usr/bin/python3"]).ok()
    });
}

#[test]
fn a_job_without_poll_outlives_the_run() {
    alone("a job without poll", |scene| {
        let machines = (scene.machine("web"), scene.machine("db"));
        scene.inventory(&[(&machines.0, ""), (&machines.1, "ansible_user=keeper ansible_become=true")]);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - shell: until [ -e /var/tmp/end ]; do sleep 0.2; done; echo done > /var/tmp/done
      async: 300
      poll: 0
";
        // Not even a helper that is not kept takes it along.
        let run = scene.run(book, &["--no-keep-remote"]).ok();
        assert_eq!((run.count("web", "ok"), run.count("db", "ok")), (1, 1), "{}", run.text());
        for machine in [&machines.0, &machines.1] {
            std::fs::write(machine.path("/var/tmp/end"), "").expect("what the job waits for");
            wait_until("the job's end", || machine.path("/var/tmp/done").exists());
            nothing_runs_on(machine);
        }
    });
}

#[test]
fn a_raw_command_ends_with_its_timeout() {
    alone("a raw command's timeout", |scene| {
        let machines = (scene.machine("web"), scene.machine("db"));
        scene.inventory(&[
            (&machines.0, ""),
            (&machines.1, "ansible_user=keeper ansible_become=true ansible_become_user=robot"),
        ]);
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    - command: echo with a helper
    - raw: sleep 765 & (sleep 764; true) & sleep 763
      timeout: 3
      ignore_errors: true
    - command: echo the helper is still there
    - raw: echo and raw works
";
        let run = scene.start(book, &["-v"]);
        runs(&machines.0, "sleep 763");
        runs(&machines.1, "sleep 763");
        let run = run.end().ok();
        let run = run.says(&["Timed out after 3 second(s)", "and raw works"]).hides(&["went away"]);
        assert_eq!((run.count("web", "ok"), run.count("db", "ok")), (4, 4), "{}", run.text());
        nothing_runs_on(&machines.0);
        nothing_runs_on(&machines.1);
        // So does the last thing that a run does.
        let last = "
- hosts: all
  gather_facts: false
  tasks:
    - raw: sleep 762
      timeout: 1
";
        let run = scene.run(last, &[]).fails(2);
        assert_eq!((run.count("web", "failed"), run.count("db", "failed")), (1, 1), "{}", run.text());
        nothing_runs_on(&machines.0);
        nothing_runs_on(&machines.1);
    });
}

#[test]
fn what_commands_started_ends_with_a_helper_that_is_killed() {
    alone("a killed helper's grandchildren", |scene| {
        let machine = scene.single();
        let book = "
- hosts: all
  gather_facts: false
  tasks:
    # What a task that has ended left behind stays.
    - shell: sleep 600 > /dev/null 2>&1 &
    - shell: sleep 654 & (sleep 653; true) & wait
";
        let run = scene.start(book, &[]);
        runs(&machine, "sleep 654");
        runs(&machine, "sleep 653");
        told_to_the_guard();
        machine.shell("pkill -KILL -f '[p]laybook-remote.*serve'").expect("a killed helper");
        run.end().fails(2);
        let left = |what: &str| machine.processes().iter().any(|line| line.contains(what));
        wait_until("the end of the commands", || !left("sleep 65"));
        assert!(left("sleep 600"), "{:?}", machine.processes());
    });
}
