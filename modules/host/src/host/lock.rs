//! Locks for files that are read, changed and replaced: tasks that edit one file at the same time wait for one
//! another, even in different processes.
#![expect(clippy::disallowed_methods, reason = "lock files are not part of what a task changes")]

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use playbook_api::Failure;

use crate::host::Host;
use crate::host::checksum::Algorithm;

/// A lock, held until it is dropped. It is empty in check mode, and if lock files cannot be created.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    _held: Option<Flock<File>>,
}

/// The interval between attempts to get a lock.
const PAUSE: Duration = Duration::from_millis(10);

impl Lock {
    /// Waits for the lock of a file, which is the same for all of its names.
    pub(crate) fn file(host: &Host, path: &Path) -> Result<Lock, Failure> {
        let real = std::fs::canonicalize(path).or_else(|_| {
            let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::canonicalize(directory).map(|d| d.join(path.file_name().unwrap_or_default()))
        });
        Lock::named(host, &real.unwrap_or_else(|_| path.to_owned()).to_string_lossy())
    }

    /// Waits for the lock with a name.
    pub(crate) fn named(host: &Host, name: &str) -> Result<Lock, Failure> {
        if host.check() {
            return Ok(Lock::default());
        }
        let Some(mut file) = open(name) else { return Ok(Lock::default()) };
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(held) => return Ok(Lock { _held: Some(held) }),
                Err((file, Errno::EWOULDBLOCK | Errno::EINTR)) => file,
                // A file system without locks.
                Err(_) => return Ok(Lock::default()),
            };
            host.pause(PAUSE)?;
        }
    }
}

/// Opens the lock file for a name. There is a fixed number of them, since they are not removed.
fn open(name: &str) -> Option<File> {
    let slot = Algorithm::Sha1.of_bytes(name.as_bytes());
    let path = directory()?.join(slot.get(..3)?);
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).ok()
}

/// Returns the private directory of lock files.
fn directory() -> Option<PathBuf> {
    let user = nix::unistd::geteuid();
    ["/run/lock", "/tmp"].into_iter().find_map(|parent| {
        let path = Path::new(parent).join(format!(".playbook-{user}"));
        // If it already exists, it must belong to the user.
        let _ = DirBuilder::new().mode(0o700).create(&path);
        let found = std::fs::symlink_metadata(&path).ok()?;
        let is_private = found.is_dir() && found.uid() == user.as_raw() && found.mode() & 0o077 == 0;
        is_private.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use playbook_api::Context;

    use super::*;

    #[test]
    fn one_holds_a_lock_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let (file, inside) = (directory.path().join("f"), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let context = Context::default();
                    let _lock = Lock::file(&Host::new(&context), &file).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::sleep(Duration::from_millis(5));
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }

    #[test]
    fn a_canceled_task_stops_waiting() {
        let context = Context::default();
        let _held = Lock::named(&Host::new(&context), "a canceled task").unwrap();
        let other = Context::default();
        other.cancel.set();
        let failure = Lock::named(&Host::new(&other), "a canceled task").unwrap_err();
        assert_eq!(failure.error.message(), "canceled");
    }
}
