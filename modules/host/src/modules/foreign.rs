//! Runs a module that is not part of this program: a script or a program that its arguments carry.
//!
//! The engine builds the arguments and reads the module's output. This module only runs it on the host of the task, so
//! that connections need no support for modules in other languages.
#![expect(
    clippy::disallowed_methods,
    reason = "such a module is run in check mode too, where it is told to change nothing; for that it needs its files"
)]

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playbook_api::reply::{self, Printed};
use playbook_api::sync::lock;
use playbook_api::{Context, Doc, Error, Failure, HostModule, JsonSchema, Outcome};
use serde::Deserialize;

use crate::host::Host;
use crate::host::errno::{Doing, describe};
use crate::host::process::Program;

/// Runs a program that came with the task.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Foreign {
    /// Files by name, as base64, put into a directory of their own that is removed afterwards. Each is executable
    /// for its owner, and private.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// The program and its arguments; `{directory}` stands for the directory of the files.
    argv: Vec<String>,
    /// The standard input of the program, as base64.
    stdin: Option<String>,
    /// The standard input without a piece that differs for each call. The rest is kept for the next call.
    gap: Option<Gap>,
    /// The interpreter, if the program is a module whose output is its result; empty if it has none.
    interpreter: Option<String>,
    /// Whether it runs as a job, whose result tells what it wrote to standard error.
    #[serde(default)]
    job: bool,
    /// Whether to leave the files where they are.
    #[serde(default)]
    keep_files: bool,
}

/// The input of a program, without a piece in its middle.
#[derive(Debug, Deserialize, JsonSchema)]
struct Gap {
    /// The SHA-1 checksum of what is around the gap.
    sum: String,
    /// The position of the gap, in bytes.
    at: usize,
    /// The text that goes into the gap.
    filling: String,
}

impl Gap {
    fn fill(&self, context: &Context) -> Result<Vec<u8>, Failure> {
        static KEPT: Mutex<Vec<(String, Arc<[u8]>)>> = Mutex::new(Vec::new());
        let find = || {
            let kept = lock(&KEPT);
            kept.iter().find(|(sum, _)| *sum == self.sum).map(|(_, around)| around.clone())
        };
        let around = match find() {
            Some(around) => around,
            None => {
                let source =
                    context.source.as_ref().ok_or_else(|| Failure::new("the module did not come along"))?;
                let mut bytes = Vec::new();
                source
                    .open()
                    .and_then(|mut reader| reader.read_to_end(&mut bytes))
                    .map_err(|e| Failure::new(format!("could not receive the module: {}", describe(&e))))?;
                let around: Arc<[u8]> = bytes.into();
                let mut kept = lock(&KEPT);
                // Only the newest ones are kept, since a play often uses the same modules again.
                kept.insert(0, (self.sum.clone(), around.clone()));
                kept.truncate(KEEP);
                around
            }
        };
        let (before, after) =
            around.split_at_checked(self.at).ok_or_else(|| Failure::new("the module has no such gap"))?;
        Ok([before, self.filling.as_bytes(), after].concat())
    }
}

/// The maximum size of a module's output, in bytes, which is read as a whole.
const LARGEST: usize = 512 * 1024 * 1024;

/// The number of programs that are kept.
const KEEP: usize = 16;

