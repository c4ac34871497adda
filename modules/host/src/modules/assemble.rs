//! `assemble`: creates one file from the pieces in a directory.

use std::path::Path;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::attributes::{FileAttributes, describe_file};
use crate::host::checksum::Algorithm;
use crate::host::diff::texts;
use crate::host::errno::Doing;
use crate::host::mode::Mode;
use crate::host::path::HostPath;
use crate::host::regex;
use crate::host::{Host, Replace};

/// Puts the files of a directory together, in the order of their names, into one file.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Assemble {
    /// The directory with the pieces.
    src: HostPath,
    /// The file to create from them.
    dest: HostPath,
    /// Whether to keep a copy of the old file, with a time stamp in its name.
    #[serde(default)]
    backup: bool,
    /// The text between two pieces.
    delimiter: Option<String>,
    /// Whether the directory is on the managed host rather than on the controller.
    #[serde(default = "playbook_api::defaults::yes")]
    #[expect(dead_code, reason = "the controller's part of the module reads it")]
    remote_src: bool,
    /// A regular expression that the names of pieces must match.
    regexp: Option<String>,
    /// Whether to leave out names that begin with a dot.
    #[serde(default)]
    ignore_hidden: bool,
    /// A command that checks the new file before it replaces the old one; `%s` is the new file.
    validate: Option<String>,
    /// Whether vault files are decrypted on the controller.
    #[serde(default = "playbook_api::defaults::yes")]
    #[expect(dead_code, reason = "the controller's part of the module reads it")]
    decrypt: bool,
    #[serde(flatten)]
    attributes: FileAttributes,
}

impl HostModule for Assemble {
    const DOC: Doc = Doc {
        name: "assemble",
        short: "Assembles a file from the pieces in a directory",
        returns: &[
            ("dest", "str", "The file."),
            ("src", "str", "The directory."),
            ("checksum", "str", "SHA-1 of the content."),
            ("backup_file", "str", "What the file before is called now."),
        ],
        examples: "- assemble:\n    src: /etc/someapp/fragments\n    dest: /etc/someapp/someapp.conf\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let (src, dest) = (self.src.resolve(context), self.dest.resolve(context));
        if !src.exists() {
            return Err(Failure::new(format!("Source ({}) does not exist", src.display())));
        }
        if !src.is_dir() {
            return Err(Failure::new(format!("Source ({}) is not a directory", src.display())));
        }
        let content = self.assembled(&src)?;
        let before = std::fs::read(&dest).ok();
        let mut outcome = Outcome::changed(before.as_deref() != Some(&content));
        if outcome.changed {
            if context.diff {
                let header = dest.display().to_string();
                outcome.diff.push(texts(before.as_deref().unwrap_or_default(), &content, &header, &header));
            }
            if self.backup && before.is_some() {
                outcome = outcome.with("backup_file", host.backup(&dest)?);
            }
            let how = Replace {
                mode: self.attributes.mode.as_ref().and_then(Mode::absolute),
                unsafe_writes: self.attributes.unsafe_writes(context),
                validate: self.validate.as_deref(),
            };
            host.write(&dest, &content, &how)?;
        }
        outcome.changed |= self.attributes.apply(&host, &dest, true)?.changed;
        let outcome = outcome
            .with("src", src.display().to_string())
            .with("dest", dest.display().to_string())
            .with("checksum", Algorithm::Sha1.of_bytes(&content))
            .with("md5sum", Algorithm::Md5.of_bytes(&content))
            .msg("OK");
        Ok(describe_file(outcome, &dest))
    }
}

impl Assemble {
    fn assembled(&self, directory: &Path) -> Result<Vec<u8>, Failure> {
        let regexp = self.regexp.as_deref().map(|r| regex::compile(r, "")).transpose();
        let regexp = regexp.map_err(|e| {
            Failure::new(format!(
                "Invalid Regexp ({e}) in \"{}\"",
                self.regexp.as_deref().unwrap_or_default()
            ))
        })?;
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .doing("could not read the directory", directory)?
            .flatten()
            .map(|e| e.file_name())
            .collect();
        names.sort_unstable();
        let delimiter = self.delimiter.as_deref().map(unescape);
        let mut content: Vec<u8> = Vec::new();
        let mut first = true;
        for name in names {
            let (path, shown) = (directory.join(&name), name.to_string_lossy());
            let fits = regexp.as_ref().is_none_or(|r| r.is_match(&*shown).unwrap_or(false));
            if !fits || !path.is_file() || self.ignore_hidden && shown.starts_with('.') {
                continue;
            }
            let piece = std::fs::read(&path).doing("could not read", &path)?;
            if !first && content.last().is_some_and(|b| *b != b'\n') {
                content.push(b'\n');
            }
            if let (false, Some(delimiter)) = (first, &delimiter) {
                content.extend_from_slice(delimiter.as_bytes());
                if !delimiter.ends_with('\n') {
                    content.push(b'\n');
                }
            }
            content.extend(piece);
            first = false;
        }
        Ok(content)
    }
}

/// Expands escapes such as `\n`.
fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
}
