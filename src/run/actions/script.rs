//! `script`

use std::path::Path;

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Map, Outcome, Value, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, copy};

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
    #[serde(default = "yes")]
    decrypt: bool,
}

fn yes() -> bool {
    true
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
        let decides = self.creates.is_some() || self.removes.is_some();
        if let Some(path) = &self.creates
            && exists(call, path)?
        {
            return Ok(Outcome::skip(format!("{path} exists, matching creates option")));
        }
        if let Some(path) = &self.removes
            && !exists(call, path)?
        {
            return Ok(Outcome::skip(format!("{path} does not exist, matching removes option")));
        }
        if let Some(folder) = self.chdir.as_deref().filter(|folder| !folder.starts_with('/')) {
            return Err(Failure::new(format!(
                "chdir {folder} must be an absolute path for a Unix-aware remote node"
            )));
        }
        let line = self.raw.or(self.cmd).unwrap_or_default();
        let line = line.trim();
        let words = shlex::split(line).unwrap_or_default();
        let Some(name) = words.first() else {
            return Err(Failure::new("no script given").help("`script: FILE`"));
        };
        let Some(source) = copy::find(call, name, "files") else {
            return Err(copy::missing(call, name, "files"));
        };
        if call.check {
            return Ok(match decides {
                true => Outcome::changed(true),
                false => Outcome::skip("Check mode is not supported for this task."),
            });
        }
        let bytes = copy::opened(call, &source, self.decrypt)?;
        let folder = temporary_folder(call)?;
        let file = Path::new(&folder).join(source.file_name().unwrap_or_default());
        let file = file.to_string_lossy().into_owned();
        // Only the script's name is replaced: its arguments keep their quotes.
        let command = line.replacen(name.as_str(), &file, 1);
        let command = match self.executable {
            Some(program) => format!("{program} {command}"),
            None => command,
        };
        let done = copied(call, &file, &bytes).and_then(|()| {
            let mut values = map! { "_raw_params" => command, "_uses_shell" => true };
            if let Some(folder) = self.chdir {
                values.insert("chdir".into(), folder.into());
            }
            module(call, "command", values)
        });
        let gone = module(call, "file", map! { "path" => folder, "state" => "absent" });
        let keep = |mut outcome: Outcome| {
            let kept = ["rc", "stdout", "stderr", "msg", "stdout_lines", "stderr_lines"];
            outcome.values.retain(|name, _| name.as_str().is_some_and(|name| kept.contains(&name)));
            outcome.changed = true;
            outcome
        };
        match done {
            Ok(outcome) => gone.map(|_| keep(outcome)),
            Err(failure) => Err(Failure { outcome: keep(failure.outcome.clone()), ..failure }),
        }
    }
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

pub fn temporary_folder(call: &mut ActionCall) -> Result<String, Failure> {
    let outcome = module(call, "tempfile", map! { "state" => "directory" })?;
    let path = outcome.values.get("path").and_then(Value::as_str);
    path.map(str::to_owned).ok_or_else(|| Failure::new("the host made no temporary folder"))
}

pub fn copied(call: &mut ActionCall, dest: &str, bytes: &[u8]) -> Result<(), Failure> {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let values = map! { "dest" => dest, "mode" => "0700", "_content_base64" => encoded };
    module(call, "copy", values).map(|_| ())
}
