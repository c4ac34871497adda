//! The total of a test run.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use xtask::{Doing, Result};

/// The number of lines of a failure's output that are repeated at the end: the first and the last ones.
const REPEATED: (usize, usize) = (60, 40);

/// A test that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The test's name.
    pub name: String,
    /// What it printed.
    pub output: String,
}

/// The results of the tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    /// The number of tests that passed.
    pub passed: usize,
    /// The tests that failed.
    pub failed: Vec<Failure>,
    /// The tests that failed, and passed when they were run again alone.
    recovered: Vec<Failure>,
    /// The names of the tests that have passed or failed.
    ran: Vec<String>,
    /// The test programs that have started, less those that have reported their result.
    unfinished: isize,
    /// The failure whose output is being read.
    reading: Option<usize>,
}

impl Total {
    /// Runs `cargo test`, passes its output through, and adds its results.
    pub(crate) fn follow(&mut self, cargo: &mut Command) -> Result<()> {
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
        if !succeeded && (self.failed.is_empty() || self.unfinished != 0) {
            self.fail("cargo test: see its errors above", "");
        }
        Ok(())
    }

    /// Runs each test that failed once more, alone, with a command that names the test program. Tests of other programs
    /// stay failed, and so do those whose name several programs have.
    pub(crate) fn retry(&mut self, cargo: &mut Command) -> Result<()> {
        let is_alone = |name: &String| self.ran.iter().filter(|other| *other == name).count() == 1;
        let names: Vec<String> =
            self.failed.iter().map(|failure| failure.name.clone()).filter(is_alone).collect();
        if names.is_empty() {
            return Ok(());
        }
        println!("\nrunning the failed tests again, one after the other");
        let mut again = Total::default();
        again.follow(cargo.args(["--", "--exact", "--test-threads=1"]).args(&names))?;
        self.recover(&again);
        Ok(())
    }

    /// Takes the tests that passed in another run out of those that failed.
    fn recover(&mut self, again: &Total) {
        let passed = |name: &String| again.ran.contains(name) && again.failed.iter().all(|f| f.name != *name);
        for failure in std::mem::take(&mut self.failed) {
            match passed(&failure.name) {
                true => self.recovered.push(failure),
                false => self.failed.push(failure),
            }
        }
        self.passed += self.recovered.len();
    }

    /// Adds a failure.
    pub(crate) fn fail(&mut self, name: impl Into<String>, output: impl Into<String>) {
        self.failed.push(Failure { name: name.into(), output: output.into() });
    }

    /// Adds what one line of the test harness's output reports.
    fn add(&mut self, line: &str) {
        let line = line.trim_end();
        let heading = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(name) = heading {
            self.reading = self.failed.iter().rposition(|failure| failure.name == name);
        } else if line == "failures:" {
            self.reading = None;
        } else if let Some(failure) = self.reading.and_then(|at| self.failed.get_mut(at)) {
            failure.output.push_str(line);
            failure.output.push('\n');
        } else if let Some(result) = line.strip_prefix("test result: ") {
            let passed =
                result.split_once(". ").and_then(|(_, counts)| counts.split(' ').next()?.parse().ok());
            self.passed += passed.unwrap_or(0);
            self.unfinished -= 1;
        } else if line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")) {
            self.unfinished += 1;
        } else if let Some((name, passed)) = result(line) {
            self.ran.push(name.to_owned());
            if !passed {
                self.fail(name, "");
            }
        }
    }

    /// Prints what the failed tests printed, their names and the numbers. CI may show only the end of a run's output.
    pub(crate) fn print(&self) {
        println!("\n{}", self.text());
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for failure in self.recovered.iter().chain(&self.failed).filter(|failure| !failure.output.is_empty())
        {
            text.push_str(&format!("---- {}\n{}\n", failure.name, shortened(&failure.output)));
        }
        for failure in &self.recovered {
            text.push_str(&format!("passed when run alone: {}\n", failure.name));
        }
        for failure in &self.failed {
            text.push_str(&format!("FAILED: {}\n", failure.name));
        }
        text + &format!("{} passed, {} failed", self.passed, self.failed.len())
    }
}

/// Returns the name of a test and whether it passed, if the line reports that.
fn result(line: &str) -> Option<(&str, bool)> {
    let (test, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let passed = match result {
        "ok" => true,
        "FAILED" => false,
        _ => return None,
    };
    Some((test.strip_suffix(" - should panic").unwrap_or(test), passed))
}

/// Returns the beginning and the end of an output, without its backtrace.
fn shortened(output: &str) -> String {
    let text = output.split("\nstack backtrace:\n").next().unwrap_or_default().trim();
    let lines: Vec<&str> = text.lines().collect();
    let (first, last) = REPEATED;
    match lines.len().checked_sub(first + last) {
        None | Some(0) => lines.join("\n"),
        Some(left_out) => {
            let note = format!("… {left_out} lines are left out");
            let parts = [&lines[..first], &[note.as_str()], &lines[first + left_out..]];
            parts.concat().join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\n\
        running 3 tests\n\
        test one ... ok\n\
        test module::two ... FAILED\n\
        test three - should panic ... ignored, needs root\n\
        \n\
        failures:\n\
        \n\
        ---- module::two stdout ----\n\
        two is wrong\n\
        stack backtrace:\n\
        0: begin\n\
        \n\
        failures:\n    module::two\n\
        \n\
        test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
        \n\
        running 12 tests\n\
        test src/lib.rs - four (line 4) ... ok\n\
        test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";

    fn total(output: &str) -> Total {
        let mut total = Total::default();
        output.lines().for_each(|line| total.add(line));
        total
    }

    #[test]
    fn the_results_of_all_test_programs_add_up() {
        let total = total(OUTPUT);
        assert_eq!((total.passed, total.unfinished), (13, 0));
        assert_eq!(total.ran, ["one", "module::two", "src/lib.rs - four (line 4)"]);
        assert_eq!(total.text(), "---- module::two\ntwo is wrong\nFAILED: module::two\n13 passed, 1 failed");
    }

    #[test]
    fn a_test_that_passes_alone_is_told_with_its_first_failure() {
        let mut first = total(OUTPUT);
        first.recover(&total("running 0 tests\ntest result: ok. 0 passed; 0 failed\n"));
        assert_eq!((first.passed, first.failed.len()), (13, 1));
        first.recover(&total("test module::two ... FAILED\n"));
        assert_eq!((first.passed, first.failed.len()), (13, 1));
        first.recover(&total("test module::two ... ok\n"));
        let told = "---- module::two\ntwo is wrong\npassed when run alone: module::two\n14 passed, 0 failed";
        assert_eq!(first.text(), told);
    }

    #[test]
    fn a_test_program_that_ends_before_its_tests_is_unfinished() {
        assert_eq!(total("running 2 tests\ntest one ... ok\n").unfinished, 1);
    }

    #[test]
    fn a_long_output_is_shortened() {
        let output: String = (1..=200).map(|number| format!("line {number}\n")).collect();
        let short = shortened(&output);
        assert_eq!(short.lines().count(), 101);
        assert!(short.contains("line 60\n… 100 lines are left out\nline 161\n"), "{short}");
    }
}
