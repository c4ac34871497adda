//! `unarchive`: copies the archive to the host, where the module unpacks it.

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Outcome, defaults};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, copy, script};
use crate::run::call::files::Files;

/// Unpacks an archive from the controller, or with `remote_src` from the host, into a directory on the host.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Unarchive {
    /// The archive: in the `files` directory of the role or playbook, or with `remote_src` a path on the host or a URL.
    #[serde(default)]
    src: String,
    /// The existing directory on the host to unpack into.
    #[serde(default)]
    dest: String,
    /// Whether the archive is on the host.
    #[serde(default)]
    remote_src: bool,
    /// Whether `src` is on the controller: the opposite of `remote_src`. Deprecated.
    copy: Option<bool>,
    /// A path on the host; nothing is unpacked if it exists.
    creates: Option<String>,
    /// Whether to decrypt an archive that is vaulted.
    #[serde(default = "defaults::yes")]
    decrypt: bool,
}

impl Action for Unarchive {
    const DOC: Doc = Doc {
        name: "unarchive",
        short: "Unpacks an archive on the host",
        check_mode: "Full: compares and unpacks nothing.",
        returns: &[
            ("dest", "str", "the directory"),
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
        let mut values = call.args.values.clone();
        values.retain(|name, _| name.as_str().is_none_or(|name| !matches!(name, "copy" | "decrypt")));
        values.insert("remote_src".into(), remote.into());
        if remote {
            return script::module(call, "unarchive", values);
        }
        if self.src.contains("://") {
            return Err(Failure::new(format!(
                "Unsupported option, an URI src ({}) is only supported when remote_src is True",
                self.src
            )));
        }
        let Some(source) = copy::find(call, &self.src, "files") else {
            // What need not be unpacked need not be there.
            return match &self.creates {
                Some(creates) if script::exists(call, creates)? => {
                    Ok(Outcome::skip(format!("skipped, since {creates} exists")))
                }
                _ => Err(copy::missing(call, &self.src, "files")),
            };
        };
        let content = copy::content(call, &source, self.decrypt)?;
        let args = Arguments { values, ..call.args.clone() };
        call.call_with_files("ansible.builtin.unarchive", args, Files::source(content))
    }
}
