//! `fetch`

use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use playbook_api::context::Source;
use playbook_api::{Arguments, Doc, Failure, JsonSchema, Outcome, Value, defaults, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::paths;
use crate::run::call::files::{Arrival, Content, Files, Sums};

/// Fetches a file from the host to the controller.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Fetch {
    /// The path of the file on the host.
    src: String,
    /// The directory on the controller, in which the file is stored as `DEST/HOST/SRC`.
    dest: String,
    /// Whether to store the file as `dest` itself, or under its own name if `dest` ends with a slash.
    #[serde(default)]
    flat: bool,
    /// Whether to fail if the file does not exist.
    #[serde(default = "defaults::yes")]
    fail_on_missing: bool,
    /// Whether to compare the checksums afterwards; incomplete files are detected in either case.
    #[serde(default = "defaults::yes", rename = "validate_checksum")]
    _validate_checksum: bool,
}

impl Action for Fetch {
    const DOC: Doc = Doc {
        name: "fetch",
        short: "Fetches a file from the host",
        check_mode: "None: skipped, as in Ansible.",
        returns: &[
            ("dest", "path", "the file on the controller"),
            ("checksum", "str", "the SHA-1 checksum of the file"),
            ("md5sum", "str", "the MD5 checksum of the file"),
            ("file", "path", "the file on the host"),
        ],
        examples: "- fetch:\n    src: /var/log/app.log\n    dest: logs\n",
        ..BUILTIN
    };
    const MISSING: Option<&'static str> = Some("src and dest are required");

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if call.check {
            return Ok(Outcome::skip("check mode not (yet) supported for this module"));
        }
        // Where it goes depends on the task alone; that a directory is in the way matters once there is a file.
        let place = self.place(call);
        let mut values = map! { "src" => self.src.as_str() };
        if let Ok(dest) = &place
            && let Ok(old) = Content::file(dest)
        {
            values.insert("_checksum".into(), old.sha1().ok().into());
        }
        let args = Arguments { values, ..call.args.clone() };
        let arrival = Arrival::at(place.as_deref().unwrap_or(Path::new("/nowhere")));
        let files = match &place {
            Ok(_) => Files::sink(arrival.clone()),
            Err(_) => Files::default(),
        };
        let fetched = match call.call_with_files("ansible.builtin.fetch", args, files) {
            Ok(outcome) => outcome,
            Err(failure) if failure.unreachable => return Err(failure),
            Err(failure) => {
                let missing = self.missing(failure);
                return place.and(missing);
            }
        };
        let dest = place?;
        let shown = dest.to_string_lossy().into_owned();
        let Some(Sums { sha1, md5 }) = arrival.sums() else {
            let outcome = Outcome::default().with("file", self.src).with("dest", shown);
            let sum = fetched.values.get("checksum").cloned().unwrap_or_default();
            return Ok(outcome.with("md5sum", md5_of(&dest)).with("checksum", sum));
        };
        let outcome = Outcome::changed(true).with("dest", shown).with("md5sum", md5);
        let outcome = outcome.with("remote_md5sum", Value::Null);
        Ok(outcome.with("checksum", sha1.clone()).with("remote_checksum", sha1))
    }
}

/// Returns the MD5 checksum of a file, if it can be read.
fn md5_of(file: &Path) -> Option<String> {
    let mut sum = Md5::new();
    let mut file = std::fs::File::open(file).ok()?;
    let mut piece = vec![0; 128 << 10];
    loop {
        match std::io::Read::read(&mut file, &mut piece).ok()? {
            0 => return Some(hex::encode(sum.finalize())),
            count => sum.update(&piece[..count]),
        }
    }
}

impl Fetch {
    fn missing(&self, failure: Failure) -> Result<Outcome, Failure> {
        let text = failure.error.to_string();
        let directory = text.to_lowercase().contains("source is a directory");
        let message = match () {
            () if directory => "remote file is a directory, fetch cannot work on directories".to_owned(),
            () if text.contains("not found") => {
                "the remote file does not exist, not transferring, ignored".to_owned()
            }
            () => text,
        };
        if self.fail_on_missing {
            return Err(Failure::new(message).with("file", self.src.clone()));
        }
        let message = if directory { message + ", not transferring, ignored" } else { message };
        Ok(Outcome::default().msg(message).with("file", self.src.clone()))
    }

    /// Returns the path of the file on the controller.
    fn place(&self, call: &ActionCall) -> Result<PathBuf, Failure> {
        let base = &call.scope.base.play.playbook_dir;
        let dest = base.join(paths::expand_home(&self.dest));
        let name = self.src.trim_start_matches('/');
        if !self.flat {
            let directory = paths::absolute(&dest.join(&**call.item.host));
            let place = paths::absolute(&directory.join(name));
            if !place.starts_with(&directory) {
                let (directory, place) = (directory.display(), place.display());
                return Err(Failure::new(format!(
                    "Detected directory traversal, expected to be contained in '{directory}' but got '{place}'"
                )));
            }
            return Ok(place);
        }
        if self.dest.ends_with('/') {
            let place = dest.join(name.rsplit('/').next().unwrap_or(name));
            if place.is_dir() {
                let message = format!(
                    "calculated dest '{}' is an existing directory, use another path that does not point \
                    to an existing directory",
                    place.display()
                );
                return Err(Failure::new(message));
            }
            return Ok(paths::absolute(&place));
        }
        if dest.is_dir() {
            return Err(Failure::new(
                "dest is an existing directory, use a trailing slash if you want to fetch src into that directory",
            ));
        }
        Ok(paths::absolute(&dest))
    }
}
