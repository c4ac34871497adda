//! `playbook check`, and what `playbook run` warns of.

use crate::support::Project;

const BOOK: &str = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - copy: {dest: /x, contentt: a}
      when: false
    - ping:
      notify: restrat
  handlers:
    - name: restart
      ping:
";

#[test]
fn says_all_at_once() {
    let project = Project::new(&[("site.yml", BOOK)]);
    project.run(&["check", "site.yml"]).fails(1).says(&[
        "[ERROR]: Unsupported parameters for (copy) module: contentt.",
        "site.yml:4:24",
        "- copy: {dest: /x, contentt: a}",
        "Did you mean 'content'?",
        "[ERROR]: The requested handler 'restrat' was not found",
        "site.yml:7:15",
        "Did you mean 'restart'?",
        "1 playbook: 2 errors, 0 warnings",
    ]);
}

#[test]
fn as_json_for_other_programs() {
    let project = Project::new(&[("site.yml", BOOK)]);
    let ended = project.run(&["check", "site.yml", "--output", "json"]).fails(1);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((json["errors"].as_u64(), json["warnings"].as_u64()), (Some(2), Some(0)));
    let finding = json["findings"].as_array().expect("findings").last().expect("a finding");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["check"], "handlers");
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(7), Some(15)));
    assert_eq!(finding["source"], "      notify: restrat");
    assert_eq!(finding["help"], "Did you mean 'restart'?");
    assert!(finding["file"].as_str().is_some_and(|file| file.ends_with("/site.yml")));
}

#[test]
fn a_clean_playbook_is_fine() {
    let book = "- hosts: localhost\n  tasks:\n    - ping:\n";
    let project = Project::new(&[("site.yml", book)]);
    project.run(&["check", "site.yml"]).ok().says(&["1 playbook: 0 errors, 0 warnings"]);
}

#[test]
fn a_run_only_warns_of_what_may_never_be_reached() {
    let project = Project::new(&[("site.yml", BOOK)]);
    let ended = project.run(&["run", "site.yml", "-i", "localhost,", "-c", "local"]).ok();
    ended.says(&["[WARNING]: Unsupported parameters for (copy) module: contentt.", "skipping: [localhost]"]);
}
