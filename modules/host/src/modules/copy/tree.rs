//! Copying a whole directory that is already on the host.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use playbook_api::{Failure, Outcome, Value};

use super::Copy;
use crate::host::attributes::{FileAttributes, describe_file};
use crate::host::checksum::Algorithm;
use crate::host::errno::Doing;
use crate::host::mode::Mode;
use crate::host::{Host, Replace};

impl Copy {
    /// A source that ends with `/` gives its content, another one itself.
    pub(super) fn tree(&self, host: &Host, source: &Path) -> Result<Outcome, Failure> {
        let mut dest = self.dest.resolve(host.context);
        let shown = self.src.as_ref().map_or_else(String::new, |s| s.0.clone());
        if dest.exists() && !dest.is_dir() {
            let message = format!(
                "cannot copy the directory '{shown}' over '{}': it is not a directory",
                dest.display()
            );
            return Err(Failure::new(message));
        }
        let content_only = shown.ends_with('/');
        if !content_only && let Some(name) = source.file_name() {
            dest.push(name);
        }
        let mut changed = false;
        if !dest.exists() {
            self.create_directories(host, &dest)?;
            changed = true;
        }
        changed |= self.inside(host, source, &dest)?;
        // The mode is the top directory's; the owner is everything's.
        changed |= self.attributes.apply(host, &dest, true)?.changed;
        let outcome = Outcome::changed(changed)
            .with("dest", dest.display().to_string())
            .with("src", shown)
            .with("checksum", Value::Null)
            .with("md5sum", Value::Null);
        Ok(describe_file(outcome, &dest))
    }

    fn inside(&self, host: &Host, source: &Path, dest: &Path) -> Result<bool, Failure> {
        let mut changed = false;
        let mut entries: Vec<_> =
            fs::read_dir(source).doing("could not read the directory", source)?.flatten().collect();
        entries.sort_by_key(|e| e.file_name());
        for entry in entries {
            let (from, to) = (entry.path(), dest.join(entry.file_name()));
            let stat = fs::symlink_metadata(&from).doing("could not stat", &from)?;
            let as_link =
                stat.is_symlink() && self.local_follow == Some(false) || stat.is_symlink() && !from.exists();
            let keeps_link = stat.is_symlink() && self.remote_src && self.local_follow.is_none();
            if as_link || keeps_link {
                let target = fs::read_link(&from).doing("could not read the link", &from)?;
                if fs::read_link(&to).ok().as_ref() != Some(&target) {
                    host.symlink(&target, &to).doing("could not make the link", &to)?;
                    changed = true;
                }
            } else if from.is_dir() {
                if !to.is_dir() {
                    host.create_directory(&to).doing("could not make the directory", &to)?;
                    self.dress(host, &to, &from, self.directory_mode.clone())?;
                    changed = true;
                }
                changed |= self.inside(host, &from, &to)?;
            } else {
                let same = to.is_file()
                    && Algorithm::Sha1.of_file(&to).ok()
                        == Some(Algorithm::Sha1.of_file(&from).doing("could not read", &from)?);
                if !same && (self.force || !to.exists()) {
                    let how = Replace {
                        unsafe_writes: self.attributes.unsafe_writes(host.context),
                        ..Replace::default()
                    };
                    host.copy(&from, &to, &how)?;
                    self.dress(host, &to, &from, None)?;
                    changed = true;
                }
            }
            if to.symlink_metadata().is_ok() {
                let owners = FileAttributes { mode: None, attributes: None, ..self.attributes.clone() };
                changed |= owners.apply(host, &to, false)?.changed;
            }
        }
        Ok(changed)
    }

    /// A new file or directory gets the mode asked for, or else its source's.
    fn dress(&self, host: &Host, to: &Path, from: &Path, mode: Option<Mode>) -> Result<(), Failure> {
        let own = || fs::metadata(from).ok().map(|s| Mode::Number(i64::from(s.mode() & 0o7777)));
        let attributes = FileAttributes { mode: mode.or_else(own), ..FileAttributes::default() };
        attributes.apply(host, to, true).map(drop)
    }
}
