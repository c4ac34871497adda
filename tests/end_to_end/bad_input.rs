//! What bad input gets: what is wrong, where, the line itself and what to do; the right exit code; nothing changed; no
//! panic.

use crate::support::{Ended, Project};

/// A playbook around these tasks, on localhost without facts; the tasks begin on line 4.
fn tasks(tasks: &str) -> String {
    let mut book = String::from("- hosts: localhost\n  gather_facts: false\n  tasks:\n");
    for line in tasks.lines() {
        book.push_str(&format!("    {line}\n"));
    }
    book
}

fn run(files: &[(&str, &str)]) -> Ended {
    Project::new(files).run(&["run", "site.yml", "-i", "localhost,"])
}

fn run_tasks(text: &str) -> Ended {
    run(&[("site.yml", &tasks(text))])
}

/// Nothing of what comes after the fault has run.
const AFTER: &str = "- debug: {msg: this must not run}\n";

#[test]
fn a_tab_in_yaml() {
    run(&[("site.yml", "- hosts: localhost\n\tgather_facts: false\n")])
        .fails(4)
        .says(&["site.yml:2:1", "tab"]);
}

#[test]
fn a_bad_indent_in_yaml() {
    let book = "- hosts: localhost\n  tasks:\n    - debug:\n        msg: a\n       var: b\n";
    run(&[("site.yml", book)]).fails(4).says(&["site.yml:5:", "       var: b"]);
}

#[test]
fn a_duplicate_key_warns_and_the_last_one_counts() {
    run_tasks("- debug:\n    msg: first\n    msg: second\n").ok().says(&[
        "second",
        "WARNING",
        "'msg'",
        "site.yml:6:",
    ]);
}

#[test]
fn an_unknown_keyword() {
    let fault = "- name: One\n  debug: {msg: a}\n  wen: false\n";
    run_tasks(&(AFTER.to_owned() + fault))
        .fails(4)
        .says(&["wen", "site.yml:"])
        .hides(&["this must not run\""]);
}

#[test]
fn an_unknown_keyword_of_a_play() {
    let book = "- hosts: localhost\n  gather_fact: false\n  tasks: []\n";
    run(&[("site.yml", book)]).fails(4).says(&["gather_fact", "site.yml:", "gather_facts"]);
}

#[test]
fn an_unknown_module_names_the_nearest() {
    run_tasks("- ecs_servce: {name: a}\n").fails(4).says(&["ecs_servce", "site.yml:4:", "ecs_service"]);
}

#[test]
fn a_wrong_argument() {
    let text = "- ecs_cluster:\n    nam: prod\n    state: present\n";
    run_tasks(text).fails(2).says(&["nam", "site.yml:5:", "nam: prod", "name"]);
}

#[test]
fn a_missing_argument() {
    run_tasks("- ecs_service:\n    cluster: prod\n").fails(2).says(&["name", "site.yml:4:"]);
}

#[test]
fn a_template_syntax_error() {
    run_tasks("- debug:\n    msg: \"{{ 1 + }}\"\n").fails(2).says(&["site.yml:5:", "{{ 1 + }}"]);
}

#[test]
fn a_template_that_nobody_renders_does_no_harm() {
    run_tasks("- debug:\n    msg: \"{{ 1 + }}\"\n  when: false\n").ok();
}

#[test]
fn an_undefined_variable() {
    let text = "- debug:\n    msg: \"{{ no_such_thing }}\"\n";
    run_tasks(text).fails(2).says(&[
        "no_such_thing",
        "undefined",
        "site.yml:5:",
        "msg: \"{{ no_such_thing }}\"",
    ]);
}

#[test]
fn a_rescue_catches_what_shows_when_the_task_runs() {
    let text =
        "- block:\n    - debug: {msg: \"{{ no_such_thing }}\"}\n  rescue:\n    - debug: {msg: rescued}\n";
    run_tasks(text).ok().says(&["rescued=1"]);
}

#[test]
fn a_template_cycle_names_its_chain() {
    let text = "- debug:\n    msg: \"{{ a }}\"\n  vars:\n    a: \"{{ b }}\"\n    b: \"{{ a }}\"\n";
    run_tasks(text).fails(2).says(&["a -> b -> a", "site.yml:"]);
}

#[test]
fn a_missing_file() {
    let text = "- copy:\n    src: nowhere.conf\n    dest: /tmp/never\n";
    run_tasks(text).fails(2).says(&["nowhere.conf", "site.yml:"]);
    assert!(!std::path::Path::new("/tmp/never").exists());
}

#[test]
fn a_missing_tasks_file() {
    run_tasks("- import_tasks: nowhere.yml\n").fails(1).says(&["nowhere.yml", "site.yml:4:"]);
    run_tasks("- include_tasks: nowhere.yml\n").fails(2).says(&["nowhere.yml", "site.yml:4:"]);
}

