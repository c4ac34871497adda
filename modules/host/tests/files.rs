//! `file`, `stat`, `copy`, `slurp`, `tempfile`, `find` and `assemble`, with real files.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests prepare real files")]

mod support;

use std::fs;

use playbook_api::{Value, map};
use support::{Lab, value};

#[test]
fn file_makes_directories_files_and_links() {
    let lab = Lab::new();
    let made =
        lab.changes_once("file", map! { "path" => lab.at("a/b"), "state" => "directory", "mode" => "0750" });
    assert_eq!((value(&made, "mode"), value(&made, "state")), ("0750".into(), "directory".into()));
    let target = lab.write("t", "x");
    lab.changes_once("file", map! { "path" => &target, "mode" => "u=rw,g=,o=" });
    let link = lab.changes_once("file", map! { "path" => lab.at("l"), "src" => "t", "state" => "link" });
    assert_eq!((value(&link, "src"), value(&link, "state")), ("t".into(), "link".into()));
    lab.changes_once("file", map! { "path" => lab.at("h"), "src" => &target, "state" => "hard" });
    assert!(lab.run("file", map! { "path" => &target, "state" => "touch" }).changed);
    let preserved = map! { "path" => &target, "state" => "touch", "access_time" => "preserve", "modification_time" => "preserve" };
    assert!(!lab.run("file", preserved).changed);
    let dated = map! { "path" => &target, "modification_time" => "202001010101.01" };
    lab.changes_once("file", dated);
    lab.changes_once("file", map! { "path" => lab.at("new"), "state" => "touch", "access_time" => "preserve", "modification_time" => "preserve" });
    let gone = lab.changes_once("file", map! { "path" => lab.at("a"), "state" => "absent" });
    assert_eq!(value(&gone, "state"), "absent".into());
    let before = gone.diff[0].before.as_ref().unwrap();
    assert_eq!(before.get("path_content").unwrap().get("directories").unwrap().as_list().unwrap().len(), 1);
}

#[test]
fn file_refuses_with_the_known_messages() {
    let lab = Lab::new();
    let (none, dir) = (lab.at("none"), lab.at("d"));
    fs::create_dir(&dir).unwrap();
    lab.write("d/f", "x");
    let f = lab.write("f", "x");
    for (arguments, message) in [
        (map! { "path" => &none }, format!("file ({none}) is absent, cannot continue")),
        (map! { "path" => &dir, "state" => "file" }, format!("file ({dir}) is directory, cannot continue")),
        (map! { "path" => &f, "state" => "directory" }, format!("{f} already exists as a file")),
        (
            map! { "path" => &f, "src" => "d/f", "state" => "link" },
            format!("refusing to convert from file to symlink for {f}"),
        ),
        (
            map! { "path" => &dir, "src" => "f", "state" => "link", "force" => true },
            format!("the directory {dir} is not empty, refusing to convert it"),
        ),
        (
            map! { "path" => lab.at("l"), "src" => "none", "state" => "link" },
            format!("src file does not exist, use 'force=yes' if you really want to create the link: {none}"),
        ),
        (map! { "path" => lab.at("h"), "src" => &none, "state" => "hard" }, "src does not exist".into()),
        (map! { "path" => &none, "state" => "link" }, "src is required for creating new symlinks".into()),
        (map! { "path" => &none, "state" => "hard" }, "src is required for creating new hardlinks".into()),
        (
            map! { "path" => &none, "src" => "x", "state" => "touch" },
            "src option requires state to be 'link' or 'hard'".into(),
        ),
        (map! { "path" => &f, "recurse" => true }, "recurse option requires state to be 'directory'".into()),
        (
            map! { "path" => &f, "owner" => "no-such-user" },
            "chown failed: failed to look up user no-such-user".into(),
        ),
    ] {
        assert_eq!(lab.fail("file", arguments), message);
    }
    assert!(
        lab.fail("file", map! { "path" => &f, "mode" => "rw" })
            .starts_with("mode must be in octal or symbolic form")
    );
    let failure = lab.try_run("file", map! { "path" => &dir, "state" => "file" }).unwrap_err();
    assert_eq!(failure.outcome.values.get("state"), Some(&"directory".into()));
}

#[test]
fn file_recurses() {
    let lab = Lab::new();
    fs::create_dir_all(lab.path("d/e")).unwrap();
    lab.write("d/e/f", "x");
    let arguments =
        map! { "path" => lab.at("d"), "state" => "directory", "recurse" => true, "mode" => "u=rwX,g=,o=" };
    lab.changes_once("file", arguments);
    let stat = lab.run("stat", map! { "path" => lab.at("d/e/f") });
    assert_eq!(value(&stat, "stat").get("mode"), Some(&"0600".into()));
}