impl HostModule for Foreign {
    const DOC: Doc = Doc {
        name: "_foreign",
        collection: "playbook.internal",
        short: "Runs a module in another language",
        check_mode: "Full: the module is run, and told to change nothing.",
        returns: &[
            ("rc", "int", "How it ended."),
            ("stdout", "str", "What it printed."),
            ("stderr", "str", "What it wrote to standard error."),
        ],
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let directory = if self.files.is_empty() { None } else { Some(directory(context)?) };
        for (name, content) in &self.files {
            let Some(directory) = &directory else { break };
            let path = directory.path().join(name);
            std::fs::write(&path, decode(content)?).doing("could not write", &path)?;
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).doing("chmod failed", &path)?;
        }
        let at = directory.as_ref().map(|f| f.path().to_string_lossy().into_owned()).unwrap_or_default();
        let argv: Vec<String> = self.argv.iter().map(|word| word.replace("{directory}", &at)).collect();
        let stdin = match &self.gap {
            Some(gap) => Some(gap.fill(context)?),
            None => self.stdin.as_deref().map(decode).transpose()?,
        };
        let program = Program::new(argv.clone()).by_path_alone().stdin(stdin).limit(LARGEST);
        let done = Host::new(context).try_query(&program);
        if let Some(directory) = directory.filter(|_| self.keep_files) {
            let _kept = directory.keep();
        }
        let (rc, stdout, stderr) = match done {
            Ok(output) => (output.rc, output.stdout, output.stderr),
            // As a shell would put it: the reader of the reply recognizes a missing interpreter by it.
            Err(e) if e.raw_os_error() == Some(libc::ENOENT) => {
                let name = argv.first().map_or("", String::as_str);
                (127, Vec::new(), format!("/bin/sh: 1: {name}: not found\n").into_bytes())
            }
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOEXEC | libc::EACCES)) => {
                let name = argv.first().map_or("", String::as_str);
                (126, Vec::new(), format!("/bin/sh: 1: {name}: {}\n", describe(&e)).into_bytes())
            }
            Err(e) => return Err(Failure::new(format!("cannot run the module: {}", describe(&e)))),
        };
        let (stdout, stderr) = (text(&stdout), text(&stderr));
        if let Some(interpreter) = &self.interpreter {
            let interpreter = Some(interpreter.as_str()).filter(|name| !name.is_empty());
            let printed = Printed { rc: rc.into(), stdout: &stdout, stderr: &stderr, interpreter };
            let done = reply::read(&printed);
            return match done {
                Ok(outcome) if self.job && !stderr.is_empty() => Ok(outcome.with("stderr", stderr)),
                done => done,
            };
        }
        Ok(Outcome::default().with("rc", rc).with("stdout", stdout).with("stderr", stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|e| Error::new(format!("the module's files cannot be decoded: {e}")))
}

/// Creates a directory in `remote_tmp`, or in the default directory for temporary files.
fn directory(context: &Context) -> Result<tempfile::TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("ansible-tmp-").permissions(Permissions::from_mode(0o700));
    let wanted =
        context.temporary.as_deref().map(|path| crate::host::path::expand(&path.to_string_lossy(), context));
    if let Some(path) = wanted.map(PathBuf::from)
        && make(&path).is_ok()
        && let Ok(directory) = builder.tempdir_in(&path)
    {
        return Ok(directory);
    }
    builder.tempdir().map_err(|e| {
        Failure::new(format!("cannot make a directory for the module's files: {}", describe(&e)))
    })
}

fn make(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(files: &[(&str, &str)], argv: &[&str], stdin: Option<&str>) -> Outcome {
        let module = Foreign {
            files: files.iter().map(|(n, t)| ((*n).to_owned(), STANDARD.encode(t))).collect(),
            argv: argv.iter().map(|w| (*w).to_owned()).collect(),
            stdin: stdin.map(|t| STANDARD.encode(t)),
            interpreter: None,
            job: false,
            keep_files: false,
            gap: None,
        };
        let temporary = tempfile::tempdir().unwrap();
        let context =
            Context { temporary: Some(temporary.path().join("deep/er")), check: true, ..Context::default() };
        let outcome = module.run(&context).unwrap();
        let left = std::fs::read_dir(temporary.path().join("deep/er")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "the directory is removed");
        outcome
    }

    #[test]
    fn files_travel_with_the_arguments_and_are_gone_afterwards() {
        let files = [("module", "#!/bin/sh\ncat \"$1\"; cat; exit 3\n"), ("args", "a=1\n")];
        let outcome = run(&files, &["{directory}/module", "{directory}/args"], Some("more"));
        assert_eq!(outcome.values.get("stdout"), Some(&"a=1\nmore".into()));
        assert_eq!(outcome.values.get("rc"), Some(&3.into()));
    }

    #[test]
    fn an_interpreter_that_is_not_there_is_said_as_a_shell_says_it() {
        let outcome = run(&[], &["/no/such/python"], None);
        assert_eq!(outcome.values.get("stderr"), Some(&"/bin/sh: 1: /no/such/python: not found\n".into()));
    }
}
