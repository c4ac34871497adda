//! The common steps of modules that change a file's text: backup, check, write, attributes, difference, message.

use std::path::{Path, PathBuf};

use playbook_api::{Deserialize, Diff, Failure, JsonSchema, Outcome};

use crate::host::attributes::FileAttributes;
use crate::host::diff::texts;
use crate::host::errno::Doing;
use crate::host::lock::Lock;
use crate::host::path::HostPath;
use crate::host::read;
use crate::host::{Host, Replace};

/// The arguments that these modules share.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Edit {
    /// The path of the file.
    #[schemars(extend("aliases" = ["dest", "destfile", "name"]))]
    path: HostPath,
    /// Whether to keep a copy of the old file, with a time stamp in its name.
    #[serde(default)]
    pub(crate) backup: bool,
    /// A command that checks the new file before it replaces the old one; `%s` is the new file.
    validate: Option<String>,
    #[serde(flatten)]
    attributes: FileAttributes,
}

/// The text of a file that is to be edited, if it exists.
pub(crate) struct Original {
    pub(crate) path: PathBuf,
    pub(crate) content: Option<Vec<u8>>,
    /// Held until the changed text has been written.
    _lock: Lock,
}

impl Original {
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Its lines, each with its line end.
    pub(crate) fn lines(text: &str) -> Vec<String> {
        text.split_inclusive('\n').map(str::to_owned).collect()
    }
}

impl Edit {
    pub(crate) fn open(&self, host: &Host) -> Result<Original, Failure> {
        let path = self.path.resolve(host.context);
        let lock = Lock::file(host, &path)?;
        if path.is_dir() {
            return Err(Failure::new(format!("Path {} is a directory !", path.display())).with("rc", 256));
        }
        let content = match read::bytes(&path) {
            Ok(content) => Some(content),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(e).doing("could not read", &path),
        };
        Ok(Original { path, content, _lock: lock })
    }

    /// Writes the changed text, if it differs. `message` describes the change.
    pub(crate) fn finish(
        &self,
        host: &Host,
        original: &Original,
        result: &[u8],
        message: &str,
        labels: (&str, &str),
    ) -> Result<Outcome, Failure> {
        let before = original.content.as_deref();
        let changed = before != Some(result) && !message.is_empty();
        let mut outcome = Outcome::changed(changed);
        let mut message = message.to_owned();
        if changed {
            if self.backup && before.is_some() {
                outcome = outcome.with("backup_file", host.backup(&original.path)?);
            }
            if host.context.diff {
                let header = format!("{}{}", original.shown(), labels.0);
                outcome.diff.push(texts(before.unwrap_or_default(), result, &header, &header));
            }
            self.write(host, original, result)?;
        }
        let applied = self.attributes.apply(host, &original.path, true)?;
        if applied.changed {
            outcome.changed = true;
            if !message.is_empty() {
                message += " and ";
            }
            message += "ownership, perms or SE linux context changed";
            if host.context.diff {
                let header = format!("{}{}", original.shown(), labels.1);
                outcome
                    .diff
                    .push(Diff::values(applied.before, applied.after).headers(header.clone(), header));
            }
        }
        Ok(outcome.msg(message))
    }

    fn write(&self, host: &Host, original: &Original, result: &[u8]) -> Result<(), Failure> {
        let path = &original.path;
        // A link is kept, and its target is replaced.
        let path = if path.is_symlink() {
            std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())
        } else {
            path.clone()
        };
        if original.content.is_none() {
            make_directories(host, path.parent().unwrap_or(Path::new("")))?;
        }
        let how = Replace {
            mode: None,
            unsafe_writes: self.attributes.unsafe_writes(host.context),
            validate: self.validate.as_deref(),
        };
        host.write(&path, result, &how)
    }
}

/// Creates a directory and its missing parents.
pub(crate) fn make_directories(host: &Host, directory: &Path) -> Result<(), Failure> {
    let missing: Vec<&Path> =
        directory.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    for directory in missing.into_iter().rev() {
        host.create_directory(directory).doing("Error creating", directory)?;
    }
    Ok(())
}