#[test]
fn stat_says_everything() {
    let lab = Lab::new();
    lab.write("f", "hello\n");
    std::os::unix::fs::symlink("f", lab.path("l")).unwrap();
    let stat = value(&lab.run("stat", map! { "path" => lab.at("f") }), "stat");
    assert_eq!(stat.get("checksum"), Some(&"f572d396fae9206628714fb2ce00f72e94f2258f".into()));
    for name in ["exists", "isreg", "readable", "rusr"] {
        assert_eq!(stat.get(name), Some(&true.into()), "{name}");
    }
    assert_eq!(stat.get("size"), Some(&6.into()));
    let link = value(&lab.run("stat", map! { "path" => lab.at("l") }), "stat");
    assert_eq!((link.get("islnk"), link.get("lnk_target")), (Some(&true.into()), Some(&"f".into())));
    let followed =
        lab.run("stat", map! { "path" => lab.at("l"), "follow" => true, "checksum_algo" => "md5" });
    assert_eq!(value(&followed, "stat").get("checksum"), Some(&"b1946ac92492d2347c6235b4d2611184".into()));
    let none = value(&lab.run("stat", map! { "path" => lab.at("none") }), "stat");
    assert_eq!(none.to_string(), "{'exists': False}");
}

#[test]
fn copy_places_content_and_files() {
    let lab = Lab::new();
    let made =
        lab.changes_once("copy", map! { "content" => "hello\n", "dest" => lab.at("f"), "mode" => "0600" });
    assert_eq!(value(&made, "checksum"), "f572d396fae9206628714fb2ce00f72e94f2258f".into());
    assert_eq!((value(&made, "mode"), value(&made, "state")), ("0600".into(), "file".into()));
    assert_eq!(made.diff[0].after, Some("hello\n".into()));
    lab.changes_once("copy", map! { "content" => map! { "a" => 1 }, "dest" => lab.at("json") });
    assert_eq!(lab.read("json"), "{\"a\": 1}");
    let changed =
        lab.changes_once("copy", map! { "content" => "bye", "dest" => lab.at("f"), "backup" => true });
    let backup = value(&changed, "backup_file");
    assert_eq!(fs::read_to_string(backup.as_str().unwrap()).unwrap(), "hello\n");
    assert_eq!(value(&changed, "mode"), "0600".into());
    let kept = lab.run("copy", map! { "content" => "no", "dest" => lab.at("f"), "force" => false });
    assert!(!kept.changed && lab.read("f") == "bye");
    let into =
        map! { "src" => lab.at("f"), "dest" => lab.at("new/"), "remote_src" => true, "mode" => "preserve" };
    assert_eq!(value(&lab.changes_once("copy", into), "dest"), lab.at("new/f").into());
    let message =
        lab.fail("copy", map! { "content" => "x", "dest" => lab.at("f"), "validate" => "grep y %s" });
    assert_eq!((message.starts_with("failed to validate"), lab.read("f").as_str()), (true, "bye"));
    std::os::unix::fs::symlink("f", lab.path("l")).unwrap();
    lab.changes_once("copy", map! { "content" => "linked", "dest" => lab.at("l"), "follow" => true });
    assert!(lab.path("l").is_symlink() && lab.read("f") == "linked");
    assert!(lab.run("copy", map! { "content" => "own", "dest" => lab.at("l") }).changed);
    assert!(!lab.path("l").is_symlink() && lab.read("f") == "linked");
}

#[test]
fn copy_brings_directories() {
    let lab = Lab::new();
    fs::create_dir_all(lab.path("d/e")).unwrap();
    lab.write("d/f", "1");
    lab.write("d/e/g", "2");
    std::os::unix::fs::symlink("f", lab.path("d/l")).unwrap();
    lab.changes_once("copy", map! { "src" => lab.at("d"), "dest" => lab.at("out/"), "remote_src" => true });
    assert_eq!((lab.read("out/d/f").as_str(), lab.read("out/d/e/g").as_str()), ("1", "2"));
    assert!(lab.path("out/d/l").is_symlink());
    lab.changes_once("copy", map! { "src" => lab.at("d/"), "dest" => lab.at("flat"), "remote_src" => true });
    assert_eq!(lab.read("flat/e/g"), "2");
}

#[test]
fn copy_refuses_with_the_known_messages() {
    let lab = Lab::new();
    let f = lab.write("f", "x");
    let remote = |src: &str, dest: String| map! { "src" => src, "dest" => dest, "remote_src" => true };
    let none = lab.at("none");
    assert_eq!(lab.fail("copy", remote(&none, f.clone())), format!("Source {none} not found"));
    let message = lab.fail("copy", remote(&f, lab.at("none/f")));
    assert_eq!(message, format!("Destination directory {none} does not exist"));
    assert_eq!(
        lab.fail("copy", remote("/dev/null", f.clone())),
        "Cannot copy invalid source '/dev/null': not a file"
    );
    let summed = map! { "content" => "x", "dest" => &f, "checksum" => "abc" };
    assert_eq!(
        lab.fail("copy", summed),
        "Copied file does not match the expected checksum. Transfer failed."
    );
    assert!(
        lab.fail("copy", map! { "content" => "x", "dest" => lab.at("") })
            .contains("can not use content with a dir as dest")
    );
}

