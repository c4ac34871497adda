//! System errors in the words playbooks know: `[Errno 2] No such file or directory: '/x'`.

use std::io;
use std::path::Path;

use nix::errno::Errno;
use playbook_api::{Error, ErrorKind, Failure};

/// The error as Python prints it, without the path.
pub(crate) fn describe(e: &io::Error) -> String {
    match code(e) {
        Some(code) => format!("[Errno {code}] {}", Errno::from_raw(code).desc()),
        None => e.to_string(),
    }
}

/// The system's number of an error, also where a library wrapped it.
fn code(e: &io::Error) -> Option<i32> {
    e.raw_os_error().or_else(|| {
        let inner = e.get_ref()?.source()?.downcast_ref::<io::Error>()?;
        code(inner)
    })
}

/// Says of a failed file operation what was being done and to what.
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
