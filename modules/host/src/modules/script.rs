//! `script`, the part that runs on the host: runs a script from the controller, and removes it afterwards.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::Host;
use crate::host::errno::Doing;
use crate::host::glob;
use crate::host::path::HostPath;
use crate::host::{path, words};
use crate::modules::command::Command;

/// Runs a script from the controller.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Script {
    /// The name of the script's file.
    #[serde(rename = "_name")]
    name: String,
    /// The arguments of the script, as one line.
    #[serde(rename = "_arguments", default)]
    arguments: String,
    /// A path or pattern. If it exists, the script does not run.
    creates: Option<HostPath>,
    /// A path or pattern. If it does not exist, the script does not run.
    removes: Option<HostPath>,
    /// The directory to run the script in.
    chdir: Option<HostPath>,
    /// The program that runs the script.
    executable: Option<String>,
}

impl HostModule for Script {
    const DOC: Doc = Doc {
        name: "script",
        short: "Runs a script of the caller's",
        check_mode: "Partial: skipped, unless `creates` or `removes` decides that it would run.",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let exists = |pattern: &HostPath| glob::any(&pattern.resolve(context));
        if let Some(creates) = self.creates.as_ref().filter(|p| exists(p)) {
            return Ok(Outcome::skip(format!("{} exists, matching creates option", creates.0)));
        }
        if let Some(removes) = self.removes.as_ref().filter(|p| !exists(p)) {
            return Ok(Outcome::skip(format!("{} does not exist, matching removes option", removes.0)));
        }
        if context.check {
            return Ok(match self.creates.is_some() || self.removes.is_some() {
                true => Outcome::changed(true),
                false => Outcome::skip("Check mode is not supported for this task."),
            });
        }
        let Some(source) = &context.source else {
            return Err(Failure::new("script was called without a script"));
        };
        let host = Host::new(context);
        let directory = temporary(&host)?;
        let file = directory.join(Path::new(&self.name).file_name().unwrap_or_default());
        let done = host
            .receive(&**source, &file)
            .and_then(|()| host.set_mode(&file, 0o700))
            .doing("could not bring the script", &file)
            .and_then(|()| {
                let shown = words::quote(&file.display().to_string());
                let program = self.executable.map_or_else(String::new, |program| format!("{program} "));
                let line = format!("{program}{shown}{}", self.arguments);
                Command::line(line, self.chdir).run(context)
            });
        let gone = host.remove(&directory).doing("could not remove", &directory);
        let done = done?;
        gone.map(|()| done)
    }
}

/// Creates a directory in `remote_tmp`, or else in the default directory for temporary files.
pub(crate) fn temporary(host: &Host) -> Result<PathBuf, Failure> {
    let context = host.context;
    let wanted = context.temporary.as_ref().map(|t| path::resolve(&t.to_string_lossy(), context));
    if let Some(wanted) = wanted {
        let missing: Vec<&Path> =
            wanted.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
        let made = missing.into_iter().rev().try_for_each(|directory| {
            host.create_directory(directory).and_then(|()| host.set_mode(directory, 0o700))
        });
        if made.is_ok()
            && let Ok(directory) = host.create_temporary(&wanted, "ansible-tmp-", "", true)
        {
            return Ok(directory);
        }
    }
    let directory = std::env::temp_dir();
    host.create_temporary(&directory, "ansible-tmp-", "", true)
        .doing("could not make a temporary directory in", &directory)
}
