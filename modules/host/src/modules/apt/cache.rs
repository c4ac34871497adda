//! The package lists of the repositories.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use playbook_api::{Failure, Outcome};

use super::{Apt, Upgrade};
use crate::host::Host;
use crate::host::process::Program;

impl Apt {
    /// Fetches the package lists if the task requests it and they are old enough.
    pub(super) fn update(&self, host: &Host) -> Result<Outcome, Failure> {
        let is_wanted = self.update_cache == Some(true) || self.cache_valid_time > 0;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut updated = false;
        if is_wanted && cache_time().saturating_add(self.cache_valid_time) <= now {
            let retries = self.update_cache_retries;
            let fetched = refresh(host, &self.program("update"), retries, self.update_cache_retry_max_delay)?;
            if let Err(reason) = fetched {
                let message = format!("Failed to update apt cache after {retries} retries: {reason}");
                return Err(Failure::new(message));
            }
            updated = true;
        }
        let has_names = self.name.iter().flatten().any(|name| !name.trim().is_empty());
        let nothing_else = !has_names && self.deb.is_none() && self.upgrade == Upgrade::No;
        Ok(Outcome::changed(updated && nothing_else)
            .with("cache_updated", updated)
            .with("cache_update_time", cache_time()))
    }
}

/// Fetches the package lists, with pauses that double between attempts. The inner error is apt's reason.
pub(crate) fn refresh(
    host: &Host,
    program: &Program,
    attempts: u64,
    longest_pause: u64,
) -> Result<Result<(), String>, Failure> {
    let mut pause = 1;
    for attempt in 1.. {
        let output = host.run(program)?;
        if output.success() {
            break;
        }
        if attempt >= attempts {
            return Ok(Err(output.err().trim().to_owned()));
        }
        host.pause(Duration::from_secs(pause))?;
        pause = (pause * 2).min(longest_pause.max(1));
    }
    Ok(Ok(()))
}

/// Returns the time at which the package lists were last fetched, in seconds since 1970.
fn cache_time() -> u64 {
    let files = ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"];
    let time = |path: &str| {
        std::fs::metadata(Path::new(path)).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()
    };
    files.iter().find_map(|p| time(p)).map_or(0, |t| t.as_secs())
}
