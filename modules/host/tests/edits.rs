//! `lineinfile`, `blockinfile` and `replace`, with real files.

mod support;

use playbook_api::{Map, map};
use support::{Lab, value};

/// What becomes of a text; check mode, the message and idempotence are looked at on the way.
fn edited(module: &str, text: &str, arguments: Map, message: &str) -> String {
    let lab = Lab::new();
    let path = lab.write("f", text);
    let mut arguments = arguments;
    arguments.insert("path".into(), path.into());
    if message.is_empty() {
        assert!(!lab.run(module, arguments).changed);
    } else {
        let done = lab.changes_once(module, arguments);
        assert_eq!(value(&done, "msg"), message.into());
    }
    lab.read("f")
}

#[test]
fn lines_are_put_where_they_belong() {
    let line = |text: &str, arguments: Map, message: &str| edited("lineinfile", text, arguments, message);
    let text = "a=1\nb=2\n# c\n";
    let (added, replaced) = ("line added", "line replaced");
    assert_eq!(line(text, map! { "line" => "b=3", "regexp" => "^b=" }, replaced), "a=1\nb=3\n# c\n");
    assert_eq!(line(text, map! { "line" => "z" }, added), "a=1\nb=2\n# c\nz\n");
    assert_eq!(line("a", map! { "line" => "z" }, added), "a\nz\n");
    assert_eq!(line(text, map! { "line" => "z", "insertafter" => "^a" }, added), "a=1\nz\nb=2\n# c\n");
    assert_eq!(line(text, map! { "line" => "z", "insertbefore" => "^b" }, added), "a=1\nz\nb=2\n# c\n");
    assert_eq!(line(text, map! { "line" => "z", "insertbefore" => "BOF" }, added), "z\na=1\nb=2\n# c\n");
    assert_eq!(line(text, map! { "line" => "z", "insertafter" => "none" }, added), "a=1\nb=2\n# c\nz\n");
    assert_eq!(
        line("x\nx\n", map! { "line" => "z", "insertafter" => "x", "firstmatch" => true }, added),
        "x\nz\nx\n"
    );
    assert_eq!(line(text, map! { "line" => "b=2", "search_string" => "b=" }, ""), text);
    assert_eq!(line(text, map! { "line" => "q", "regexp" => "none", "backrefs" => true }, ""), text);
    assert_eq!(
        line(text, map! { "line" => "\\1=9", "regexp" => "^(b)=\\d$", "backrefs" => true }, replaced),
        "a=1\nb=9\n# c\n"
    );
    assert_eq!(line("x\ny\nx\n", map! { "regexp" => "^x", "state" => "absent" }, "2 line(s) removed"), "y\n");
    assert_eq!(line("x\ny\n", map! { "line" => "y", "state" => "absent" }, "1 line(s) removed"), "x\n");
    assert_eq!(line("x\n", map! { "line" => "y", "state" => "absent" }, ""), "x\n");
}

#[test]
fn lineinfile_makes_files_and_refuses() {
    let lab = Lab::new();
    let made = map! { "path" => lab.at("n/f"), "line" => "x", "create" => true, "mode" => "0600" };
    let done = lab.changes_once("lineinfile", made);
    assert_eq!(value(&done, "msg"), "line added and ownership, perms or SE linux context changed".into());
    assert_eq!(value(&done, "backup"), "".into());
    let message = lab.fail("lineinfile", map! { "path" => lab.at("none"), "line" => "x" });
    assert_eq!(message, format!("Destination {} does not exist !", lab.at("none")));
    assert_eq!(
        lab.fail("lineinfile", map! { "path" => lab.at("n/f") }),
        "line is required with state=present"
    );
    let bad = map! { "path" => lab.at("n/f"), "line" => "y", "validate" => "false %s" };
    assert_eq!(lab.fail("lineinfile", bad), "failed to validate: rc:1 error:");
    assert_eq!(lab.read("n/f"), "x\n");
}

