//! `raw`

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::connection::Output;

/// Runs a command line as it is through the login shell, which is all that it needs on the host.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Raw {
    /// The command line to run.
    #[schemars(extend("aliases" = ["free_form"]))]
    #[serde(rename = "_raw_params")]
    raw: Option<String>,
    /// The shell that runs the command.
    #[schemars(extend("format" = "path"))]
    executable: Option<String>,
}

impl Action for Raw {
    const DOC: Doc = Doc {
        name: "raw",
        short: "Runs a command line with only a shell on the host",
        check_mode: "None: skipped, since nothing is known about the command.",
        free_form: true,
        returns: &[
            ("rc", "int", "the exit status"),
            ("stdout", "str", "the standard output"),
            ("stderr", "str", "the standard error"),
        ],
        examples: "- raw: apk add python3\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if call.check {
            return Ok(Outcome { skipped: true, ..Outcome::default() });
        }
        let Some(command) = self.raw else {
            return Err(Failure::new("no command given").with_help("`raw: COMMAND`"));
        };
        let command = match &self.executable {
            Some(executable) => format!("{executable} -c {}", shlex::try_quote(&command).unwrap_or_default()),
            None => command,
        };
        let Output { code, stdout, stderr } = call.execute(&command)?;
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
        let (stdout, stderr) = (text(&stdout), text(&stderr));
        let (stdout_lines, stderr_lines) = (stdout.lines(), stderr.lines());
        let outcome = Outcome::changed(true)
            .with("rc", code)
            .with("stdout", stdout)
            .with("stdout_lines", stdout_lines)
            .with("stderr", stderr)
            .with("stderr_lines", stderr_lines);
        match code {
            0 => Ok(outcome),
            _ => Err(Failure::new("non-zero return code").outcome(outcome)),
        }
    }
}
