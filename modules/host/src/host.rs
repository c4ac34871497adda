//! The functions with which modules act on a host: [`Host`] changes files and runs programs, and the rest only reads.
//!
//! Writing is a capability: in check mode it does nothing, and every module computes its result from what it has read.
//! Lints forbid bypassing it (see clippy.toml).

pub(crate) mod accounts;
pub(crate) mod attributes;
pub(crate) mod capture;
pub(crate) mod checksum;
pub(crate) mod clock;
pub(crate) mod diff;
pub(crate) mod edit;
pub(crate) mod environment;
pub(crate) mod errno;
mod files;
pub(crate) mod flags;
pub(crate) mod glob;
pub mod guard;
pub(crate) mod http;
pub mod job;
pub(crate) mod lock;
pub(crate) mod mode;
pub(crate) mod path;
pub(crate) mod process;
pub(crate) mod read;
pub(crate) mod regex;
pub(crate) mod state;
pub(crate) mod terminal;
pub(crate) mod words;

use std::io;
use std::time::{Duration, Instant};

use playbook_api::time::deadline;
use playbook_api::{Context, Error, Failure, without_password};

pub(crate) use self::files::{Replace, Sums, times};
use self::process::{Output, Program, cannot_start};
use self::terminal::{ExpectOptions, TerminalOutput};

/// The changes that a module may make to the host.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    pub(crate) context: &'a Context,
}

impl<'a> Host<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Host { context }
    }

    pub(crate) fn check(&self) -> bool {
        self.context.check
    }

    /// Waits, unless the task is canceled.
    pub(crate) fn pause(&self, duration: Duration) -> Result<(), Failure> {
        const STEP: Duration = Duration::from_millis(100);
        let end = deadline(duration);
        loop {
            if self.context.cancel.is_set() {
                return Err(Failure::new("canceled"));
            }
            match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Ok(()),
                left => std::thread::sleep(left.min(STEP)),
            }
        }
    }

    /// Runs a program that only reads; check mode runs it too.
    pub(crate) fn query(&self, program: &Program) -> Result<Output, Failure> {
        self.try_query(program).map_err(|e| cannot_start(&program.argv().join(" "), &e))
    }

    /// Runs a program that only reads and may be missing.
    pub(crate) fn try_query(&self, program: &Program) -> io::Result<Output> {
        program.execute(self.context)
    }

    /// Runs a program that changes something; in check mode it is assumed to succeed without output.
    pub(crate) fn run(&self, program: &Program) -> Result<Output, Failure> {
        self.try_run(program).map_err(|e| cannot_start(&program.argv().join(" "), &e))
    }

    pub(crate) fn try_run(&self, program: &Program) -> io::Result<Output> {
        if self.check() { Ok(Output::default()) } else { program.execute(self.context) }
    }

    /// Runs a program that asks for input; in check mode it is assumed to succeed without output.
    pub(crate) fn talk(
        &self,
        program: &Program,
        options: &mut ExpectOptions,
    ) -> Result<TerminalOutput, Failure> {
        if self.check() {
            return Ok(TerminalOutput { rc: Some(0), ..TerminalOutput::default() });
        }
        terminal::talk(program, options, self.context)
    }

    /// Runs a program that changes something and must succeed; a failure has its output.
    pub(crate) fn run_ok(&self, program: &Program) -> Result<Output, Failure> {
        let output = self.run(program)?;
        if output.success() { Ok(output) } else { Err(ended_badly(program, &output)) }
    }
}

/// Returns the failure of a program, with its output.
pub(crate) fn ended_badly(program: &Program, output: &Output) -> Failure {
    let said = [output.err(), output.out()].into_iter().map(|t| t.trim().to_owned()).find(|t| !t.is_empty());
    let name = crate::host::process::base_name(program.argv().first().map_or("", String::as_str)).to_owned();
    let said = said.unwrap_or_else(|| format!("it ended with code {}", output.rc));
    Failure::from(Error::new(format!("{name} failed: {said}")))
        .with("rc", output.rc)
        .with("cmd", program.argv().iter().map(|word| without_password(word)).collect::<Vec<_>>().join(" "))
        .with("stdout", output.out())
        .with("stderr", output.err())
}
