//! Helpers for tests that run the built binary: the result of a run, and the report of a skipped test.

#![expect(clippy::expect_used, clippy::panic, reason = "only tests use it, and a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use crate::recap;

/// The names of Ansible's programs.
pub const ANSIBLE_PROGRAMS: [&str; 9] = [
    "ansible",
    "ansible-config",
    "ansible-console",
    "ansible-doc",
    "ansible-galaxy",
    "ansible-inventory",
    "ansible-playbook",
    "ansible-pull",
    "ansible-vault",
];

/// The environment variable that asks the binary for the behavior of the ansible-core that tests compare it with.
pub const AS_THE_ORACLE: (&str, &str) = ("PLAYBOOK_CORE", "2.19");

/// The result of a run of the binary.
#[derive(Debug)]
pub struct Ended {
    /// The exit status; -1 if a signal ended it.
    pub code: i32,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl Ended {
    /// Runs a command without input.
    pub fn of(command: &mut Command) -> Ended {
        Ended::with(command, Stdio::null())
    }

    /// Runs a command with these lines on its standard input.
    pub fn typed(command: &mut Command, lines: &[&str]) -> Ended {
        let mut input = tempfile::tempfile().expect("a temporary file");
        input.write_all((lines.join("\n") + "\n").as_bytes()).expect("the lines");
        input.seek(SeekFrom::Start(0)).expect("the lines");
        Ended::with(command, Stdio::from(input))
    }

    fn with(command: &mut Command, input: Stdio) -> Ended {
        let output = command.stdin(input).output().expect("the binary starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Returns the standard output and the standard error.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Returns the totals of the recaps.
    pub fn sums(&self) -> recap::Sums {
        recap::sums(&self.stdout)
    }

    /// Returns the counts of each host in the recap.
    pub fn recap(&self) -> BTreeMap<String, BTreeMap<String, u32>> {
        recap::hosts(&self.stdout)
    }

    /// Returns one count of the recap.
    #[track_caller]
    pub fn count(&self, host: &str, what: &str) -> u32 {
        let recap = self.recap();
        let Some(number) = recap.get(host).and_then(|counts| counts.get(what)) else {
            panic!("the recap has no {what}= of {host}\n{}", self.text())
        };
        *number
    }

    /// Asserts that the exit status is 0.
    #[track_caller]
    pub fn ok(self) -> Ended {
        self.fails(0)
    }

    /// Asserts that each of these texts was printed.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Ended {
        for text in texts {
            assert!(self.text().contains(text), "'{text}' is not in\n{}", self.text());
        }
        self
    }

    /// Asserts that none of these texts was printed.
    #[track_caller]
    pub fn hides(self, texts: &[&str]) -> Ended {
        for text in texts {
            assert!(!self.text().contains(text), "'{text}' is shown in\n{}", self.text());
        }
        self
    }

    /// Asserts the exit status.
    #[track_caller]
    pub fn fails(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "exit status\n{}", self.text());
        assert!(!self.text().contains("panicked"), "{}", self.text());
        self
    }
}

/// Reports that a test is skipped: on standard error, past the test harness, and in the list that `cargo xtask test`
/// prints at its end. In CI the test fails.
pub fn skip(test: &str, why: &str) {
    let line = format!("{test}: {why}\n");
    let _ = std::io::stderr().write_all(format!("\nSKIPPED: {line}").as_bytes());
    if let Ok(path) = std::env::var("PLAYBOOK_TEST_SKIPPED") {
        let _ = std::fs::OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut f| f.write_all(line.as_bytes()));
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "SKIPPED: {line}");
}
