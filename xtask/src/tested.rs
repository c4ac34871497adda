//! What the tests that run the built binary share: how a run ended, and how a test says that it is skipped.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use crate::recap;

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(command: &mut Command) -> Ended {
        Ended::with(command, Stdio::null())
    }

    /// With lines on its standard input.
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

    /// All that was printed.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    pub fn sums(&self) -> recap::Sums {
        recap::sums(&self.stdout)
    }

    /// What the recap says of each host.
    pub fn recap(&self) -> BTreeMap<String, BTreeMap<String, u32>> {
        recap::hosts(&self.stdout)
    }

    /// One number of the recap.
    #[track_caller]
    pub fn count(&self, host: &str, what: &str) -> u32 {
        let recap = self.recap();
        let Some(number) = recap.get(host).and_then(|counts| counts.get(what)) else {
            panic!("the recap has no {what}= of {host}\n{}", self.text())
        };
        *number
    }

    /// The run ended well.
    #[track_caller]
    pub fn ok(self) -> Ended {
        self.fails(0)
    }

    /// Each of these was printed.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Ended {
        for text in texts {
            assert!(self.text().contains(text), "'{text}' is not in\n{}", self.text());
        }
        self
    }

    /// None of these was printed.
    #[track_caller]
    pub fn hides(self, texts: &[&str]) -> Ended {
        for text in texts {
            assert!(!self.text().contains(text), "'{text}' is shown in\n{}", self.text());
        }
        self
    }

    #[track_caller]
    pub fn fails(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "exit code\n{}", self.text());
        assert!(!self.text().contains("panicked"), "{}", self.text());
        self
    }
}

/// Writes past the test harness, which would swallow it, and into the list that `cargo xtask test` shows at its end.
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
