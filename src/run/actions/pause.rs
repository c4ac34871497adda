//! `pause`

use std::io::{BufRead, IsTerminal, Write};
use std::time::Instant;

use playbook_api::python::repr;
use playbook_api::{Doc, Error, Failure, JsonSchema, Outcome, Value, defaults};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::call::describe;

/// Pauses for a time, or until the user presses return, for all hosts at once.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["minutes", "seconds"]]))]
pub(crate) struct Pause {
    /// The time to pause, in minutes.
    #[schemars(extend("format" = "raw"))]
    minutes: Option<serde_json::Value>,
    /// The time to pause, in seconds.
    #[schemars(extend("format" = "raw"))]
    #[serde(rename = "seconds")]
    _seconds: Option<serde_json::Value>,
    /// The text of the prompt; the answer is returned.
    prompt: Option<String>,
    /// Whether to show the answer while it is typed.
    #[serde(default = "defaults::yes")]
    echo: bool,
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
}

impl Action for Pause {
    const DOC: Doc = Doc {
        name: "pause",
        short: "Pauses for a time or until a key is pressed",
        returns: &[
            ("user_input", "str", "the answer of the user"),
            ("delta", "int", "the number of seconds of the pause"),
            ("start", "str", "the time at which the pause began"),
            ("stop", "str", "the time at which the pause ended"),
            ("stdout", "str", "a description of the pause"),
        ],
        examples: "- pause:\n    minutes: 5\n- pause:\n    prompt: Make sure that the replica caught up\n",
        ..BUILTIN
    };
    const ONCE: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let mut limit = None;
        for (name, unit) in [("minutes", 60.0), ("seconds", 1.0)] {
            if let Some(value) = call.args.get(name).filter(|value| !value.is_null()) {
                let n = number(value).ok_or_else(|| {
                    Failure::new(format!(
                        "argument '{name}' is of type {} and we were unable to convert to int: \"{}\" cannot be \
                         converted to an int",
                        value.type_name(),
                        repr(value)
                    ))
                })?;
                limit = Some(call.duration(name, n * unit)?.as_secs_f64());
            }
        }
        let name = describe::name(call.item.task, call.scope);
        let prompt =
            self.prompt.clone().unwrap_or_else(|| "Press enter to continue, Ctrl+C to interrupt".into());
        let clock = || jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
        let (start, begun) = (clock(), Instant::now());
        let mut input = String::new();
        match limit {
            Some(seconds) => {
                let text = format!("Pausing for {} seconds", seconds.max(1.0) as u64);
                (call.item.emit)(crate::report::Event::Text(text));
                call.item.play.sleep(call.duration("seconds", seconds.max(1.0))?)?;
            }
            None if std::io::stdin().is_terminal() => {
                eprint!("[{name}]\n{prompt}:\r\n");
                let _ = std::io::stderr().flush();
                input = read_line(self.echo)?;
            }
            None => {
                let warning = "Not waiting for response to prompt as stdin is not interactive";
                (call.item.emit)(crate::report::Event::Warning(warning.into()));
            }
        }
        let seconds = begun.elapsed().as_secs();
        let waited = match (&self.minutes, limit) {
            (Some(_), Some(limit)) => format!("Paused for {} minutes", round(limit / 60.0)),
            (_, Some(limit)) => format!("Paused for {} seconds", round(limit)),
            _ => format!("Paused for {:.2} minutes", begun.elapsed().as_secs_f64() / 60.0),
        };
        Ok(Outcome::default()
            .with("user_input", input)
            .with("echo", self.echo)
            .with("delta", seconds)
            .with("start", start)
            .with("stop", clock())
            .with("stdout", waited)
            .with("stderr", "")
            .with("rc", 0))
    }
}

fn round(n: f64) -> String {
    if n.fract() == 0.0 { format!("{n:.1}") } else { format!("{n:.2}") }
}

fn read_line(echo: bool) -> Result<String, Failure> {
    if !echo {
        return Ok(crate::run::prompt::hidden("")?);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Error::io(&e, "cannot read standard input"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
