//! `command` and `shell`: run a program, without or with a shell.

use std::path::Path;

use jiff::Zoned;
use playbook_api::{Context, Deserialize, Doc, Error, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::Host;
use crate::host::capture::SETTING;
use crate::host::clock;
use crate::host::path::{self, HostPath};
use crate::host::process::{Program, cannot_start};
use crate::host::words;

/// Runs a program without a shell, so that `<`, `|`, `;` and `*` in its arguments have no special meaning (in `shell`
/// they do).
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["_raw_params", "cmd", "argv"]],
    "required_one_of" = [["_raw_params", "cmd", "argv"]],
))]
pub(crate) struct Command {
    /// The command as one line, in free form.
    #[serde(rename = "_raw_params")]
    raw_params: Option<String>,
    /// Whether a shell runs the line.
    #[serde(rename = "_uses_shell", default)]
    uses_shell: bool,
    /// The command as one line.
    cmd: Option<String>,
    /// The command as a list of arguments, which may contain spaces.
    argv: Option<Vec<String>>,
    /// The directory to run the command in.
    chdir: Option<HostPath>,
    /// A path or pattern. If it exists, the command does not run.
    creates: Option<HostPath>,
    /// A path or pattern. If it does not exist, the command does not run.
    removes: Option<HostPath>,
    /// The absolute path of the shell to use.
    executable: Option<HostPath>,
    /// The standard input of the command.
    stdin: Option<String>,
    /// Whether to add a newline to the standard input.
    #[serde(default = "playbook_api::defaults::yes")]
    stdin_add_newline: bool,
    /// Whether to remove empty lines from the end of the output.
    #[serde(default = "playbook_api::defaults::yes")]
    strip_empty_ends: bool,
    /// Whether to expand `$VARIABLES` and `~` in arguments, as is done by default. Not for a shell, which does so
    /// itself.
    expand_argument_vars: Option<bool>,
}

/// The returned values, which are the same with and without a shell.
const RETURNS: &[(&str, &str, &str)] = &[
    ("cmd", "raw", "The command: a list of words, or the line that the shell read."),
    ("rc", "int", "The exit code; -N for a command ended by signal N."),
    ("stdout", "str", "What it wrote to standard output."),
    ("stdout_lines", "list", "The same, line by line."),
    ("stderr", "str", "What it wrote to standard error."),
    ("stderr_lines", "list", "The same, line by line."),
    ("start", "str", "When it began."),
    ("end", "str", "When it ended."),
    ("delta", "str", "How long it took."),
    ("msg", "str", "Why it failed or did not run."),
];

impl HostModule for Command {
    const DOC: Doc = Doc {
        name: "command",
        short: "Runs a program without a shell",
        check_mode: "Partial: skipped, unless `creates` or `removes` decides that it would run.",
        returns: RETURNS,
        examples: "- command: /usr/bin/make-database db.example.com\n  args:\n    creates: /path/to/database\n",
        free_form: true,
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.start(context)
    }
}

/// Runs a line in a shell (`/bin/sh`, or `executable`). Where no pipe, redirection or variable of the shell is
/// needed, `command` is safer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend(
    "mutually_exclusive" = [["_raw_params", "cmd", "argv"]],
    "required_one_of" = [["_raw_params", "cmd", "argv"]],
))]
pub(crate) struct Shell(Command);

impl HostModule for Shell {
    const DOC: Doc = Doc {
        name: "shell",
        short: "Runs a line in a shell",
        check_mode: Command::DOC.check_mode,
        returns: RETURNS,
        examples: "- shell: somescript.sh >> somelog.txt\n  args:\n    chdir: somedir/\n    executable: /bin/bash\n",
        free_form: true,
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.0.expand_argument_vars.is_some() {
            let message = "Unsupported parameters for (shell) module: expand_argument_vars";
            return Err(Failure::new(message).with_help("The shell itself expands variables."));
        }
        Command { uses_shell: true, ..self.0 }.start(context)
    }
}

impl Command {
    /// A line for the shell.
    pub(crate) fn line(line: String, chdir: Option<HostPath>) -> Command {
        Command {
            raw_params: Some(line),
            uses_shell: true,
            cmd: None,
            argv: None,
            chdir,
            creates: None,
            removes: None,
            executable: None,
            stdin: None,
            stdin_add_newline: true,
            strip_empty_ends: false,
            expand_argument_vars: None,
        }
    }

