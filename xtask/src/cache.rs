//! Where downloaded and prepared things wait for the next run.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::{Doing, Result};

/// The user's cache folder for this project: `$XDG_CACHE_HOME/playbook-xtask` or `~/.cache/playbook-xtask`.
pub fn folder() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|v| !v.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => match std::env::var_os("HOME") {
            Some(home) => Path::new(&home).join(".cache"),
            None => std::env::temp_dir(),
        },
    };
    let folder = base.join("playbook-xtask");
    std::fs::create_dir_all(&folder).doing(format!("creating {}", folder.display()))?;
    Ok(folder)
}

/// Makes `folder` once, whichever command comes first, and finds it made ever after.
///
/// An interrupted attempt leaves no stamp and is done again from the start.
pub fn once(folder: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let stamp = folder.join(".complete");
    if stamp.exists() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).doing(format!("creating {}", parent.display()))?;
    }
    let lock = File::create(folder.with_extension("lock")).doing("creating a lock file")?;
    lock.lock().doing("waiting for another command to prepare the same")?;
    if stamp.exists() {
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(folder);
    make(folder)?;
    File::create(&stamp).doing(format!("writing {}", stamp.display()))?;
    Ok(())
}
