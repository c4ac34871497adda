//! `raw`

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Outcome, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};

/// Runs a command line as it is, through the login shell, with nothing needed on the host.
#[derive(Deserialize, JsonSchema)]
pub struct Raw {
    /// The command line.
    #[schemars(extend("aliases" = ["free_form"]))]
    #[serde(rename = "_raw_params")]
    raw: Option<String>,
    /// The shell that runs it.
    #[schemars(extend("format" = "path"))]
    executable: Option<String>,
}

impl Action for Raw {
    const DOC: Doc = Doc {
        name: "raw",
        short: "Run a command line with nothing needed on the host",
        check_mode: "None: skipped, since nothing is known of the command.",
        free_form: true,
        returns: &[
            ("rc", "int", "exit code"),
            ("stdout", "str", "what it printed"),
            ("stderr", "str", "what it complained of"),
        ],
        examples: "- raw: apk add python3\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if call.check {
            return Ok(Outcome::skip("raw does not support check mode"));
        }
        let Some(command) = self.raw else {
            return Err(Failure::new("no command given").help("`raw: COMMAND`"));
        };
        let mut values = map! { "_raw_params" => command, "_uses_shell" => true };
        if let Some(executable) = self.executable {
            values.insert("executable".into(), executable.into());
        }
        let args = Arguments { values, ..call.args.clone() };
        let keep = |mut outcome: Outcome| {
            outcome.values.retain(|name, _| {
                matches!(
                    name.as_str(),
                    Some("rc" | "stdout" | "stderr" | "msg" | "stdout_lines" | "stderr_lines")
                )
            });
            outcome.changed = true;
            outcome
        };
        match call.call_module("ansible.builtin.command", args) {
            Ok(outcome) => Ok(keep(outcome)),
            Err(failure) => Err(Failure { outcome: keep(failure.outcome.clone()), ..failure }),
        }
    }
}
