//! The cache of downloaded and prepared files.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::{Doing, Result};

/// Returns the user's cache directory for this project: `$XDG_CACHE_HOME/playbook-xtask` or `~/.cache/playbook-xtask`.
pub fn directory() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|v| !v.is_empty()) {
        Some(directory) => PathBuf::from(directory),
        None => match std::env::var_os("HOME") {
            Some(home) => Path::new(&home).join(".cache"),
            None => std::env::temp_dir(),
        },
    };
    let directory = base.join("playbook-xtask");
    std::fs::create_dir_all(&directory).doing(format!("creating {}", directory.display()))?;
    Ok(directory)
}

/// Creates `directory` with `make` unless an earlier command has created it. Concurrent commands wait for each other.
///
/// An interrupted attempt is repeated from the start.
pub fn once(directory: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let stamp = directory.join(".complete");
    if stamp.exists() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        std::fs::create_dir_all(parent).doing(format!("creating {}", parent.display()))?;
    }
    let lock = File::create(directory.with_extension("lock")).doing("creating a lock file")?;
    lock.lock().doing("waiting for another command that prepares the same directory")?;
    if stamp.exists() {
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(directory);
    make(directory)?;
    File::create(&stamp).doing(format!("writing {}", stamp.display()))?;
    Ok(())
}
