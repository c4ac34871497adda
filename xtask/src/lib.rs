//! The local servers that the developer's commands and the tests use: a real PostgreSQL server, an AWS emulator, a
//! proxy in front of the emulator that simulates what it lacks, and machines to reach over SSH.

pub mod aws;
pub mod build;
pub mod cache;
pub mod children;
pub mod debian;
pub mod docker;
pub mod fleet;
pub mod http;
pub mod moto;
pub mod pgbouncer;
pub mod postgres;
pub mod proxy;
pub mod python;
pub mod recap;
pub mod sandbox;
pub mod tested;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A result whose error is a message for the developer.
pub type Result<T> = std::result::Result<T, String>;

/// Adds the failed operation to an error.
pub trait Doing<T> {
    /// Turns the error into a message that begins with `what`: "reading /etc/passwd: permission denied".
    fn doing(self, what: impl AsRef<str>) -> Result<T>;
}

impl<T, E: std::fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl AsRef<str>) -> Result<T> {
        self.map_err(|error| format!("{}: {error}", what.as_ref()))
    }
}

/// Locks a mutex. A panic of another thread while it held the lock does not matter.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether the current user is root, who can create namespaces and install packages but not run PostgreSQL.
pub fn is_root() -> bool {
    // SAFETY: geteuid cannot fail and touches no memory.
    unsafe { libc::geteuid() == 0 }
}
