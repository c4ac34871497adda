//! `copy`, the part that runs on the host: writes content, or copies a file or directory of the host.

mod tree;

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value, context};

use crate::host::attributes::{FileAttributes, describe_file};
use crate::host::checksum::Algorithm;
use crate::host::diff::texts;
use crate::host::errno::{Doing, describe};
use crate::host::mode::Mode;
use crate::host::path::HostPath;
use crate::host::{Host, Replace, Sums};

/// Copies a file, a directory or a given content to a place on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["src", "content"]]))]
pub(crate) struct Copy {
    /// The file or directory to copy, on the controller unless `remote_src` is set.
    src: Option<HostPath>,
    /// The content to write, instead of a source.
    #[schemars(extend("format" = "raw"))]
    content: Option<serde_json::Value>,
    /// The path to copy to. A directory gets the file under its own name.
    dest: HostPath,
    /// Whether the source is on the managed host.
    #[serde(default)]
    remote_src: bool,
    /// Whether to keep a copy of the old file, with a time stamp in its name.
    #[serde(default)]
    backup: bool,
    /// Whether to replace a file that exists already.
    #[schemars(extend("aliases" = ["thirsty"]))]
    #[serde(default = "playbook_api::defaults::yes")]
    force: bool,
    /// A command that checks the new file before it replaces the old one; `%s` is the new file.
    validate: Option<String>,
    /// The permissions of directories that are created.
    directory_mode: Option<Mode>,
    /// Whether to follow a symbolic link at the destination.
    #[serde(default)]
    follow: bool,
    /// Whether to follow symbolic links in the source.
    local_follow: Option<bool>,
    /// The expected SHA-1 checksum of the content.
    checksum: Option<String>,
    /// Whether a vault file is decrypted on the controller.
    #[serde(default = "playbook_api::defaults::yes")]
    #[expect(dead_code, reason = "the controller's part of the module reads it")]
    decrypt: bool,
    #[serde(flatten)]
    attributes: FileAttributes,
    /// The name of the source on the controller.
    #[serde(rename = "_original_basename")]
    original_basename: Option<String>,
    /// Whether to return the checksums of what is written.
    #[serde(rename = "_sums", default = "playbook_api::defaults::yes")]
    sums: bool,
}

/// What is copied.
enum Source {
    Content(Vec<u8>),
    File(PathBuf),
    /// A file on the controller, which is sent only if it is needed.
    Caller(Arc<dyn context::Source>),
}

impl Source {
    fn sum(&self, algorithm: Algorithm) -> Result<String, Failure> {
        match self {
            Source::Content(content) => Ok(algorithm.of_bytes(content)),
            Source::File(path) => algorithm.of_file(path).doing("could not read source", path),
            Source::Caller(source) if algorithm == Algorithm::Sha1 => source.sha1().map_err(unreadable),
            Source::Caller(source) => {
                source.open().and_then(|reader| algorithm.of_reader(reader)).map_err(unreadable)
            }
        }
    }

    /// Returns whether a file has the same content. The sizes are compared first.
    fn is_at(&self, place: &Path) -> Result<Option<String>, Failure> {
        let size = match self {
            Source::Content(content) => content.len() as u64,
            Source::File(path) => fs::metadata(path).doing("could not read source", path)?.len(),
            Source::Caller(source) => source.size(),
        };
        if !fs::metadata(place).is_ok_and(|found| found.is_file() && found.len() == size) {
            return Ok(None);
        }
        let Ok(there) = Algorithm::Sha1.of_file(place) else { return Ok(None) };
        Ok((self.sum(Algorithm::Sha1)? == there).then_some(there))
    }
}

/// Returns the failure of reading the controller's file.
fn unreadable(e: std::io::Error) -> Failure {
    Failure::new(format!("could not read the file on the controller: {}", describe(&e)))
}