#[test]
fn a_missing_playbook() {
    Project::new(&[]).run(&["run", "nowhere.yml"]).fails(1).says(&["nowhere.yml"]);
}

#[test]
fn a_missing_role() {
    let book = "- hosts: localhost\n  roles:\n    - nowhere\n";
    run(&[("site.yml", book)]).fails(1).says(&["nowhere", "site.yml:3:", "roles"]);
}

#[test]
fn a_cycle_of_role_dependencies() {
    let meta = |other: &str| format!("dependencies:\n  - {other}\n");
    let book = "- hosts: localhost\n  gather_facts: false\n  roles:\n    - one\n";
    let files = [
        ("site.yml", book),
        ("roles/one/meta/main.yml", &meta("two")),
        ("roles/two/meta/main.yml", &meta("one")),
    ];
    let ended = run(&files);
    assert_ne!(ended.code, 0, "{}", ended.text());
    ended.says(&["one", "two"]).hides(&["panicked"]);
}

/// `s3cret` encrypted with the password `right`.
fn vaulted() -> String {
    let project = Project::new(&[("password", "right\n"), ("secret.yml", "token: s3cret\n")]);
    let options = ["vault", "encrypt", "secret.yml", "--vault-password-file", "password"];
    project.run(&options).ok();
    std::fs::read_to_string(project.path().join("secret.yml")).expect("the vault")
}

#[test]
fn a_wrong_vault_password() {
    let vault = vaulted();
    let book = "- hosts: localhost\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks:\n    - debug: {var: token}\n";
    let project = Project::new(&[
        ("site.yml", book),
        ("secret.yml", &vault),
        ("wrong", "wrong\n"),
        ("right", "right\n"),
    ]);
    let wrong = project.run(&["run", "site.yml", "--vault-password-file", "wrong"]);
    assert_ne!(wrong.code, 0, "{}", wrong.text());
    wrong.says(&["secret.yml", "ecrypt"]).hides(&["s3cret", "panicked"]);
    let none = project.run(&["run", "site.yml"]);
    assert_ne!(none.code, 0, "{}", none.text());
    none.says(&["secret.yml", "vault"]).hides(&["s3cret", "panicked"]);
    project.run(&["run", "site.yml", "--vault-password-file", "right"]).ok();
}

#[test]
fn a_missing_inventory() {
    let project = Project::new(&[("site.yml", &tasks("- debug: {msg: hello}\n"))]);
    project
        .run(&["run", "site.yml", "-i", "nowhere.ini"])
        .says(&["nowhere.ini", "WARNING"])
        .hides(&["panicked"]);
}

#[test]
fn a_pattern_without_hosts() {
    let book = "- hosts: web\n  tasks:\n    - debug: {msg: hello}\n";
    let project = Project::new(&[("site.yml", book), ("hosts.ini", "[db]\none\n")]);
    project.run(&["run", "site.yml", "-i", "hosts.ini"]).ok().says(&["web", "no hosts matched"]);
    let limited = project.run(&["run", "site.yml", "-i", "hosts.ini", "-l", "cache"]);
    assert_ne!(limited.code, 0, "{}", limited.text());
    limited.says(&["cache"]);
}

#[test]
fn an_inventory_that_cannot_be_read() {
    let project = Project::new(&[
        ("site.yml", &tasks("- debug: {msg: hello}\n")),
        ("hosts.yml", "all:\n  hosts: [a, b\n"),
    ]);
    project.run(&["run", "site.yml", "-i", "hosts.yml"]).says(&["hosts.yml"]).hides(&["panicked"]);
}

fn terraform(state: &str) -> Ended {
    let project =
        Project::new(&[("site.yml", &tasks("- debug: {msg: hello}\n")), ("terraform.tfstate", state)]);
    let ended = project.run(&["run", "site.yml", "-i", "terraform:terraform.tfstate"]);
    assert!(!ended.text().contains("panicked"), "{}", ended.text());
    ended
}

#[test]
fn a_terraform_state_that_is_none() {
    terraform("{\"version\": 4, \"outputs\": ").says(&["terraform.tfstate:1:"]);
    terraform("[]").says(&["terraform.tfstate"]);
}

#[test]
fn a_newer_terraform_state() {
    terraform("{\"version\": 5, \"terraform_version\": \"9.0.0\", \"outputs\": {}}")
        .says(&["version 5", "terraform.tfstate"]);
}

#[test]
fn bad_options() {
    Project::new(&[]).run(&["run", "--no-such-option", "site.yml"]).fails(2).says(&["--no-such-option"]);
    Project::new(&[]).run(&["run"]).fails(2);
    let project = Project::new(&[("site.yml", &tasks("- debug: {msg: hello}\n"))]);
    let ended = project.run(&["run", "site.yml", "-e", "{broken"]);
    assert_ne!(ended.code, 0, "{}", ended.text());
    ended.hides(&["panicked"]);
}
