//! `assemble`: concatenates fragments on the controller; the module does so for fragments on the host.

use std::path::Path;

use playbook_api::{Doc, Error, Failure, JsonSchema, Outcome, defaults, map};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN, copy, script};
use crate::run::call::files::Content;
use crate::template::regex;

/// Assembles the files of a directory, ordered by name, into one file on the host.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Assemble {
    /// The directory of fragments: on the host, or with `remote_src: false` on the controller.
    #[serde(default)]
    src: String,
    /// The path of the assembled file on the host.
    #[serde(default)]
    dest: String,
    /// Whether the directory is on the host rather than on the controller.
    #[serde(default = "defaults::yes")]
    remote_src: bool,
    /// The text to insert between two fragments.
    delimiter: Option<String>,
    /// A regular expression; only fragments whose name matches it are used.
    regexp: Option<String>,
    /// Whether to leave out fragments whose name begins with a dot.
    #[serde(default)]
    ignore_hidden: bool,
    /// Whether to decrypt fragments that are vaulted.
    #[serde(default = "defaults::yes")]
    decrypt: bool,
}

impl Action for Assemble {
    const DOC: Doc = Doc {
        name: "assemble",
        short: "Assembles a file from fragments",
        check_mode: "Full: compares the files and writes nothing.",
        returns: copy::RETURNS,
        examples: "- assemble:\n    src: /etc/someapp/fragments\n    dest: /etc/someapp/someapp.conf\n",
        ..BUILTIN
    };
    const FREE: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        if self.src.is_empty() || self.dest.is_empty() {
            return Err(Failure::new("src and dest are required"));
        }
        let mut values = call.args.values.clone();
        if self.remote_src {
            values.shift_remove("decrypt");
            return script::module(call, "assemble", values);
        }
        let Some(directory) = copy::find(call, &self.src, "files") else {
            return Err(copy::missing(call, &self.src, "files"));
        };
        if !directory.is_dir() {
            return Err(Failure::new(format!("Source ({}) is not a directory", directory.display())));
        }
        let bytes = self.assembled(call, &directory)?;
        for own in ["src", "remote_src", "regexp", "delimiter", "ignore_hidden", "decrypt"] {
            values.shift_remove(own);
        }
        values.extend(map! { "_original_basename" => "src" });
        copy::bring(call, values, Content::Bytes(bytes))
    }
}

impl Assemble {
    fn assembled(&self, call: &ActionCall, directory: &Path) -> Result<Vec<u8>, Failure> {
        let cannot =
            |path: &Path, e: &std::io::Error| Error::new(format!("cannot read {}: {e}", path.display()));
        let regexp = self
            .regexp
            .as_deref()
            .map(|pattern| regex::compile(pattern, regex::Flags::default()))
            .transpose()?;
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .map_err(|e| cannot(directory, &e))?
            .flatten()
            .map(|e| e.file_name())
            .collect();
        names.sort_unstable();
        let mut delimiter =
            self.delimiter.as_deref().map(|text| text.replace("\\n", "\n").replace("\\t", "\t"));
        if let Some(delimiter) = delimiter.as_mut().filter(|text| !text.ends_with('\n')) {
            delimiter.push('\n');
        }
        let mut content: Vec<u8> = Vec::new();
        let mut first = true;
        for name in names {
            let (path, shown) = (directory.join(&name), name.to_string_lossy());
            let fits = match &regexp {
                Some(regexp) => regexp.search(&shown, 0)?.is_some(),
                None => true,
            };
            if !fits || !path.is_file() || self.ignore_hidden && shown.starts_with('.') {
                continue;
            }
            let piece = copy::opened(call, &path, self.decrypt)?;
            if !first && content.last().is_some_and(|byte| *byte != b'\n') {
                content.push(b'\n');
            }
            if let (false, Some(delimiter)) = (first, &delimiter) {
                content.extend_from_slice(delimiter.as_bytes());
            }
            content.extend(piece);
            first = false;
        }
        Ok(content)
    }
}
