//! `fetch`

use std::path::{Path, PathBuf};

use base64::Engine;
use md5::Md5;
use playbook_api::{Arguments, Doc, Error, Failure, JsonSchema, Outcome, Value, map};
use serde::Deserialize;
use sha1::{Digest, Sha1};

use super::{Action, ActionCall, BUILTIN};
use crate::document;

/// Gets a file of the host to the controller.
#[derive(Deserialize, JsonSchema)]
pub struct Fetch {
    /// The file on the host.
    src: String,
    /// The folder on the controller; the file goes to `DEST/HOST/SRC` in it.
    dest: String,
    /// Save it as `dest` itself, or under its own name where `dest` ends with a slash.
    #[serde(default)]
    flat: bool,
    /// Fail where the file is not there.
    #[serde(default = "yes")]
    fail_on_missing: bool,
    /// Compare the checksums afterwards; what arrives is the whole file either way.
    #[serde(default = "yes", rename = "validate_checksum")]
    _validate_checksum: bool,
}

fn yes() -> bool {
    true
}

impl Action for Fetch {
    const DOC: Doc = Doc {
        name: "fetch",
        short: "Get a file of the host to the controller",
        check_mode: "None: skipped, as with Ansible.",
        returns: &[
            ("dest", "path", "the file on the controller"),
            ("checksum", "str", "SHA-1 of its content"),
            ("md5sum", "str", "MD5 of its content"),
            ("file", "path", "the file on the host"),
        ],
        examples: "- fetch:\n    src: /var/log/app.log\n    dest: logs\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if call.check {
            return Ok(Outcome::skip("check mode not (yet) supported for this module"));
        }
        let args = Arguments { values: map! { "src" => self.src.clone() }, ..call.args.clone() };
        let slurped = match call.call_module("ansible.builtin.slurp", args) {
            Ok(outcome) => outcome,
            Err(failure) if failure.unreachable => return Err(failure),
            Err(failure) => return self.missing(failure),
        };
        let encoded = slurped.values.get("content").and_then(Value::as_str).unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .map_err(|e| Failure::new(format!("the host sent no readable content: {e}")))?;
        let dest = self.place(call)?;
        let (sha1, md5) = (hex::encode(Sha1::digest(&bytes)), hex::encode(Md5::digest(&bytes)));
        let shown = dest.to_string_lossy().into_owned();
        if std::fs::read(&dest).is_ok_and(|old| old == bytes) {
            let outcome = Outcome::default().with("file", self.src).with("dest", shown);
            return Ok(outcome.with("md5sum", md5).with("checksum", sha1));
        }
        let cannot = |e| Error::new(format!("cannot write {}: {e}", dest.display()));
        std::fs::create_dir_all(dest.parent().unwrap_or(Path::new("/"))).map_err(cannot)?;
        std::fs::write(&dest, &bytes).map_err(cannot)?;
        let outcome = Outcome::changed(true).with("dest", shown).with("md5sum", md5);
        let outcome = outcome.with("remote_md5sum", Value::Null);
        Ok(outcome.with("checksum", sha1.clone()).with("remote_checksum", sha1))
    }
}

impl Fetch {
    fn missing(&self, failure: Failure) -> Result<Outcome, Failure> {
        let text = failure.error.to_string();
        let folder = text.to_lowercase().contains("source is a directory");
        let message = match () {
            () if folder => "remote file is a directory, fetch cannot work on directories".to_owned(),
            () if text.contains("not found") => {
                "the remote file does not exist, not transferring, ignored".to_owned()
            }
            () => text,
        };
        if self.fail_on_missing {
            return Err(Failure::new(message).with("file", self.src.clone()));
        }
        let message = if folder { message + ", not transferring, ignored" } else { message };
        Ok(Outcome::default().msg(message).with("file", self.src.clone()))
    }

    /// Where the file goes on the controller.
    fn place(&self, call: &ActionCall) -> Result<PathBuf, Failure> {
        let base = &call.scope.base.play.playbook_dir;
        let dest = base.join(crate::settings::expand_home(Path::new(&self.dest)));
        let name = self.src.trim_start_matches('/');
        if !self.flat {
            let folder = document::absolute(&dest.join(&**call.item.host));
            let place = document::absolute(&folder.join(name));
            if !place.starts_with(&folder) {
                let (folder, place) = (folder.display(), place.display());
                return Err(Failure::new(format!(
                    "Detected directory traversal, expected to be contained in '{folder}' but got '{place}'"
                )));
            }
            return Ok(place);
        }
        if self.dest.ends_with('/') {
            let place = dest.join(name.rsplit('/').next().unwrap_or(name));
            if place.is_dir() {
                let message = format!(
                    "calculated dest '{}' is an existing directory, use another path that does not point to an existing directory",
                    place.display()
                );
                return Err(Failure::new(message));
            }
            return Ok(document::absolute(&place));
        }
        if dest.is_dir() {
            return Err(Failure::new(
                "dest is an existing directory, use a trailing slash if you want to fetch src into that directory",
            ));
        }
        Ok(document::absolute(&dest))
    }
}
