//! `git`, `unarchive`, `cron`, `known_hosts` and `authorized_key`, on files of the test's own.

mod support;

use playbook_api::map;
use support::{Lab, value};

/// Runs a line that prepares something.
fn sh(lab: &Lab, line: &str) {
    lab.run("shell", map! { "_raw_params" => line, "chdir" => lab.at("") });
}

const COMMIT: &str = "git -c user.name=t -c user.email=t@example.com commit -q -m x";

#[test]
fn git_clones_and_follows() {
    let lab = Lab::new();
    sh(
        &lab,
        &format!("git init -q -b main src && cd src && echo 1 > f && git add f && {COMMIT} && git tag v1"),
    );
    let arguments = map! { "repo" => lab.at("src"), "dest" => lab.at("out"), "version" => "main" };
    let made = lab.changes_once("git", arguments.clone());
    assert_eq!((value(&made, "after").to_string().len(), lab.read("out/f").as_str()), (40, "1\n"));
    sh(&lab, &format!("cd src && echo 2 > f && git add f && {COMMIT}"));
    lab.changes_once("git", arguments.clone());
    assert_eq!(lab.read("out/f"), "2\n");
    lab.write("out/f", "local");
    assert!(lab.fail("git", arguments.clone()).contains("Local modifications exist in the destination"));
    let mut forced = arguments.clone();
    forced.insert("force".into(), true.into());
    assert!(lab.run("git", forced).changed && lab.read("out/f") == "2\n");
    let mut tag = arguments;
    tag.insert("version".into(), "v1".into());
    lab.changes_once("git", tag.clone());
    assert_eq!(lab.read("out/f"), "1\n");
    tag.insert("version".into(), "none".into());
    assert!(lab.fail("git", tag).starts_with("Failed to checkout none"));
}

#[test]
fn unarchive_unpacks_once() {
    let lab = Lab::new();
    sh(&lab, "mkdir in out && echo 1 > in/a && tar czf in.tgz in");
    let arguments = map! { "src" => lab.at("in.tgz"), "dest" => lab.at("out"), "remote_src" => true, "list_files" => true };
    let done = lab.changes_once("unarchive", arguments);
    assert_eq!(
        (value(&done, "files").to_string(), lab.read("out/in/a")),
        ("['in/', 'in/a']".into(), "1\n".into())
    );
    assert!(
        lab.fail("unarchive", map! { "src" => lab.at("in.tgz"), "dest" => lab.at("no") })
            .ends_with("must be an existing dir")
    );
    assert!(
        lab.fail("unarchive", map! { "src" => lab.at("no"), "dest" => lab.at("out") })
            .ends_with("does not exist")
    );
}

#[test]
fn cron_files_have_named_jobs() {
    let lab = Lab::new();
    let arguments = map! { "name" => "check", "cron_file" => lab.at("c"), "user" => "root", "minute" => "5", "job" => "ls" };
    let done = lab.changes_once("cron", arguments);
    assert_eq!(
        (lab.read("c").as_str(), value(&done, "jobs").to_string()),
        ("#Ansible: check\n5 * * * * root ls\n", "['check']".into())
    );
    let twin = map! { "name" => "again", "cron_file" => lab.at("c"), "user" => "root", "minute" => "5", "job" => "ls" };
    lab.changes_once("cron", twin.clone());
    assert_eq!(lab.read("c"), "#Ansible: check\n5 * * * * root ls\n#Ansible: again\n5 * * * * root ls\n");
    let mut gone = twin;
    gone.insert("state".into(), "absent".into());
    lab.changes_once("cron", gone);
    let variable = map! { "name" => "MAILTO", "env" => true, "job" => "me", "cron_file" => lab.at("c"), "user" => "root" };
    lab.changes_once("cron", variable);
    let gone = map! { "name" => "check", "cron_file" => lab.at("c"), "state" => "absent" };
    lab.changes_once("cron", gone);
    assert_eq!(lab.read("c"), "MAILTO=\"me\"\n");
}

