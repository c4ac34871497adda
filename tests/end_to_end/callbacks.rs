//! Reports beside the text: junit, timer, profile_tasks, tree; and the json callback.

use crate::support::{Ended, Project};

const BOOK: &str = "\
- name: One
  hosts: localhost
  gather_facts: false
  tasks:
    - name: fine
      debug: msg='a < b'
    - name: skipped
      ping:
      when: false
    - name: TOGGLE RESULT of it
      fail: msg=meant
      ignore_errors: true
    - name: never
      fail: msg='no & never'
";

fn run(variables: &[(&str, &str)]) -> (Project, Ended) {
    let project = Project::new(&[("site.yml", BOOK)]);
    let mut command = project.command(&["run", "site.yml", "-i", "localhost,", "-c", "local"]);
    let ended = Ended::of(command.envs(variables.iter().copied()));
    (project, ended)
}

#[test]
fn junit_writes_a_case_for_each_task_and_host() {
    let (project, ended) = run(&[
        ("ANSIBLE_CALLBACKS_ENABLED", "junit"),
        ("JUNIT_OUTPUT_DIR", "reports"),
        ("JUNIT_TASK_RELATIVE_PATH", "."),
        ("JUNIT_HIDE_TASK_ARGUMENTS", "true"),
    ]);
    ended.fails(2);
    let mut reports = std::fs::read_dir(project.path().join("reports")).expect("the reports");
    let report = reports.next().expect("a report").expect("a report").path();
    assert!(report.file_name().is_some_and(|name| name.to_string_lossy().starts_with("site-")));
    let xml = std::fs::read_to_string(report).expect("the report");
    for part in [
        "<testsuites disabled=\"0\" errors=\"2\" failures=\"0\" tests=\"4\"",
        "<testcase classname=\"site.yml:5\" name=\"[localhost] One: fine\"",
        "&quot;msg&quot;: &quot;a &lt; b&quot;",
        "<skipped>Conditional result was False</skipped>",
        "name=\"[localhost] One: TOGGLE RESULT of it\"",
        "<error message=\"Task failed: Action failed: meant\" type=\"error\">",
        "<error message=\"Task failed: Action failed: no &amp; never\" type=\"error\">",
    ] {
        assert!(xml.contains(part), "'{part}' is not in\n{xml}");
    }
}

#[test]
fn timer_and_profile_tasks_say_how_long_it_took() {
    let (_, ended) = run(&[("ANSIBLE_CALLBACKS_ENABLED", "ansible.posix.timer, profile_tasks, no.such.one")]);
    let ended = ended.fails(2).says(&[
        "Playbook run took 0 days, 0 hours, 0 minutes, ",
        "TASKS RECAP ****",
        "===============================================================================",
        "never ------------------------------------------------------------------- 0.0",
        "Skipping callback plugin 'no.such.one', unable to load",
    ]);
    let stamps = ended.stdout.lines().filter(|line| line.contains("(0:00:0") && line.ends_with("*** "));
    assert_eq!(stamps.count(), 5, "one a task and one at the end\n{}", ended.stdout);
}

#[test]
fn the_whole_run_as_one_json_document() {
    let (_, ended) = run(&[("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json")]);
    let json: serde_json::Value = serde_json::from_str(&ended.fails(2).stdout).expect("JSON");
    let tasks = json["plays"][0]["tasks"].as_array().expect("tasks");
    let names: Vec<&str> = tasks.iter().filter_map(|task| task["task"]["name"].as_str()).collect();
    assert_eq!(names, ["fine", "skipped", "TOGGLE RESULT of it", "never"]);
    assert_eq!(tasks[3]["hosts"]["localhost"]["failed"], true);
    assert_eq!(tasks[3]["hosts"]["localhost"]["msg"], "no & never");
    assert_eq!(json["stats"]["localhost"]["failures"], 1);
    assert_eq!(json["stats"]["localhost"]["ignored"], 1);
}

#[test]
fn a_tree_of_results() {
    let project = Project::new(&[]);
    let arguments = ["adhoc", "localhost", "-i", "localhost,", "-c", "local", "-m", "ping", "-t", "out"];
    project.run(&arguments).ok();
    let text = std::fs::read_to_string(project.path().join("out/localhost")).expect("the host's file");
    assert_eq!(text, "{\"changed\": false, \"ping\": \"pong\"}");
}

#[test]
fn results_as_yaml() {
    let (_, ended) = run(&[("ANSIBLE_CALLBACK_RESULT_FORMAT", "yaml")]);
    ended.fails(2).says(&["fatal: [localhost]: FAILED! => \n    changed: false\n    msg: no & never\n"]);
    let (_, ended) = run(&[("ANSIBLE_STDOUT_CALLBACK", "community.general.yaml")]);
    ended.fails(2).says(&["    msg: no & never\n"]);
}
