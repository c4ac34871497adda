//! `script`

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome, Value, defaults, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, copy};
use crate::run::call::files::Files;

/// Runs a script of the controller on the host.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["_raw_params", "cmd"]], "mutually_exclusive" = [["_raw_params", "cmd"]]))]
pub struct Script {
    /// The script and its arguments; free form. The script is in the role's or playbook's `files`, or beside it.
    #[serde(rename = "_raw_params")]
    raw: Option<String>,
    /// The same, by name.
    cmd: Option<String>,
    /// Where this exists on the host, the script does not run.
    creates: Option<String>,
    /// Where this does not exist on the host, the script does not run.
    removes: Option<String>,
    /// The folder of the host to run it in; from the root.
    chdir: Option<String>,
    /// The program that runs it, rather than the one it names itself.
    executable: Option<String>,
    /// Open a script that is a vault.
    #[serde(default = "defaults::yes")]
    decrypt: bool,
}

impl Action for Script {
    const DOC: Doc = Doc {
        name: "script",
        short: "Run a script of the controller on the host",
        check_mode: "Partial: skipped, unless `creates` or `removes` decides that it would run.",
        free_form: true,
        returns: &[
            ("rc", "int", "exit code"),
            ("stdout", "str", "what it printed"),
            ("stderr", "str", "what it complained of"),
        ],
        examples: "- script: prepare.sh --force\n  args:\n    creates: /var/lib/prepared\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if let Some(folder) = self.chdir.as_deref().filter(|folder| !folder.starts_with('/')) {
            return Err(Failure::new(format!(
                "chdir {folder} must be an absolute path for a Unix-aware remote node"
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

/// What follows the first word of a line, which is this once its quotes are gone.
fn words_after<'a>(line: &'a str, word: &str) -> &'a str {
    let at = |end: usize| shlex::split(&line[..end]).is_some_and(|words| words == [word]);
    let blanks = line.match_indices(char::is_whitespace).map(|(at, _)| at);
    blanks.into_iter().find(|end| at(*end)).map_or("", |end| &line[end..])
}

pub fn module(call: &mut ActionCall, name: &str, values: Map) -> Result<Outcome, Failure> {
    let args = Arguments { values, ..call.args.clone() };
    call.call_module(&format!("ansible.builtin.{name}"), args)
}

pub fn exists(call: &mut ActionCall, path: &str) -> Result<bool, Failure> {
    let outcome = module(call, "stat", map! { "path" => path, "get_checksum" => false })?;
    let stat = outcome.values.get("stat").and_then(|stat| stat.get("exists"));
    Ok(stat.is_some_and(Value::is_true))
}
