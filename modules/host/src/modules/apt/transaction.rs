//! Simulates and runs apt-get's transactions.

use playbook_api::{Diff, Error, Failure, Outcome};

use super::Apt;
use super::installed::Spec;
use super::policy::Policy;
use crate::host::process::{Output, Program};
use crate::host::{Host, ended_badly};

/// The result of a simulation.
pub(super) struct Plan(Output);

impl Plan {
    fn is_empty(&self) -> bool {
        !self
            .0
            .out()
            .lines()
            .any(|line| ["Inst ", "Remv ", "Purg "].iter().any(|verb| line.starts_with(verb)))
    }

    /// The version that would be installed of a package.
    pub(super) fn version_of(&self, name: &str) -> Option<String> {
        let text = self.0.out();
        let line = text.lines().find(|line| {
            let mut words = line.split(' ');
            words.next() == Some("Inst") && words.next().is_some_and(|n| n.split(':').next() == Some(name))
        })?;
        Some(line.split_once('(')?.1.split(' ').next()?.to_owned())
    }

    /// The summary that apt-get prints, from the lists of packages to the count.
    fn summary(&self) -> String {
        let text = self.0.out();
        let lines: Vec<&str> = text.lines().collect();
        let start =
            lines.iter().position(|line| *line == "Reading state information...").map_or(0, |at| at + 1);
        let is_count =
            |line: &&str| line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" upgraded, ");
        let end = lines.iter().position(is_count).map_or(lines.len(), |at| at + 1);
        lines.get(start..end).unwrap_or_default().join("\n") + "\n"
    }
}

impl Apt {
    /// Simulates a transaction.
    pub(super) fn plan(&self, host: &Host, verb: &str, arguments: &[String]) -> Result<Plan, Failure> {
        arguments.iter().try_for_each(|word| Spec::check(word))?;
        let program = self.program(verb).args(arguments.to_vec());
        // Otherwise apt-get also writes a log of how it found the answer.
        let plan = host.query(&program.clone().args(["-s", "-o", "Dir::Log::Planner=/dev/null"]))?;
        if plan.success() { Ok(Plan(plan)) } else { Err(failed(&program, &plan, verb, arguments)) }
    }

    /// Simulates a transaction, and runs it unless it changes nothing or check mode is on.
    pub(super) fn change(
        &self,
        host: &Host,
        outcome: Outcome,
        verb: &str,
        arguments: &[String],
    ) -> Result<Outcome, Failure> {
        let plan = self.plan(host, verb, arguments)?;
        self.carry_out(host, outcome, verb, arguments, plan)
    }

    pub(super) fn carry_out(
        &self,
        host: &Host,
        mut outcome: Outcome,
        verb: &str,
        arguments: &[String],
        plan: Plan,
    ) -> Result<Outcome, Failure> {
        let with = |outcome: Outcome, output: &Output| {
            outcome.with("stdout", output.out()).with("stderr", output.err())
        };
        if plan.is_empty() {
            return Ok(with(outcome, &plan.0));
        }
        outcome.changed = true;
        if host.context.diff {
            outcome.diff.push(Diff { prepared: Some(plan.summary()), ..Diff::default() });
        }
        if host.check() {
            return Ok(with(outcome, &plan.0));
        }
        let program = self.program(verb).args(arguments.to_vec());
        let policy = Policy::set(self.policy_rc_d, host)?;
        let output = host.run(&program);
        policy.restore(host)?;
        let output = output?;
        match output.success() {
            true => Ok(with(outcome, &output)),
            false => Err(failed(&program, &output, verb, arguments)),
        }
    }
}

/// The message for a failure of apt-get.
fn failed(program: &Program, output: &Output, verb: &str, arguments: &[String]) -> Failure {
    let stderr = output.err();
    let after = |start: &str| {
        let line = stderr.lines().find_map(|line| line.split(start).nth(1))?;
        Some(line.trim_matches(['\'', ' ']).split('\'').next().unwrap_or_default().to_owned())
    };
    let failure = ended_badly(program, output);
    let error = if let Some(name) = after("Unable to locate package ") {
        Error::new(format!("No package matching '{name}' is available"))
            .with_help("Fetch the package lists first, with `update_cache: true`, or correct the name.")
    } else if let Some(name) =
        after("E: Package ").filter(|_| stderr.contains("has no installation candidate"))
    {
        Error::new(format!("no available installation candidate for {name}"))
    } else if let Some(version) = after("E: Version ").filter(|_| stderr.contains("was not found")) {
        let written = arguments.iter().find(|word| word.split_once('=').is_some_and(|(_, v)| v == version));
        Error::new(format!("no available installation candidate for {}", written.unwrap_or(&version)))
    } else {
        let line = [&["apt-get".to_owned(), verb.to_owned()], arguments].concat().join(" ");
        Error::new(format!("'{line}' failed: {}", stderr.trim()))
    };
    Failure { error, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_tells_its_summary_and_versions() {
        let text = "NOTE: a simulation\nReading package lists...\nReading state information...\nThe following NEW packages will be installed:\n  jq libjq1\n0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.\nInst libjq1 (1.6-2 Debian:12 [amd64])\nInst jq [1.5] (1.6-2.1 Debian:12 [amd64])\n";
        let plan = Plan(Output { stdout: text.into(), ..Output::default() });
        assert_eq!(
            plan.summary(),
            "The following NEW packages will be installed:\n  jq libjq1\n0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.\n"
        );
        assert_eq!(plan.version_of("jq").as_deref(), Some("1.6-2.1"));
        assert!(plan.version_of("libjq").is_none() && !plan.is_empty());
    }

    #[test]
    fn failures_name_the_package_or_the_whole_command() {
        let message = |stderr: &str, arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
            let output = Output { rc: 100, stderr: stderr.into(), ..Output::default() };
            failed(&Program::new(["apt-get"]), &output, "install", &arguments).error.message().to_owned()
        };
        assert_eq!(
            message("E: Unable to locate package jqq\n", &["jqq"]),
            "No package matching 'jqq' is available"
        );
        assert_eq!(
            message("E: Package 'foo' has no installation candidate\n", &["foo"]),
            "no available installation candidate for foo"
        );
        assert_eq!(
            message("E: Version '9' for 'jq' was not found\n", &["jq=9"]),
            "no available installation candidate for jq=9"
        );
        assert_eq!(message("E: broken\n", &["jq", "vim"]), "'apt-get install jq vim' failed: E: broken");
    }
}