#[test]
fn keys_are_added_and_removed() {
    let lab = Lab::new();
    let key = "example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPpZxQJ6cVqOoXqvQvPzY4cvLZ0yCkRZ2g4oZ0yCkRZ2";
    let known = map! { "name" => "example.org", "key" => key, "path" => lab.at("ssh/known_hosts") };
    lab.changes_once("known_hosts", known.clone());
    let mut gone = known;
    gone.insert("state".into(), "absent".into());
    lab.changes_once("known_hosts", gone);
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPpZxQJ6cVqO me@home";
    let allowed = map! { "user" => "root", "key" => key, "path" => lab.at("keys/authorized_keys"), "key_options" => "no-pty" };
    lab.changes_once("authorized_key", allowed.clone());
    assert_eq!(lab.read("keys/authorized_keys"), format!("no-pty {key}\n"));
    let mut gone = allowed;
    gone.insert("state".into(), "absent".into());
    lab.changes_once("authorized_key", gone);
}

/// A repository with the branch main at tag v1 and a newer commit, and the branch dev, which has another file.
fn origin(lab: &Lab) -> String {
    sh(
        lab,
        &format!(
            "git init -q -b main src && cd src && echo 1 > f && git add f && {COMMIT} && git tag v1 && echo 2 > f \
             && git add f && {COMMIT} && git checkout -q -b dev && echo dev > g && git add g && {COMMIT} \
             && git checkout -q main"
        ),
    );
    format!("file://{}", lab.at("src"))
}

#[test]
fn git_keeps_untracked_files_unless_forced() {
    for version in ["dev", "origin/dev"] {
        let lab = Lab::new();
        let repo = origin(&lab);
        let at =
            |version: &str| map! { "repo" => repo.as_str(), "dest" => lab.at("out"), "version" => version };
        lab.run("git", at("main"));
        lab.write("out/g", "precious\n");
        let failure = lab.try_run("git", at(version)).unwrap_err();
        let message = failure.error.to_string();
        assert!(message.starts_with(&format!("Failed to checkout {version}: ")), "{message}");
        assert!(
            message.contains("untracked working tree files would be overwritten by checkout:\n\tg"),
            "{message}"
        );
        assert_eq!(failure.error.help(), Some("Move the files away, or overwrite them with `force: true`."));
        assert_eq!(lab.read("out/g"), "precious\n");
        let mut forced = at(version);
        forced.insert("force".into(), true.into());
        assert!(lab.run("git", forced).changed);
        assert_eq!(lab.read("out/g"), "dev\n");
    }
    // A branch that exists already is brought forward, and must not overwrite files either.
    let lab = Lab::new();
    let repo = origin(&lab);
    let main = map! { "repo" => repo.as_str(), "dest" => lab.at("out"), "version" => "main" };
    lab.run("git", main.clone());
    sh(&lab, &format!("cd src && echo new > g && git add g && {COMMIT}"));
    lab.write("out/g", "precious\n");
    assert!(lab.fail("git", main).starts_with("Failed to checkout main: "));
    assert_eq!(lab.read("out/g"), "precious\n");
}

#[test]
fn git_switches_shallow_clones() {
    let lab = Lab::new();
    let repo = origin(&lab);
    let at = |version: &str| {
        map! { "repo" => repo.as_str(), "dest" => lab.at("out"), "version" => version, "depth" => 1 }
    };
    for (version, content) in [("v1", "1\n"), ("main", "2\n"), ("dev", "2\n"), ("v1", "1\n"), ("HEAD", "2\n")]
    {
        lab.changes_once("git", at(version));
        assert_eq!(lab.read("out/f"), content, "{version}");
    }
    sh(&lab, "cd out && test \"$(git config branch.dev.merge)\" = refs/heads/dev");
}

#[test]
fn git_takes_revisions_and_sees_in_check_mode_what_is_up_to_date() {
    let lab = Lab::new();
    let repo = origin(&lab);
    let at = |version: &str| map! { "repo" => repo.as_str(), "dest" => lab.at("out"), "version" => version };
    lab.run("git", at("HEAD"));
    assert!(!lab.check("git", at("HEAD")).changed && !lab.run("git", at("HEAD")).changed);
    for (version, content) in [("HEAD~1", "1\n"), ("main", "2\n"), ("main~1", "1\n"), ("v1^{}", "1\n")] {
        lab.run("git", at(version));
        assert_eq!(lab.read("out/f"), content, "{version}");
    }
}
