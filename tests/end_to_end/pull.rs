//! `playbook pull`: from a repository on this disk.

use std::path::Path;
use std::process::Command;

use crate::support::{Ended, Project};

fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(directory).args(["-c", "user.name=me", "-c", "user.email=me@example.com"]);
    let output = command.args(arguments).output().expect("git");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const BOOK: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: msg='this is NAME, {{ word | default(1) }}'\n";

fn repository() -> Project {
    let project = Project::new(&[]);
    for name in ["local", "other"] {
        project.write(&format!("repo/{name}.yml"), &BOOK.replace("NAME", name));
    }
    project.write("repo/hosts", "localhost ansible_connection=local\nelsewhere\n");
    project.write("repo/ansible.cfg", "[defaults]\ninventory = hosts\n");
    let repo = project.path().join("repo");
    git(&repo, &["init", "-q"]);
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "first"]);
    project
}

fn pull(project: &Project, arguments: &[&str]) -> Ended {
    let mut all = vec!["pull", "-U", "repo", "-d", "checkout"];
    let url = project.path().join("repo").to_string_lossy().into_owned();
    all[2] = &url;
    all.extend(arguments);
    project.run(&all)
}

#[test]
fn playbooks_come_from_a_repository_and_run_here() {
    let project = repository();
    let ended = pull(&project, &["-e", "word='two words'"]).ok();
    let ended = ended.says(&["Starting Ansible Pull at", "localhost | CHANGED", "this is local, two words"]);
    assert!(!ended.stdout.contains("elsewhere"), "{}", ended.stdout);
    pull(&project, &["other.yml", "local.yml"]).ok().says(&["this is other, 1", "this is local, 1"]);
    pull(&project, &["missing.yml"]).fails(5).says(&["Could not find a playbook to run."]);
}

#[test]
fn only_what_is_new_runs() {
    let project = repository();
    pull(&project, &["--only-if-changed"]).ok().says(&["this is local"]);
    pull(&project, &["--only-if-changed"]).ok().says(&["Repository has not changed, quitting."]);
    project.write("repo/local.yml", &BOOK.replace("NAME", "newer"));
    git(&project.path().join("repo"), &["commit", "-qam", "second"]);
    pull(&project, &["--only-if-changed"]).ok().says(&["this is newer"]);
}

#[test]
fn a_repository_that_is_gone_stops_it_unless_forced() {
    let project = repository();
    pull(&project, &[]).ok();
    std::fs::remove_dir_all(project.path().join("repo")).expect("removed");
    let ended = pull(&project, &[]);
    assert!(ended.code != 0 && !ended.stdout.contains("this is local"), "{}", ended.text());
    pull(&project, &["--force", "--purge"]).ok().says(&["Unable to update repository", "this is local"]);
    assert!(!project.path().join("checkout").exists());
    let ended = project.run(&["pull", "-U", "http://me:hidden@127.0.0.1:1/x", "-d", "checkout"]);
    assert!(ended.code != 0 && !ended.stdout.contains("hidden"), "{}", ended.text());
}
