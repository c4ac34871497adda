//! Tests of paths on the controller.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use playbook_api::{Error, Value};

use crate::template::filters::paths::path;
use crate::template::{Call, Function};

/// Tests a path. The result is false if the input is not text.
macro_rules! file {
    ($name:literal, $check:expr) => {
        test!($name, |value| {
            let check: fn(&Path) -> bool = $check;
            $crate::template::purity::taint();
            value.as_str().is_some_and(|path| check(Path::new(path)))
        })
    };
}

pub(super) const TESTS: &[Function] = &[
    file!("directory", Path::is_dir),
    file!("is_dir", Path::is_dir),
    file!("file", Path::is_file),
    file!("is_file", Path::is_file),
    file!("link", Path::is_symlink),
    file!("is_link", Path::is_symlink),
    file!("exists", Path::exists),
    file!("link_exists", |path| fs::symlink_metadata(path).is_ok()),
    file!("abs", Path::is_absolute),
    file!("is_abs", Path::is_absolute),
    file!("mount", is_mount),
    file!("is_mount", is_mount),
    Function::new("same_file", same_file),
    Function::new("is_same_file", same_file),
    Function::new("vaulted_file", vaulted_file),
];

/// Tests for a directory on another device than its parent, or the root.
fn is_mount(path: &Path) -> bool {
    let Ok(here) = fs::symlink_metadata(path) else { return false };
    if here.is_symlink() {
        return false;
    }
    let parent = fs::canonicalize(path).ok().and_then(|path| fs::symlink_metadata(path.join("..")).ok());
    parent.is_some_and(|parent| here.dev() != parent.dev() || here.ino() == parent.ino())
}

fn metadata(path: &str) -> Result<fs::Metadata, Error> {
    fs::metadata(path).map_err(|e| not_readable(path, &e))
}

fn not_readable(path: &str, e: &std::io::Error) -> Error {
    match e.kind() {
        std::io::ErrorKind::NotFound => Error::new(format!("[Errno 2] No such file or directory: '{path}'")),
        _ => Error::new(format!("{path}: {e}")),
    }
}

fn same_file(call: &mut Call) -> Result<Value, Error> {
    let [other] = call.bind(["f2"], 1)?;
    let (a, b) = (metadata(&path(&call.input)?)?, metadata(&path(&other.unwrap_or_default())?)?);
    Ok((a.dev() == b.dev() && a.ino() == b.ino()).into())
}

/// Relative paths are searched in the same directories as in file lookups.
fn vaulted_file(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let name = path(&call.input)?;
    let found = crate::template::lookups::search::find(call.renderer, "", &name);
    let found = found.unwrap_or_else(|| name.clone().into());
    let bytes = fs::read(&found).map_err(|e| not_readable(&name, &e))?;
    Ok(bytes.starts_with(b"$ANSIBLE_VAULT").into())
}
