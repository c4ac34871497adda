//! `command` and `shell`, with real programs.

#[expect(dead_code, reason = "this file uses a part of it")]
mod support;

use playbook_api::{Context, map};
use support::{Lab, run, value};

#[test]
fn a_command_is_split_and_expanded_but_no_shell_reads_it() {
    let lab = Lab::new();
    let done = lab.run("command", map! { "_raw_params" => "echo 'a  b' $HOME_OF_TEST '|' \\* " });
    assert_eq!(value(&done, "stdout"), "a  b $HOME_OF_TEST | *".into());
    assert_eq!(value(&done, "cmd").to_string(), "['echo', 'a  b', '$HOME_OF_TEST', '|', '*']");
    assert_eq!((value(&done, "rc"), value(&done, "msg"), done.changed), (0.into(), "".into(), true));
    let context = Context { environment: vec![("HOME_OF_TEST".into(), "/x".into())], ..Context::default() };
    let words = map! { "argv" => vec!["echo", "$HOME_OF_TEST", "a b"] };
    assert_eq!(value(&run("command", words, &context).unwrap(), "stdout"), "/x a b".into());
    let plain = map! { "cmd" => "echo $HOME_OF_TEST", "expand_argument_vars" => false };
    assert_eq!(value(&run("command", plain, &context).unwrap(), "stdout"), "$HOME_OF_TEST".into());
}

#[test]
fn a_shell_reads_the_line() {
    let lab = Lab::new();
    let done =
        lab.run("shell", map! { "_raw_params" => "printf '1\\n2\\n\\n' | cat; echo e >&2", "chdir" => "/" });
    assert_eq!(value(&done, "stdout_lines").to_string(), "['1', '2']");
    assert_eq!(value(&done, "stderr"), "e".into());
    let whole = lab.run("shell", map! { "cmd" => "printf 'a\\n\\n'", "strip_empty_ends" => false });
    assert_eq!(value(&whole, "stdout"), "a\n\n".into());
    let bash = lab.run(
        "shell",
        map! { "_raw_params" => "pwd; echo $0", "executable" => "/bin/bash", "chdir" => "/usr" },
    );
    assert_eq!(value(&bash, "stdout"), "/usr\n/bin/bash".into());
    let fed = lab.run("shell", map! { "_raw_params" => "cat", "stdin" => "x", "stdin_add_newline" => false });
    assert_eq!(value(&fed, "stdout"), "x".into());
}

#[test]
fn failures_keep_what_was_said() {
    let lab = Lab::new();
    let failure = lab.try_run("shell", map! { "_raw_params" => "echo out; exit 3" }).unwrap_err();
    assert_eq!(failure.error.to_string(), "non-zero return code");
    assert_eq!(failure.outcome.values.get("rc"), Some(&3.into()));
    assert_eq!(failure.outcome.values.get("stdout"), Some(&"out".into()));
    assert!(failure.outcome.changed);
    let failure = lab.try_run("command", map! { "_raw_params" => "no-such-program-here a" }).unwrap_err();
    assert_eq!(failure.outcome.values.get("rc"), Some(&2.into()));
    assert_eq!(
        failure.error.to_string(),
        "Error executing command: [Errno 2] No such file or directory: b'no-such-program-here'"
    );
    let message = lab.fail("command", map! { "_raw_params" => "ls", "chdir" => lab.at("none") });
    assert!(message.starts_with("Unable to change directory before execution: [Errno 2]"), "{message}");
    assert!(
        lab.fail("command", map! {}).starts_with("one of the following is required: _raw_params, cmd, argv")
    );
    assert!(lab.fail("command", map! { "_raw_params" => "echo 'a" }).contains("No closing quotation"));
}

#[test]
fn creates_and_removes_decide_also_in_check_mode() {
    let lab = Lab::new();
    lab.write("there", "");
    let there = lab.run("command", map! { "_raw_params" => "false", "creates" => lab.at("th*") });
    assert!(!there.changed);
    assert_eq!(value(&there, "stdout").to_string(), format!("skipped, since {} exists", lab.at("th*")));
    assert_eq!(
        value(&there, "msg").to_string(),
        format!("Did not run command since '{}' exists", lab.at("th*"))
    );
    let gone = lab.run("command", map! { "_raw_params" => "false", "removes" => lab.at("gone") });
    assert_eq!(
        value(&gone, "stdout").to_string(),
        format!("skipped, since {} does not exist", lab.at("gone"))
    );
    let skipped = lab.check("command", map! { "_raw_params" => format!("touch {}", lab.at("new")) });
    assert!(skipped.skipped && !skipped.changed && !lab.path("new").exists());
    assert_eq!(value(&skipped, "msg"), "Command would have run if not in check mode".into());
    let would = lab.check("command", map! { "_raw_params" => "x", "creates" => lab.at("new") });
    assert!(!would.skipped && would.changed);
}

#[test]
fn output_beyond_the_limit_is_left_out_and_told() {
    let mut lab = Lab::new();
    lab.context.environment = vec![("PLAYBOOK_MAX_OUTPUT".into(), "20".into())];
    let done = lab.run("command", map! { "_raw_params" => "seq -w 1 20" });
    assert_eq!(
        value(&done, "stdout"),
        "01\n02\n03\n0\n[40 bytes left out: more than PLAYBOOK_MAX_OUTPUT=20 bytes]\n\n18\n19\n20".into()
    );
    assert_eq!(
        done.warnings,
        ["40 bytes of the command's output were left out. Set PLAYBOOK_MAX_OUTPUT in the task's \
            environment to keep more."]
    );
}
