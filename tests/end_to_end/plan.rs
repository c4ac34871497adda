//! `playbook plan`: the table of changes, its JSON and its exit statuses.

use crate::support::Project;

const BOOK: &str = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: The directory
      file: {path: out, state: directory}
    - name: Settings
      copy: {dest: \"out/{{ item }}\", content: \"{{ text | default('one') }}\\n\"}
      loop: [a.conf, b.conf]
    - name: A secret
      copy: {dest: out/secret, content: hush-9}
      no_log: true
    - command: 'true'
      changed_when: false
";

#[test]
fn a_plan_lists_changes_and_makes_none() {
    let project = Project::new(&[("site.yml", BOOK)]);
    let planned = project.run(&["plan", "site.yml"]).fails(2).says(&[
        "~ file  The directory",
        "~ copy  Settings (a.conf)",
        "~ copy  Settings (b.conf)",
        "Plan: 4 to modify.",
    ]);
    assert!(!planned.stdout.contains("TASK ["), "{}", planned.text());
    assert!(!project.path().join("out").exists());

    project.run(&["run", "site.yml"]).ok();
    project.run(&["plan", "site.yml"]).ok().says(&["Nothing would change."]);
    project
        .run(&["plan", "site.yml", "-e", "text=two", "--diff"])
        .fails(2)
        .says(&["-one", "+two", "Plan: 2 to modify."])
        .hides(&["hush-9"]);
}

#[test]
fn a_plan_is_json_for_programs() {
    let project = Project::new(&[("site.yml", BOOK)]);
    let planned = project.run(&["plan", "site.yml", "--output", "json"]).fails(2).hides(&["hush-9"]);
    let plan: serde_json::Value = serde_json::from_str(&planned.stdout).expect("one JSON object");
    assert_eq!(plan["counts"]["modify"], 4);
    assert_eq!(plan["failed"], 0);
    let changes = plan["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 4);
    assert_eq!(changes[1]["item"], "a.conf");
    assert_eq!(
        (changes[1]["module"].as_str(), changes[1]["action"].as_str()),
        (Some("copy"), Some("modify"))
    );
}

#[test]
fn a_plan_with_a_failure_says_so() {
    let book = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - file: {path: /nowhere/at/all, state: touchh}\n";
    let project = Project::new(&[("site.yml", book)]);
    project.run(&["plan", "site.yml"]).fails(1).says(&["site.yml:4", "Plan: 1 failed."]);
    project.run(&["run", "site.yml", "--check", "--detailed-exitcode"]).fails(1);
    let book =
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - file: {path: out, state: directory}\n";
    let project = Project::new(&[("site.yml", book)]);
    project.run(&["run", "site.yml", "--detailed-exitcode"]).fails(2);
    project.run(&["run", "site.yml", "--detailed-exitcode"]).ok();
}
