//! System errors in the words playbooks know: `[Errno 2] No such file or directory: '/x'`.

use std::io;
use std::path::Path;

use nix::errno::Errno;
use playbook_api::{Error, Failure};

/// The error as Python prints it, without the path.
pub fn describe(e: &io::Error) -> String {
    match e.raw_os_error() {
        Some(code) => format!("[Errno {code}] {}", Errno::from_raw(code).desc()),
        None => e.to_string(),
    }
}

/// Says of a failed file operation what was being done and to what.
pub trait Doing<T> {
    fn doing(self, what: &str, path: impl AsRef<Path>) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &str, path: impl AsRef<Path>) -> Result<T, Failure> {
        self.map_err(|e| {
            let (reason, path) = (describe(&e), path.as_ref().display());
            Failure::from(Error::new(format!("{what}: {reason}: '{path}'"))).with("path", path.to_string())
        })
    }
}
