//! The total of a test run.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use xtask::{Doing, Result};

/// The number of tests that passed, and the names of those that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    /// The number of tests that passed.
    pub passed: usize,
    /// The names of the tests that failed.
    pub failed: Vec<String>,
}

impl Total {
    /// Runs `cargo test`, passes its output through, and adds its results. Returns whether it succeeded.
    pub(crate) fn follow(&mut self, cargo: &mut Command) -> Result<bool> {
        let what = "running cargo test";
        let mut child = cargo.stdout(Stdio::piped()).spawn().doing(what)?;
        if let Some(output) = child.stdout.take() {
            let (mut output, mut line) = (BufReader::new(output), Vec::new());
            while output.read_until(b'\n', &mut line).doing("reading cargo's output")? > 0 {
                // The tests' result matters even if the output cannot be written.
                let mut stdout = std::io::stdout();
                let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
                self.add(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
        let succeeded = child.wait().doing(what)?.success();
        if !succeeded && self.failed.is_empty() {
            self.failed.push("cargo test: see its errors above".to_owned());
        }
        Ok(succeeded)
    }

    /// Adds what one line of the test harness's output reports.
    fn add(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some(result) = line.strip_prefix("test result: ") {
            let passed =
                result.split_once(". ").and_then(|(_, counts)| counts.split(' ').next()?.parse().ok());
            self.passed += passed.unwrap_or(0);
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|test| test.strip_suffix(" ... FAILED"))
        {
            self.failed.push(name.to_owned());
        }
    }

    /// Prints the names of the tests that failed and the numbers.
    pub(crate) fn print(&self) {
        println!("\n{}", self.text());
    }

    fn text(&self) -> String {
        let failed: String = self.failed.iter().map(|name| format!("FAILED: {name}\n")).collect();
        format!("{failed}{} passed, {} failed", self.passed, self.failed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_add_up() {
        let mut total = Total::default();
        let output = "\n\
            running 3 tests\n\
            test one ... ok\n\
            test module::two ... FAILED\n\
            test three - should panic ... ignored, needs root\n\
            \n\
            failures:\n    module::two\n\
            \n\
            test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            \n\
            test src/lib.rs - four (line 4) ... ok\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";
        output.lines().for_each(|line| total.add(line));
        assert_eq!(total, Total { passed: 13, failed: vec!["module::two".into()] });
        assert_eq!(total.text(), "FAILED: module::two\n13 passed, 1 failed");
    }
}