#[test]
fn blocks_are_kept_between_their_markers() {
    let block = |text: &str, arguments: Map, message: &str| edited("blockinfile", text, arguments, message);
    let (inserted, removed) = ("Block inserted", "Block removed");
    let done = "a\n# BEGIN ANSIBLE MANAGED BLOCK\none\ntwo\n# END ANSIBLE MANAGED BLOCK\n";
    assert_eq!(block("a", map! { "block" => "one\ntwo" }, inserted), done);
    assert_eq!(block(done, map! { "block" => "one\ntwo" }, ""), done);
    assert_eq!(block(done, map! { "block" => "" }, removed), "a\n");
    assert_eq!(block(done, map! { "block" => "x", "state" => "absent" }, removed), "a\n");
    let marked = map! { "block" => "x", "marker" => "# {mark} m", "marker_begin" => "[", "marker_end" => "]", "insertafter" => "^a" };
    assert_eq!(block("a\nb\n", marked, inserted), "a\n# [ m\nx\n# ] m\nb\n");
    let roomy = map! { "block" => "x", "marker" => "#{mark}", "insertbefore" => "b", "append_newline" => true, "prepend_newline" => true };
    assert_eq!(block("a\nb\n", roomy, inserted), "a\n\n#BEGIN\nx\n#END\n\nb\n");
    assert_eq!(
        block("a\n", map! { "block" => "x", "insertbefore" => "BOF", "marker" => "#{mark}" }, inserted),
        "#BEGIN\nx\n#END\na\n"
    );
}

#[test]
fn occurrences_are_replaced() {
    let replace = |text: &str, arguments: Map, message: &str| edited("replace", text, arguments, message);
    let ab = map! { "regexp" => "^(\\w)=(\\d)$", "replace" => "\\1-\\g<2>" };
    assert_eq!(replace("a=1\nb=2\nc\n", ab, "2 replacements made"), "a-1\nb-2\nc\n");
    let inner = map! { "regexp" => "x", "replace" => "y", "after" => "<", "before" => ">" };
    assert_eq!(replace("x<x\nx>x", inner, "2 replacements made"), "x<y\ny>x");
    assert_eq!(replace("a", map! { "regexp" => "x", "after" => "none" }, ""), "a");
    let lab = Lab::new();
    assert!(
        lab.fail("replace", map! { "path" => lab.at("none"), "regexp" => "x" }).ends_with("does not exist !")
    );
    let bad = map! { "path" => lab.write("f", ""), "regexp" => "(x" };
    assert!(lab.fail("replace", bad).starts_with("invalid regular expression '(x'"));
}

#[test]
fn tasks_that_edit_one_file_at_once_lose_nothing() {
    let lab = Lab::new();
    let path = lab.write("f", "");
    let modules = ["lineinfile", "blockinfile", "cron", "known_hosts"];
    std::thread::scope(|scope| {
        for number in 0..12 {
            for module in modules {
                let (path, cron, hosts) = (path.clone(), lab.at("cron"), lab.at("hosts"));
                scope.spawn(move || {
                    let name = format!("h{number}");
                    let arguments = match module {
                        "lineinfile" => map! { "path" => path, "line" => format!("line {number}") },
                        "blockinfile" => {
                            map! { "path" => path, "block" => "x", "marker" => format!("# {{mark}} {number}") }
                        }
                        "cron" => {
                            map! { "name" => name, "cron_file" => cron, "user" => "root", "job" => "true" }
                        }
                        _ => {
                            let key = format!("{name} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPpZxQJ6cVqOoXqv");
                            map! { "name" => name, "path" => hosts, "key" => key }
                        }
                    };
                    support::run(module, arguments, &playbook_api::Context::default()).unwrap();
                });
            }
        }
    });
    let text = lab.read("f");
    let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("line "), count("# BEGIN "), count("# END ")), (12, 12, 12));
    assert_eq!((lab.read("cron").lines().count(), lab.read("hosts").lines().count()), (24, 12));
}

#[test]
fn devices_are_not_read() {
    let lab = Lab::new();
    assert_eq!(
        lab.fail("slurp", map! { "src" => "/dev/zero" }),
        "Unable to slurp file /dev/zero: it is a device, not a file"
    );
    for arguments in [map! { "line" => "x" }, map! { "regexp" => "x", "state" => "absent" }] {
        let mut arguments = arguments;
        arguments.insert("path".into(), "/dev/zero".into());
        assert_eq!(
            lab.fail("lineinfile", arguments),
            "could not read: it is a device, not a file: '/dev/zero'"
        );
    }
}
