//! Numbers of seconds that cannot be waited for, and loops that grow.

use std::time::{Duration, Instant};

use crate::support::{Ended, Project};

fn run(tasks: &str) -> Ended {
    let book = format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}");
    Project::new(&[("site.yml", &book)]).run(&["run", "site.yml", "-i", "localhost,", "-c", "local"])
}

#[test]
fn endless_and_negative_times_are_errors_with_a_place() {
    let cases = [
        (
            "command: 'false'\n      retries: 1\n      delay: .inf",
            "the field 'delay' has an invalid value: inf is not a valid number of seconds",
            "site.yml:6:14",
        ),
        (
            "command: 'false'\n      retries: 1\n      delay: 1e30",
            "the field 'delay' has an invalid value: 1000000000000000000000000000000 is not a valid number of seconds",
            "site.yml:6:14",
        ),
        (
            "command: 'false'\n      retries: .inf",
            "The value inf could not be converted to 'int'.",
            "site.yml:5:16",
        ),
        (
            "debug:\n      loop: [1, 2]\n      loop_control: {pause: .inf}",
            "the field 'pause' has an invalid value: inf is not a valid number of seconds",
            "site.yml:6:29",
        ),
        (
            "debug:\n      loop: [1, 2]\n      loop_control: {pause: -1}",
            "the field 'pause' has an invalid value: -1 is not a valid number of seconds",
            "site.yml:6:29",
        ),
        (
            "command: 'true'\n      timeout: .inf",
            "The value inf could not be converted to 'int'.",
            "site.yml:5:16",
        ),
        (
            "pause: {seconds: .inf}",
            "argument 'seconds' is not valid: inf is not a valid number of seconds",
            "site.yml:4:24",
        ),
        (
            "pause: {minutes: 1e30}",
            "argument 'minutes' is not valid: 60000000000000000000000000000000 is not a valid number of seconds",
            "site.yml:4:24",
        ),
    ];
    for (task, message, place) in cases {
        let ended =
            run(&format!("    - {task}\n")).fails(2).says(&[message, place]).hides(&["internal error"]);
        assert_eq!(ended.count("localhost", "failed"), 1, "{task}");
    }
}

#[test]
fn the_longest_timeouts_are_as_good_as_none() {
    run("    - wait_for_connection: {timeout: 9223372036854775807}
    - command: 'true'
      timeout: 9223372036854775807
")
    .ok();
}

#[test]
fn a_loop_that_sets_and_registers_grows_with_its_items() {
    let start = Instant::now();
    run("    - set_fact: {'v{{ item }}': '{{ item }}'}
      loop: '{{ range(10000) | list }}'
      register: out
    - assert:
        that: out.results | length == 10000 and v9999 == 9999 and out.results[7].ansible_facts.v7 == 7
")
    .ok();
    // A time that grows with the square of the items is several minutes here.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
