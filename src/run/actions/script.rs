//! `script`

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome, Value, defaults, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, copy};
use crate::run::call::files::Files;

/// Runs a script from the controller on the host.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["_raw_params", "cmd"]], "mutually_exclusive" = [["_raw_params", "cmd"]]))]
pub(crate) struct Script {
    /// The script and its arguments. The script is in the `files` directory of the role or playbook, or next to the playbook.
    #[serde(rename = "_raw_params")]
    raw: Option<String>,
    /// The script and its arguments, as a named option.
    cmd: Option<String>,
    /// A path on the host; the script is not run if it exists.
    creates: Option<String>,
    /// A path on the host; the script is not run unless it exists.
    removes: Option<String>,
    /// The absolute path of the directory on the host in which to run the script.
    chdir: Option<String>,
    /// The program to run the script with instead of the one in its first line.
    executable: Option<String>,
    /// Whether to decrypt a script that is vaulted.
    #[serde(default = "defaults::yes")]
    decrypt: bool,
}

impl Action for Script {
    const DOC: Doc = Doc {
        name: "script",
        short: "Runs a script from the controller on the host",
        check_mode: "Partial: skipped, unless `creates` or `removes` decides that it would run.",
        free_form: true,
        returns: &[
            ("rc", "int", "the exit status"),
            ("stdout", "str", "the standard output"),
            ("stderr", "str", "the standard error"),
        ],
        examples: "- script: prepare.sh --force\n  args:\n    creates: /var/lib/prepared\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if let Some(directory) = self.chdir.as_deref().filter(|directory| !directory.starts_with('/')) {
            return Err(Failure::new(format!(
                "chdir {directory} must be an absolute path for a Unix-aware remote node"
            )));
        }
        let line = self.raw.or(self.cmd).unwrap_or_default();
        let line = line.trim();
        let words = shlex::split(line).unwrap_or_default();
        let Some(name) = words.first() else {
            return Err(Failure::new("no script given").with_help("`script: FILE`"));
        };
        let Some(source) = copy::find(call, name, "files") else {
            return Err(copy::missing(call, name, "files"));
        };
        let content = copy::content(call, &source, self.decrypt)?;
        // Only the script's name is replaced: its arguments keep their quotes.
        let arguments = words_after(line, name);
        let mut values = map! {
            "_name" => source.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            "_arguments" => arguments,
        };
        for (name, value) in [
            ("creates", self.creates),
            ("removes", self.removes),
            ("chdir", self.chdir),
            ("executable", self.executable),
        ] {
            if let Some(value) = value {
                values.insert(name.into(), value.into());
            }
        }
        let keep = |mut outcome: Outcome| {
            let kept = ["rc", "stdout", "stderr", "msg", "stdout_lines", "stderr_lines"];
            outcome.values.retain(|name, _| name.as_str().is_some_and(|name| kept.contains(&name)));
            outcome.changed = true;
            outcome
        };
        let args = Arguments { values, ..call.args.clone() };
        match call.call_with_files("ansible.builtin.script", args, Files::source(content)) {
            Ok(outcome) if outcome.skipped => Ok(outcome),
            Ok(outcome) => Ok(keep(outcome)),
            Err(failure) if failure.unreachable || !failure.outcome.values.contains_key("rc") => Err(failure),
            Err(failure) => Err(Failure { outcome: keep(failure.outcome.clone()), ..failure }),
        }
    }
}

/// Returns what follows the first word of a line; `first` is that word without its quotes.
fn words_after<'a>(line: &'a str, word: &str) -> &'a str {
    let at = |end: usize| shlex::split(&line[..end]).is_some_and(|words| words == [word]);
    let blanks = line.match_indices(char::is_whitespace).map(|(at, _)| at);
    blanks.into_iter().find(|end| at(*end)).map_or("", |end| &line[end..])
}

pub(crate) fn module(call: &mut ActionCall, name: &str, values: Map) -> Result<Outcome, Failure> {
    let args = Arguments { values, ..call.args.clone() };
    call.call_module(&format!("ansible.builtin.{name}"), args)
}

pub(crate) fn exists(call: &mut ActionCall, path: &str) -> Result<bool, Failure> {
    let outcome = module(call, "stat", map! { "path" => path, "get_checksum" => false })?;
    let stat = outcome.values.get("stat").and_then(|stat| stat.get("exists"));
    Ok(stat.is_some_and(Value::is_true))
}
