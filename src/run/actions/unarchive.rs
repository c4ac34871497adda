//! `unarchive`: brings the archive to the host, where the module unpacks it.

use std::path::Path;

use playbook_api::{Doc, Error, Failure, JsonSchema, Map, Outcome, Value, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, copy, script};
use crate::run::target;

/// Unpacks an archive of the controller, or with `remote_src` one of the host, into a folder of the host.
#[derive(Deserialize, JsonSchema)]
pub struct Unarchive {
    /// The archive: in the role's or playbook's `files`, or beside it. With `remote_src` a path or address there.
    #[serde(default)]
    src: String,
    /// The folder on the host, which must be there.
    #[serde(default)]
    dest: String,
    /// The archive is on the host already.
    #[serde(default)]
    remote_src: bool,
    /// The old way to say the opposite.
    copy: Option<bool>,
    /// Where this exists on the host, nothing is unpacked.
    creates: Option<String>,
    /// Open an archive that is a vault.
    #[serde(default = "yes")]
    decrypt: bool,
}

fn yes() -> bool {
    true
}

impl Action for Unarchive {
    const DOC: Doc = Doc {
        name: "unarchive",
        short: "Unpack an archive on the host",
        check_mode: "Full: compares, and unpacks nothing.",
        returns: &[
            ("dest", "str", "the folder"),
            ("src", "str", "the archive on the host"),
            ("handler", "str", "how it was unpacked"),
            ("files", "list", "the files in it, with `list_files`"),
        ],
        examples: "- unarchive:\n    src: foo.tgz\n    dest: /var/lib/foo\n",
        ..BUILTIN
    };
    const FREE: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if self.copy.is_some() && call.args.get("remote_src").is_some() {
            return Err(Failure::new("parameters are mutually exclusive: ('copy', 'remote_src')"));
        }
        let remote = self.copy.map_or(self.remote_src, |copy| !copy);
        if self.src.is_empty() || self.dest.is_empty() {
            return Err(Failure::new("src (or content) and dest are required"));
        }
        if let Some(creates) = &self.creates
            && script::exists(call, creates)?
        {
            return Ok(Outcome::skip(format!("skipped, since {creates} exists")));
        }
        let mut values = call.args.values.clone();
        values.retain(|name, _| name.as_str().is_none_or(|name| !matches!(name, "copy" | "decrypt")));
        values.insert("remote_src".into(), remote.into());
        let source = match remote {
            true => None,
            false if self.src.contains("://") => {
                return Err(Failure::new(format!(
                    "Unsupported option, an URI src ({}) is only supported when remote_src is True",
                    self.src
                )));
            }
            false => match copy::find(call, &self.src, "files") {
                Some(source) => Some(source),
                None => return Err(copy::missing(call, &self.src, "files")),
            },
        };
        let dest = script::module(
            call,
            "stat",
            map! { "path" => self.dest.as_str(), "follow" => true, "get_checksum" => false },
        )?;
        let is_folder =
            dest.values.get("stat").and_then(|stat| stat.get("isdir")).is_some_and(Value::is_true);
        if !is_folder {
            return Err(Failure::new(format!("dest '{}' must be an existing dir", self.dest)));
        }
        match source {
            None => script::module(call, "unarchive", values),
            Some(source) => self.send(call, &source, values),
        }
    }
}

impl Unarchive {
    /// Unpacks an archive of the controller.
    fn send(&self, call: &mut ActionCall, source: &Path, mut values: Map) -> Result<Outcome, Failure> {
        if acts_here(call)? && !is_sealed(source, self.decrypt)? {
            values.insert("src".into(), source.to_string_lossy().into_owned().into());
            return script::module(call, "unarchive", values);
        }
        let bytes = copy::opened(call, source, self.decrypt)?;
        // In a folder of our own, in check mode too: the module has to look into the archive.
        let check = std::mem::replace(&mut call.check, false);
        let brought = script::temporary_folder(call).and_then(|folder| {
            let file = format!("{folder}/source");
            script::copied(call, &file, &bytes).map(|()| (folder, file))
        });
        call.check = check;
        let (folder, file) = brought?;
        values.insert("src".into(), file.into());
        let done = script::module(call, "unarchive", values);
        call.check = false;
        let gone = script::module(call, "file", map! { "path" => folder, "state" => "absent" });
        call.check = check;
        gone.and(done)
    }
}

/// Whether modules run in this very process, which can read the controller's files.
fn acts_here(call: &ActionCall) -> Result<bool, Error> {
    let target = target::of_task(call)?;
    let me = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
    let local = target.plugin.rsplit('.').next() == Some("local");
    Ok(local && (!target.r#become || me.as_deref() == Some(&target.become_user)))
}

/// Whether an archive is a vault that has to be opened first.
fn is_sealed(file: &Path, decrypt: bool) -> Result<bool, Error> {
    use std::io::Read;
    let mut start = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(64).read_to_end(&mut start))
        .map_err(|e| Error::new(format!("cannot read {}: {e}", file.display())))?;
    Ok(decrypt && crate::vault::is_envelope(&start))
}
