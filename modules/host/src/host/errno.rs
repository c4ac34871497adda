//! Formats system errors as Python does: `[Errno 2] No such file or directory: '/x'`.

use std::io;
use std::path::Path;

use nix::errno::Errno;
use playbook_api::{Error, ErrorKind, Failure};

/// Returns the error as Python prints it, without the path.
pub(crate) fn describe(e: &io::Error) -> String {
    match code(e) {
        Some(code) => format!("[Errno {code}] {}", Errno::from_raw(code).desc()),
        None => e.to_string(),
    }
}

/// Returns the system's number of an error, even if a library has wrapped it.
fn code(e: &io::Error) -> Option<i32> {
    e.raw_os_error().or_else(|| {
        let inner = e.get_ref()?.source()?.downcast_ref::<io::Error>()?;
        code(inner)
    })
}

/// Adds the operation and the path to the error of a file operation.
pub(crate) trait Doing<T> {
    fn doing(self, what: &str, path: impl AsRef<Path>) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &str, path: impl AsRef<Path>) -> Result<T, Failure> {
        self.map_err(|e| {
            let (reason, path) = (describe(&e), path.as_ref().display());
            let is_missing = e.kind() == io::ErrorKind::NotFound;
            let kind = if is_missing { ErrorKind::NotFound } else { ErrorKind::Input };
            let error = Error::new(format!("{what}: {reason}: '{path}'")).with_kind(kind);
            Failure::from(error).with("path", path.to_string())
        })
    }
}
