//! The task debugger, answered through a pipe.

use crate::support::{Ended, Project};

const BOOK: &str = "
- hosts: localhost
  gather_facts: false
  vars: {wanted: false}
  tasks:
    - name: fails
      assert: {that: wanted}
      debugger: on_failed
      register: result
    - name: goes on
      debug: msg='then {{ result.msg }}'
";

fn debugged(book: &str, answers: &[&str], variables: &[(&str, &str)]) -> Ended {
    let project = Project::new(&[("site.yml", book)]);
    let mut command = project.command(&["run", "site.yml", "-i", "localhost,", "-c", "local"]);
    Ended::typed(command.envs(variables.iter().copied()), answers)
}

#[test]
fn a_task_is_changed_and_runs_again() {
    let answers =
        ["p task.args", "p task_vars['wanted']", "p result._result.msg", "task.args['that'] = '1 == 1'", "r"];
    debugged(BOOK, &answers, &[]).ok().says(&[
        "[localhost] TASK: fails (debug)> {'that': 'wanted'}\n",
        "(debug)> False\n",
        "(debug)> 'Assertion failed'\n",
        "then All assertions passed",
    ]);
    // A variable counts for the task as it was written.
    let answers = ["task_vars['wanted'] = true", "u", "redo"];
    debugged(BOOK, &answers, &[]).ok().says(&["then All assertions passed"]);
}

#[test]
fn a_failure_may_stand_or_end_the_run() {
    let ended = debugged(BOOK, &["nonsense(", "task.name = 'x'", "c"], &[]).fails(2).says(&["***"]);
    assert_eq!(ended.count("localhost", "failed"), 1);
    debugged(BOOK, &["q"], &[]).fails(99).says(&["User interrupted execution"]);
    // So does the end of the answers.
    debugged(BOOK, &[], &[]).fails(99);
}

#[test]
fn the_keyword_and_the_settings_say_when() {
    let plain = BOOK.replace("      debugger: on_failed\n", "");
    let asked = |book: &str, variables: &[(&str, &str)]| {
        debugged(book, &["c"], variables).stdout.contains("(debug)> ")
    };
    assert!(!asked(&plain, &[]));
    assert!(asked(&plain, &[("ANSIBLE_ENABLE_TASK_DEBUGGER", "true")]));
    assert!(asked(&plain.replace("gather_facts", "strategy: debug\n  gather_facts"), &[]));
    let never = BOOK.replace("on_failed", "never");
    assert!(!asked(&never, &[("ANSIBLE_ENABLE_TASK_DEBUGGER", "true")]));
    assert!(asked(&BOOK.replace("on_failed", "always").replace("wanted: false", "wanted: true"), &[]));
    let ignored = BOOK.replace("debugger: on_failed", "ignore_errors: true\n      debugger: on_failed");
    assert!(!asked(&ignored, &[]));
    assert!(asked(&ignored, &[("ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS", "false")]));
}
