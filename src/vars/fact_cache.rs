//! Facts kept between runs: the `jsonfile` fact cache.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use playbook_api::{Map, Value};

use crate::settings::Settings;

/// One file a host, in a folder.
#[derive(Debug)]
pub struct FactCache {
    folder: PathBuf,
    prefix: String,
    /// Older facts do not count; zero keeps them for ever.
    timeout: Duration,
}

impl FactCache {
    /// The cache that the settings ask for; `memory` needs none.
    pub fn of(settings: &Settings) -> Option<FactCache> {
        let plugin = settings.fact_caching.rsplit('.').next().unwrap_or_default();
        let folder = settings.fact_caching_connection.as_ref().filter(|_| plugin == "jsonfile")?;
        Some(FactCache {
            folder: crate::settings::expand_home(std::path::Path::new(folder)),
            prefix: settings.fact_caching_prefix.clone(),
            timeout: Duration::from_secs(settings.fact_caching_timeout),
        })
    }

    fn path(&self, host: &str) -> PathBuf {
        self.folder.join(format!("{}{}", self.prefix, host.replace('/', "_")))
    }

    /// What is kept of a host, unless it is too old or unreadable.
    pub fn read(&self, host: &str) -> Option<Map> {
        let path = self.path(host);
        let written = path.metadata().and_then(|m| m.modified()).ok()?;
        let age = SystemTime::now().duration_since(written).unwrap_or_default();
        if !self.timeout.is_zero() && age > self.timeout {
            return None;
        }
        match Value::from_json(serde_json::from_slice(&std::fs::read(path).ok()?).ok()?) {
            Value::Map(map) => Some((*map).clone()),
            _ => None,
        }
    }

    /// Replaces what is kept of a host. A cache that cannot be written costs time, not the run.
    pub fn write(&self, host: &str, facts: &Map) {
        let json = Value::from(facts.clone()).to_json().to_string();
        let write = || {
            std::fs::create_dir_all(&self.folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            std::io::Write::write_all(&mut file, json.as_bytes())?;
            file.persist(self.path(host)).map_err(|e| e.error)?;
            std::io::Result::Ok(())
        };
        let _ = write();
    }

    pub fn forget(&self, host: &str) {
        let _ = std::fs::remove_file(self.path(host));
    }
}
