//! `async` and `poll`: jobs that are waited for, left alone, and ended when their time is over.

use std::time::{Duration, Instant};

use crate::support::{Ended, Project};

fn run(tasks: &str, arguments: &[&str]) -> (Project, Ended) {
    let book = format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}");
    let project = Project::new(&[("site.yml", &book)]);
    let mut all = vec!["run", "site.yml", "-i", "localhost,", "-c", "local"];
    all.extend(arguments);
    let ended = Ended::of(project.command(&all).env("ANSIBLE_ASYNC_DIR", project.path().join("jobs")));
    (project, ended)
}

#[test]
fn a_job_is_left_alone_and_asked_for_later() {
    let tasks = "
    - command: sh -c 'sleep 1; echo done'
      async: 20
      poll: 0
      register: job
    - assert:
        that: [job is changed, job.started, not job.finished, \"job.ansible_job_id is match('j[0-9]+[.][0-9]+')\"]
    - stat: path={{ job.results_file }}
      register: file
    - assert:
        that: file.stat.mode == '0600'
    - async_status: jid={{ job.ansible_job_id }}
      register: end
      until: end is finished
      retries: 50
      delay: 0.2
    - async_status: jid={{ job.ansible_job_id }} mode=cleanup
      register: gone
    - assert:
        that: [end.stdout == 'done', end.rc == 0, end is changed, gone.erased == job.results_file]
    - async_status: jid={{ job.ansible_job_id }}
      register: unknown
      failed_when: unknown.msg != 'could not find job'
";
    let (project, ended) = run(tasks, &[]);
    ended.fails(0);
    let left = std::fs::read_dir(project.path().join("jobs")).expect("the directory of jobs").count();
    assert_eq!(left, 0);
}

#[test]
fn jobs_in_a_loop_are_waited_for_and_may_fail() {
    let tasks = "
    - shell: echo {{ item }}; exit {{ item }}
      loop: [0, 3]
      async: 20
      poll: 1
      register: jobs
      ignore_errors: true
    - assert:
        that:
        - jobs is failed
        - jobs.results | map(attribute='stdout') | list == ['0', '3']
        - jobs.results[1].rc == 3 and jobs.results[1].msg == 'The command exited with a non-zero return code.'
";
    let (_, ended) = run(tasks, &[]);
    ended.fails(0).says(&["ASYNC OK on localhost: jid=j", "ASYNC FAILED on localhost: jid=j"]);
}

#[test]
fn a_job_whose_time_is_over_ends_with_all_it_started() {
    let tasks = "
    - shell: sleep 71.3 & sleep 71.3
      async: 2
      poll: 1
";
    let (_, ended) = run(tasks, &[]);
    ended.fails(2).says(&[
        "ASYNC POLL on localhost: jid=j",
        "async task did not complete within the requested time - 2s",
    ]);
    let end = Instant::now() + Duration::from_secs(60);
    let sleeps = || {
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        let lines = processes.filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
        lines.filter(|line| line.starts_with(b"sleep\x0071.3")).count()
    };
    while sleeps() > 0 {
        assert!(Instant::now() < end, "the job's processes are still there");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_job_changes_nothing_in_check_mode() {
    let tasks = "
    - file: path={{ playbook_dir }}/made state=touch
      async: 20
      poll: 1
      register: job
    - assert:
        that: job is changed
";
    let (project, ended) = run(tasks, &["--check"]);
    ended.fails(0);
    assert!(!project.path().join("made").exists());
}

#[test]
fn what_needs_the_run_itself_is_no_job() {
    let (_, ended) = run("\n    - debug: msg=no\n      async: 20\n", &[]);
    ended.fails(2).says(&["This action (debug) does not support async."]);
}
