//! `playbook console`: tasks that are typed, here through a pipe.

use crate::support::{Ended, Project};

fn typed(lines: &[&str], arguments: &[&str]) -> Ended {
    let project =
        Project::new(&[("hosts", "[web]\none ansible_connection=local\ntwo ansible_connection=local\n")]);
    let mut all = vec!["console", "-i", "hosts"];
    all.extend(arguments);
    Ended::typed(project.command(&all).env("LOGNAME", "me"), lines)
}

#[test]
fn tasks_run_on_the_hosts_that_are_chosen() {
    let lines =
        ["cd one", "debug msg='{{ inventory_hostname }} says hi'", "!echo $((1 + 2)) | cat", "exit", "ping"];
    let ended = typed(&lines, &["web"]).ok();
    let text = ended.says(&[
        "me@web (2)[f:5]$ ",
        "me@one (1)[f:5]$ ",
        "\"msg\": \"one says hi\"",
        "one | CHANGED | rc=0 >>\n3\n",
    ]);
    assert!(!text.stdout.contains("two says hi") && !text.stdout.contains("pong"), "{}", text.stdout);
}

#[test]
fn what_is_set_holds_for_the_tasks_after_it() {
    let lines = [
        "list",
        "list groups",
        "check yes",
        "file path=/nowhere/at/all state=touch",
        "forks 2",
        "verbosity 1",
        "timeout x",
        "cd nobody",
        "become_user root",
        "become yes",
        "fail msg=oh",
        "ping",
    ];
    typed(&lines, &[]).ok().says(&[
        "one\ntwo\n",
        "all\nungrouped\nweb\n",
        "check mode changed to True",
        "[f:2]$ ",
        "verbosity level set to 1",
        "no host matched",
        "become changed to True",
        "[f:2]# ",
        "one | FAILED",
    ]);
}

#[test]
fn help_says_what_there_is() {
    typed(&["?", "help cd", "help ping", "help nothing_at_all"], &[]).ok().says(&[
        "Usage: cd PATTERN",
        "Answers pong",
        "nothing_at_all is not a valid command",
    ]);
}