    fn start(self, context: &Context) -> Result<Outcome, Failure> {
        let line = self.raw_params.as_deref().or(self.cmd.as_deref()).map(str::trim_ascii_start);
        let argv = match (&self.argv, line) {
            (Some(argv), _) => argv.clone(),
            (None, Some(line)) if self.uses_shell => vec![line.to_owned()],
            (None, line) => words::split(line.unwrap_or_default())?,
        };
        let shown: Value = if self.uses_shell { argv.join(" ").into() } else { Value::from(argv.clone()) };
        if argv.iter().all(|word| word.is_empty()) {
            return Err(Failure::new("no command given").with("rc", 256).with("cmd", shown));
        }
        let mut outcome = Outcome::changed(true).with("cmd", shown.clone());
        for name in ["start", "end", "delta"] {
            outcome = outcome.with(name, Value::Null);
        }

        let directory = self.chdir.as_ref().map(|d| d.resolve(context));
        if let Some(directory) = &directory
            && let Err(e) = std::fs::read_dir(directory)
                .map(drop)
                .or_else(|e| if directory.is_dir() { Ok(()) } else { Err(e) })
        {
            let reason = format!("{}: b'{}'", crate::host::errno::describe(&e), directory.display());
            let error =
                Error::new("Unable to change directory before execution").caused_by(Error::new(reason));
            return Err(Failure::from(error)
                .outcome(Outcome { changed: false, ..outcome })
                .with("msg", "Unable to change directory before execution.")
                .with("rc", Value::Null)
                .with("stdout", "")
                .with("stderr", ""));
        }
        if let Some(reason) = self.is_done(directory.as_deref(), context) {
            return Ok(finish(
                Outcome { changed: false, ..outcome },
                0,
                format!("skipped, since {}", reason.1),
                String::new(),
            )
            .msg(format!(
                "{} not run command since {}",
                if context.check { "Would" } else { "Did" },
                reason.0
            )));
        }
        if context.check {
            let decided = self.creates.is_some() || self.removes.is_some();
            let outcome = Outcome { skipped: !decided, changed: decided, ..outcome };
            return Ok(finish(outcome, 0, String::new(), String::new())
                .msg("Command would have run if not in check mode"));
        }

        let mut warnings = Vec::new();
        if let Some(executable) = self.executable.as_ref().filter(|_| !self.uses_shell) {
            warnings.push(format!(
                "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' \
                module. Not using '{}'.",
                executable.0
            ));
        }
        let executable = self.executable.as_ref().map(|e| e.resolve(context).display().to_string());
        let program = if self.uses_shell {
            Program::new([
                executable.unwrap_or_else(|| "/bin/sh".to_owned()),
                "-c".to_owned(),
                argv.join(" "),
            ])
        } else if self.expand_argument_vars.unwrap_or(true) {
            Program::new(argv.iter().map(|word| path::expand(word, context)))
        } else {
            Program::new(argv.clone())
        };
        let input = self.stdin.map(|mut text| {
            if self.stdin_add_newline {
                text.push('\n');
            }
            text.into_bytes()
        });
        let start = clock::now();
        let output = Host::new(context)
            .try_run(&program.by_path_alone().directory(directory).stdin(input))
            .map_err(|e| {
            let line = argv.iter().map(|w| words::quote(w)).collect::<Vec<_>>().join(" ");
            let mut failure = cannot_start(&line, &e);
            let first = program_name(&argv, self.uses_shell);
            let reason = format!("{}: b'{first}'", crate::host::errno::describe(&e));
            failure.error = Error::new("Error executing command").caused_by(Error::new(reason));
            failure
        })?;
        let end = clock::now();

        if output.dropped > 0 {
            warnings.push(format!(
                "{} bytes of the command's output were left out. Set {SETTING} in the task's environment to keep more.",
                output.dropped
            ));
        }
        let (code, success) = (output.rc, output.success());
        let strip = |bytes: Vec<u8>| {
            let mut text = text(bytes);
            if self.strip_empty_ends {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
            text
        };
        let (out, err) = (strip(output.stdout), strip(output.stderr));
        let mut outcome = finish(outcome, code, out, err)
            .with("start", stamp(&start))
            .with("end", stamp(&end))
            .with("delta", duration(end.timestamp().as_microsecond() - start.timestamp().as_microsecond()))
            .msg("");
        outcome.warnings = warnings;
        if !success {
            outcome = outcome.msg("non-zero return code");
            return Err(Failure::new("non-zero return code").outcome(outcome));
        }
        Ok(outcome)
    }

    /// The reason why it does not have to run, for the message and for the output.
    fn is_done(&self, directory: Option<&Path>, context: &Context) -> Option<(String, String)> {
        let exists = |pattern: &HostPath| {
            let pattern = path::expand(&pattern.0, context);
            crate::host::glob::any(
                &directory.or(context.directory.as_deref()).unwrap_or(Path::new("")).join(pattern),
            )
        };
        if let Some(creates) = self.creates.as_ref().filter(|p| exists(p)) {
            return Some((format!("'{}' exists", creates.0), format!("{} exists", creates.0)));
        }
        let removes = self.removes.as_ref().filter(|p| !exists(p))?;
        Some((format!("'{}' does not exist", removes.0), format!("{} does not exist", removes.0)))
    }
}

fn program_name(argv: &[String], shell: bool) -> &str {
    if shell { "/bin/sh" } else { argv.first().map_or("", String::as_str) }
}

fn finish(outcome: Outcome, rc: i32, out: String, err: String) -> Outcome {
    let (out, err) = (Value::from(out), Value::from(err));
    let (out_lines, err_lines) = (out.lines(), err.lines());
    outcome
        .with("rc", rc)
        .with("stdout", out)
        .with("stdout_lines", out_lines)
        .with("stderr", err)
        .with("stderr_lines", err_lines)
}

/// Returns the output of a program as text, without a copy if it is valid UTF-8.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// A time, as Python prints it.
pub(crate) fn stamp(time: &Zoned) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// `0:00:01.002003`, as Python prints a duration.
pub(crate) fn duration(microseconds: i64) -> String {
    let (seconds, rest) = (microseconds.max(0) / 1_000_000, microseconds.max(0) % 1_000_000);
    let days = match seconds / 86_400 {
        0 => String::new(),
        1 => "1 day, ".into(),
        n => format!("{n} days, "),
    };
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:06}") };
    format!("{days}{hours}:{minutes:02}:{seconds:02}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_print_as_in_python() {
        assert_eq!(duration(1_002_003), "0:00:01.002003");
        assert_eq!(duration(90_061_000_000), "1 day, 1:01:01");
    }
}
