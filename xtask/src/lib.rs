//! The developer's commands, and the local stand-ins that they and the tests use: a real PostgreSQL, an AWS emulator
//! and the proxy in front of it that plays what an emulator leaves out, and machines to reach over SSH.

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

/// What goes wrong here ends in front of a developer: one sentence that says what to do.
pub type Result<T> = std::result::Result<T, String>;

/// Says what was being done when something failed.
pub trait Doing<T> {
    fn doing(self, what: impl AsRef<str>) -> Result<T>;
}

impl<T, E: std::fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl AsRef<str>) -> Result<T> {
        self.map_err(|error| format!("{}: {error}", what.as_ref()))
    }
}

/// Whether this is root, who may make namespaces and install packages, and whom PostgreSQL refuses.
pub fn is_root() -> bool {
    // SAFETY: geteuid cannot fail and touches no memory.
    unsafe { libc::geteuid() == 0 }
}