impl HostModule for Copy {
    const DOC: Doc = Doc {
        name: "copy",
        short: "Copies files to the host",
        returns: &[
            ("dest", "str", "The file."),
            ("src", "str", "Where it came from."),
            ("checksum", "str", "SHA-1 of the content."),
            ("md5sum", "str", "MD5 of the content, where it changed."),
            ("backup_file", "str", "What the file before is called now."),
            ("mode", "str", "Its permissions; also owner, group, uid, gid, size and state."),
        ],
        examples: "- copy:\n    src: foo.conf\n    dest: /etc/foo.conf\n    owner: foo\n    mode: '0644'\n",
        ..Doc::BUILTIN
    };

    fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let source = self.source(context)?;
        if let Source::File(path) = &source {
            let found = fs::metadata(path).map_err(|e| {
                let shown = path.display();
                Failure::new(match e.kind() {
                    std::io::ErrorKind::NotFound => format!("Source {shown} not found"),
                    _ => format!("Source {shown} not readable: {}", describe(&e)),
                })
            })?;
            if self.attributes.mode.as_ref().is_some_and(Mode::is_preserve) {
                self.attributes.mode = Some(Mode::Number(i64::from(found.mode() & 0o7777)));
            }
            if found.is_dir() {
                return self.tree(&host, path);
            }
            if !found.is_file() {
                let message = format!("Cannot copy invalid source '{}': not a file", path.display());
                return Err(Failure::new(message));
            }
        } else if self.attributes.mode.as_ref().is_some_and(Mode::is_preserve) {
            self.attributes.mode = None;
        }
        self.one(&host, &source)
    }
}

impl Copy {
    fn source(&mut self, context: &Context) -> Result<Source, Failure> {
        if let Some(source) = context.source.as_ref().filter(|_| !self.remote_src) {
            return Ok(Source::Caller(source.clone()));
        }
        match (self.content.take(), &self.src) {
            (Some(serde_json::Value::String(text)), _) => Ok(Source::Content(text.into_bytes())),
            (Some(other), _) if !other.is_null() => {
                let style =
                    playbook_api::python::JsonStyle { indent: None, sort_keys: false, ensure_ascii: true };
                let text = match Value::from_json(other) {
                    value @ (Value::Map(_) | Value::List(_)) => playbook_api::python::json(&value, style),
                    value => value.to_text().into_owned(),
                };
                Ok(Source::Content(text.into_bytes()))
            }
            (_, Some(source)) => Ok(Source::File(source.resolve(context))),
            _ => Err(Failure::new("src (or content) is required")),
        }
    }

    /// Copies one file.
    fn one(&self, host: &Host, source: &Source) -> Result<Outcome, Failure> {
        let source_name = match source {
            Source::File(path) => Some(path.display().to_string()),
            Source::Content(_) | Source::Caller(_) => None,
        };
        let dest = self.place(host, source)?;
        let shown = dest.display().to_string();
        if let Some(expected) = self.checksum.as_deref() {
            let checksum = source.sum(Algorithm::Sha1)?;
            if checksum != expected {
                let message = "Copied file does not match the expected checksum. Transfer failed.";
                return Err(Failure::new(message)
                    .with("checksum", checksum)
                    .with("expected_checksum", expected));
            }
        }
        let old = fs::symlink_metadata(&dest).ok();
        if old.is_some() && !self.force {
            let outcome = Outcome::default().msg("file already exists").with("dest", shown);
            return Ok(describe_file(outcome.with("src", source_name), &dest));
        }
        let directory = dest.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if old.is_none() && !directory.is_dir() && !host.check() {
            let message = format!("Destination directory {} does not exist", directory.display());
            return Err(Failure::new(message));
        }
        let replaces_link = old.as_ref().is_some_and(|o| o.is_symlink());
        let there = if replaces_link || old.is_none() { None } else { source.is_at(&dest)? };
        let same = there.is_some();
        let mut sums = None;
        let mut outcome = Outcome::changed(!same);
        if !same {
            if host.context.diff {
                outcome.diff.push(self.difference(source, &dest)?);
            }
            if self.backup && old.is_some() {
                outcome = outcome.with("backup_file", host.backup(&dest)?);
            }
            sums = self.place_content(host, source, &dest, replaces_link)?;
        }
        let applied = self.attributes.apply(host, &dest, true)?;
        outcome.changed |= applied.changed;
        if same && applied.changed && host.context.diff {
            outcome.diff.push(playbook_api::Diff::values(applied.before, applied.after));
        }
        let (sha1, md5) = match (there, sums) {
            (_, Some(Sums { sha1, md5 })) => (Some(sha1), Some(md5)),
            (Some(sha1), None) if matches!(source, Source::Caller(_)) => (Some(sha1), None),
            (None, None) if !self.sums => (None, None),
            (there, None) => {
                let md5 = match source {
                    Source::Caller(_) => None,
                    _ => Some(source.sum(Algorithm::Md5)?),
                };
                (Some(there.map_or_else(|| source.sum(Algorithm::Sha1), Ok)?), md5)
            }
        };
        let mut outcome = outcome.with("dest", shown).with("src", source_name);
        for (name, sum) in [("checksum", sha1), ("md5sum", md5)] {
            if let Some(sum) = sum {
                outcome = outcome.with(name, sum);
            }
        }
        Ok(describe_file(outcome, &dest))
    }

