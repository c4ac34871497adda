//! Links, symbolic and hard.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use playbook_api::{Failure, Map, Outcome};

use super::{Task, merge, state_of};
use crate::host::attributes::Changes;
use crate::host::errno::Doing;
use crate::host::errno::describe;
use crate::host::path::expand;

impl Task<'_> {
    pub(super) fn link(&self, before: &'static str) -> Result<Outcome, Failure> {
        let arguments = &self.arguments;
        let source = match &arguments.src {
            Some(source) => Some(expand(&source.0, self.host.context)),
            None if arguments.follow => fs::read_link(&self.path).ok().map(|t| t.display().to_string()),
            None => None,
        };
        let Some(source) = source else {
            if before != "link" {
                return Err(Failure::new("src is required for creating new symlinks"));
            }
            let changes = arguments.attributes.apply(&self.host, &self.path, false)?;
            let outcome = self.finish("dest", &self.path, changes, Map::default(), Map::default());
            return Ok(outcome.with("src", playbook_api::Value::Null));
        };
        let start = if before == "directory" {
            self.path.as_path()
        } else {
            self.path.parent().unwrap_or(Path::new(""))
        };
        let target = start.join(&source);
        let fail = |message: String| {
            Err(Failure::new(message).with("path", self.shown()).with("src", source.as_str()))
        };
        if !arguments.force && !target.exists() {
            return fail(format!(
                "src file does not exist, use 'force=yes' if you really want to create the link: {}",
                target.display()
            ));
        }
        if before == "directory" && arguments.force && !is_empty(&self.path) {
            return fail(format!("the directory {} is not empty, refusing to convert it", self.shown()));
        }
        if matches!(before, "directory" | "file" | "hard") && !arguments.force {
            return fail(format!("refusing to convert from {before} to symlink for {}", self.shown()));
        }
        let (mut was, mut is) = (Map::default(), Map::default());
        let old = fs::read_link(&self.path).ok();
        let mut changes =
            Changes { changed: old.as_deref() != Some(Path::new(&source)), ..Changes::default() };
        if before != "link" {
            was.insert("state".into(), before.into());
            is.insert("state".into(), "link".into());
        }
        if changes.changed {
            if let Some(old) = old {
                was.insert("src".into(), old.display().to_string().into());
                is.insert("src".into(), source.as_str().into());
            }
            if before == "directory" {
                self.host.remove(&self.path).doing("could not remove", &self.path)?;
            }
            self.host.symlink(Path::new(&source), &self.path).map_err(|e| {
                let reason = describe(&e);
                Failure::new(format!("Error while linking: {reason}: '{source}' -> '{}'", self.shown()))
                    .with("path", self.shown())
            })?;
        }
        let mut warning = None;
        if self.host.check() && !self.path.exists() {
            // Nothing is there yet that could have attributes.
        } else if arguments.follow && self.path.is_symlink() && !self.path.exists() {
            warning = arguments.attributes.any().then_some(
                "Cannot set fs attributes on a non-existent symlink target. follow should be set to False \
                to avoid this.",
            );
        } else {
            merge(&mut changes, self.apply(&self.path)?);
        }
        let mut outcome = self.finish("dest", &self.path, changes, was, is).with("src", source.as_str());
        outcome.warnings.extend(warning.map(str::to_owned));
        Ok(outcome)
    }

    pub(super) fn hard(&self, before: &'static str) -> Result<Outcome, Failure> {
        let arguments = &self.arguments;
        let source = arguments.src.as_ref().map(|s| s.resolve(self.host.context));
        let Some(source) = source else {
            if before != "hard" {
                return Err(Failure::new("src is required for creating new hardlinks"));
            }
            let changes = self.apply(&self.path)?;
            return Ok(self.finish("dest", &self.path, changes, Map::default(), Map::default()));
        };
        let fail = |message: String| {
            Err(Failure::new(message).with("dest", self.shown()).with("src", source.display().to_string()))
        };
        if !source.exists() {
            return fail("src does not exist".into());
        }
        let same = same_file(&source, &self.path);
        match before {
            _ if same => {}
            "hard" if !arguments.force => {
                return fail("Cannot link, different hard links at destination".into());
            }
            "file" if !arguments.force => {
                return fail(format!("Cannot link, {} exists at destination", self.shown()));
            }
            "directory" => {
                let inside = self.path.join(source.file_name().unwrap_or_default());
                if !arguments.force || !is_empty(&self.path) || inside.exists() {
                    return fail(format!(
                        "refusing to convert from directory to hard link for {}",
                        self.shown()
                    ));
                }
                self.host.remove(&self.path).doing("could not remove", &self.path)?;
            }
            _ => {}
        }
        let (mut was, mut is) = (Map::default(), Map::default());
        let mut changes = Changes { changed: !same, ..Changes::default() };
        if !same {
            was.insert("state".into(), before.into());
            is.insert("state".into(), "hard".into());
            let source: PathBuf = if source.is_symlink() {
                fs::canonicalize(&source).doing("could not follow the link", &source)?
            } else {
                source.clone()
            };
            self.host.hard_link(&source, &self.path).map_err(|e| {
                let reason = describe(&e);
                Failure::new(format!(
                    "Error while linking: {reason}: '{}' -> '{}'",
                    source.display(),
                    self.shown()
                ))
                .with("path", self.shown())
            })?;
        }
        if state_of(&self.path) != "absent" {
            merge(&mut changes, self.apply(&self.path)?);
        }
        let outcome = self.finish("dest", &self.path, changes, was, is);
        Ok(outcome.with("src", source.display().to_string()))
    }
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::symlink_metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}
