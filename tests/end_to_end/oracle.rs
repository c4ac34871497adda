//! The same playbooks (`tests/oracle/`) through ansible-core and through `playbook`: the same text and the same exit code.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ended, playbook};
use xtask::tested::skip;

#[test]
fn reports_read_like_ansibles() {
    let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
        return skip("comparison with ansible-core", "no oracle: run the tests with `cargo xtask test`");
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let home = tempfile::tempdir().expect("a temporary folder");
    let settings = home.path().join("ansible.cfg");
    std::fs::write(&settings, "[defaults]\nforks = 1\n").expect("the settings");
    let mut books: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("the playbooks").flatten().map(|entry| entry.path()).collect();
    books.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    books.sort();
    assert!(!books.is_empty());

    let mut differences = Vec::new();
    for book in books {
        let name = book.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&book).expect("a playbook");
        let options =
            text.lines().next().and_then(|line| line.strip_prefix("# options: ")).unwrap_or_default();
        let run = |mut command: Command| {
            command.args(["-i", "hosts.ini", &name]).args(options.split_whitespace());
            // One host after another: the order in which several finish is nobody's promise.
            command
                .env("ANSIBLE_CONFIG", &settings)
                .env("HOME", home.path())
                .env("LC_ALL", "C.UTF-8")
                .env("ANSIBLE_DEPRECATION_WARNINGS", "false");
            Ended::of(&mut command)
        };
        let mut theirs = Command::new(bin.join("ansible-playbook"));
        theirs.current_dir(&folder);
        let theirs = run(theirs);
        let mut ours = playbook(&folder);
        ours.arg("run");
        let ours = run(ours);
        if (theirs.code, plain(&theirs.stdout)) != (ours.code, plain(&ours.stdout)) {
            differences.push(format!(
                "== {name}: exit codes {} and {}\n{}",
                theirs.code,
                ours.code,
                difference(&plain(&theirs.stdout), &plain(&ours.stdout))
            ));
        }
    }
    assert!(differences.is_empty(), "{}\n{} playbooks differ", differences.join("\n"), differences.len());
}

/// What may differ from run to run: times of commands.
fn plain(text: &str) -> String {
    let timed = ["\"delta\":", "\"start\":", "\"end\":"];
    text.lines().filter(|line| !timed.iter().any(|key| line.contains(key))).collect::<Vec<_>>().join("\n")
}

/// The lines around the first one that differs, `-` ansible-core's and `+` ours.
fn difference(theirs: &str, ours: &str) -> String {
    let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let same = theirs.iter().zip(&ours).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    for line in &theirs[same.saturating_sub(3)..same] {
        text.push_str(&format!("  {line}\n"));
    }
    for (sign, lines) in [('-', &theirs), ('+', &ours)] {
        for line in lines.iter().skip(same).take(6) {
            text.push_str(&format!("{sign} {line}\n"));
        }
    }
    text
}