    fn place_content(
        &self,
        host: &Host,
        source: &Source,
        dest: &Path,
        replaces_link: bool,
    ) -> Result<Option<Sums>, Failure> {
        let how = Replace {
            mode: self.attributes.mode.as_ref().and_then(Mode::absolute),
            unsafe_writes: self.attributes.unsafe_writes(host.context),
            validate: self.validate.as_deref(),
        };
        if replaces_link {
            host.remove(dest).doing("could not replace the link", dest)?;
        }
        match source {
            Source::Content(content) => host.write(dest, content, &how).map(|()| None),
            Source::File(path) => host.copy(path, dest, &how).map(|()| None),
            Source::Caller(source) => host.write_from(dest, &**source, &how, self.sums),
        }
    }

    /// Returns the destination: inside a directory under its own name, at a link, or at the link's target.
    fn place(&self, host: &Host, source: &Source) -> Result<PathBuf, Failure> {
        let mut dest = self.dest.resolve(host.context);
        let name = match (&self.original_basename, source) {
            (Some(name), _) => Some(PathBuf::from(name)),
            (None, Source::File(path)) => path.file_name().map(PathBuf::from),
            (None, Source::Content(_) | Source::Caller(_)) => None,
        };
        let is_directory = dest.is_dir();
        if self.dest.ends_with_slash() || is_directory {
            let Some(name) = name else { return Err(Failure::new("can not use content with a dir as dest")) };
            dest.push(name);
            // The name may have directories in it, where a whole one is copied.
            if let Some(directory) = dest.parent().filter(|directory| !directory.is_dir()) {
                self.create_directories(host, directory)?;
            }
        }
        if self.follow && dest.is_symlink() {
            dest = fs::canonicalize(&dest)
                .or_else(|_| fs::read_link(&dest).map(|t| dest.with_file_name(t)))
                .doing("could not follow the link", &dest)?;
        }
        Ok(dest)
    }

    /// Makes the missing directories of a path, with `directory_mode`.
    fn create_directories(&self, host: &Host, directory: &Path) -> Result<(), Failure> {
        let missing: Vec<&Path> =
            directory.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
        for directory in missing.into_iter().rev() {
            host.create_directory(directory).doing("could not make the directory", directory)?;
            let attributes = FileAttributes { mode: self.directory_mode.clone(), ..self.attributes.clone() };
            attributes.apply(host, directory, true)?;
        }
        Ok(())
    }

    fn difference(&self, source: &Source, dest: &Path) -> Result<playbook_api::Diff, Failure> {
        let before = fs::read(dest).ok();
        let (after, from) = match source {
            Source::Content(content) => (content.clone(), dest.display().to_string()),
            Source::Caller(source) => {
                let mut content = Vec::new();
                source.open().and_then(|mut reader| reader.read_to_end(&mut content)).map_err(unreadable)?;
                (content, dest.display().to_string())
            }
            Source::File(path) => {
                (fs::read(path).doing("could not read source", path)?, path.display().to_string())
            }
        };
        let before_header = before.as_ref().map_or_else(String::new, |_| dest.display().to_string());
        Ok(texts(&before.unwrap_or_default(), &after, &before_header, &from))
    }
}