#[test]
fn slurp_and_tempfile() {
    let lab = Lab::new();
    let f = lab.write("f", "hi");
    let slurped = lab.run("slurp", map! { "src" => &f });
    assert_eq!((value(&slurped, "content"), value(&slurped, "encoding")), ("aGk=".into(), "base64".into()));
    assert!(lab.fail("slurp", map! { "path" => lab.at("none") }).starts_with("File not found: "));
    assert!(
        lab.fail("slurp", map! { "path" => lab.at("") })
            .starts_with("Source is a directory and must be a file")
    );
    let made = lab.run("tempfile", map! { "path" => lab.at(""), "suffix" => ".x", "state" => "directory" });
    let path = value(&made, "path");
    assert!(fs::metadata(path.as_str().unwrap()).unwrap().is_dir());
    assert_eq!((value(&made, "mode"), path.as_str().unwrap().ends_with(".x")), ("0700".into(), true));
    let checked = lab.check("tempfile", map! { "path" => lab.at("") });
    assert!(!fs::exists(value(&checked, "path").as_str().unwrap()).unwrap());
    assert!(
        lab.fail("tempfile", map! { "prefix" => "a/b" })
            .contains("prefix must be a valid file name component")
    );
}

fn names(found: &playbook_api::Outcome) -> Vec<String> {
    let files = value(found, "files");
    let name = |f: &Value| f.get("path").unwrap().to_string().rsplit('/').next().unwrap().to_owned();
    files.as_list().unwrap().iter().map(name).collect()
}

#[test]
fn find_by_every_criterion() {
    let lab = Lab::new();
    fs::create_dir_all(lab.path("d/e")).unwrap();
    lab.write("d/a.log", "first\nsecond\n");
    lab.write("d/b.txt", &"x".repeat(3000));
    lab.write("d/.hidden", "");
    lab.write("d/e/c.log", "second");
    let d = lab.at("d");
    let found = |more: playbook_api::Map| {
        let mut arguments = map! { "paths" => &d };
        arguments.extend(more);
        names(&lab.run("find", arguments))
    };
    assert_eq!(found(map! {}), ["a.log", "b.txt"]);
    assert_eq!(found(map! { "patterns" => "*.log", "recurse" => true }), ["a.log", "c.log"]);
    assert_eq!(
        found(map! { "patterns" => vec!["^[ab]\\..*$"], "use_regex" => true, "excludes" => vec!["a.*"] }),
        ["b.txt"]
    );
    assert_eq!(found(map! { "size" => "1k" }), ["b.txt"]);
    assert_eq!(found(map! { "size" => "-1k", "hidden" => true }), [".hidden", "a.log"]);
    assert_eq!(found(map! { "contains" => "sec", "recurse" => true }), ["a.log", "c.log"]);
    assert_eq!(found(map! { "file_type" => "directory" }), ["e"]);
    assert_eq!(found(map! { "age" => "1h" }), [""; 0]);
    assert_eq!(found(map! { "age" => "-1h", "limit" => 1 }), ["a.log"]);
    assert_eq!(found(map! { "recurse" => true, "depth" => 1 }), ["a.log", "b.txt"]);
    let partly = lab.run("find", map! { "paths" => vec![d.clone(), lab.at("none")] });
    assert_eq!(value(&partly, "msg"), "Not all paths examined, check warnings for details".into());
    assert_eq!(
        value(&partly, "skipped_paths").get(&lab.at("none")).unwrap().to_string(),
        format!("'{}' is not a directory", lab.at("none"))
    );
    assert_eq!(lab.fail("find", map! { "paths" => &d, "age" => "bad" }), "failed to process age");
}

#[test]
fn assemble_joins_pieces() {
    let lab = Lab::new();
    fs::create_dir(lab.path("parts")).unwrap();
    for (name, content) in [("2", "two"), ("1", "one"), (".h", "hidden\n")] {
        lab.write(&format!("parts/{name}"), content);
    }
    let arguments = map! { "src" => lab.at("parts"), "dest" => lab.at("all"), "delimiter" => "--", "ignore_hidden" => true };
    lab.changes_once("assemble", arguments);
    assert_eq!(lab.read("all"), "one\n--\ntwo");
    assert!(
        lab.fail("assemble", map! { "src" => lab.at("all"), "dest" => lab.at("x") })
            .contains("is not a directory")
    );
    assert!(
        lab.fail("assemble", map! { "src" => lab.at("no"), "dest" => lab.at("x") })
            .contains("does not exist")
    );
}
