//! Facts that are kept between runs: `fact_caching = jsonfile`, a file for each host.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use playbook_api::{Error, Map, Value};
use serde_json::Value as Json;

use crate::settings::Settings;

/// The directory of the `jsonfile` fact cache. The files are those that ansible-core writes and reads.
#[derive(Debug)]
pub struct FactCache {
    directory: PathBuf,
    prefix: String,
    /// The age in seconds after which facts are stale; none if they never are.
    timeout: Option<Duration>,
}

/// The prefix of a host's name: the version of the files' layout.
const SCHEMA: &str = "s1_";
/// The one member of a file: the facts as JSON text.
const PAYLOAD: &str = "__payload__";

impl FactCache {
    /// Opens the cache that the settings name; nothing if facts last for one run.
    pub fn open(settings: &Settings) -> Result<Option<FactCache>, Error> {
        match settings.fact_caching.strip_prefix("ansible.builtin.").unwrap_or(&settings.fact_caching) {
            "memory" => return Ok(None),
            "jsonfile" => {}
            other => {
                return Err(Error::new(format!("the fact cache '{other}' is not available"))
                    .with_help("set `fact_caching` to memory or jsonfile"));
            }
        }
        let Some(directory) = settings.fact_caching_connection.as_deref().filter(|f| !f.is_empty()) else {
            return Err(Error::new("the jsonfile fact cache needs a directory")
                .with_help("set `fact_caching_connection` in the section [defaults] of ansible.cfg"));
        };
        let directory = crate::paths::expand_home(directory);
        std::fs::create_dir_all(&directory)
            .map_err(|e| Error::new(format!("cannot create the fact cache {}: {e}", directory.display())))?;
        let timeout = Some(settings.fact_caching_timeout).filter(|s| *s > 0).map(Duration::from_secs);
        Ok(Some(FactCache { directory, prefix: settings.fact_caching_prefix.clone(), timeout }))
    }

    fn file(&self, host: &str) -> PathBuf {
        self.directory.join(format!("{}{SCHEMA}{host}", self.prefix))
    }

    /// Returns a host's facts, if there are any that are not stale.
    pub fn load(&self, host: &str) -> Option<Map> {
        let file = self.file(host);
        let age = std::fs::metadata(&file).ok()?.modified().ok()?.elapsed().unwrap_or_default();
        if self.timeout.is_some_and(|timeout| age > timeout) {
            return None;
        }
        let text = std::fs::read_to_string(&file).ok()?;
        let wrapper: Json = serde_json::from_str(&text).ok()?;
        let facts: Json = serde_json::from_str(wrapper.get(PAYLOAD)?.as_str()?).ok()?;
        Value::from_json(plain(facts)).as_map().cloned()
    }

    /// Saves the facts of a host.
    pub fn save(&self, host: &str, facts: &Map) -> Result<(), Error> {
        let payload = Value::from(facts.clone()).to_json().to_string();
        let wrapper = serde_json::json!({ PAYLOAD: payload });
        let file = self.file(host);
        let failed = |e| Error::new(format!("cannot write the fact cache {}: {e}", file.display()));
        let mut new = tempfile::NamedTempFile::new_in(&self.directory).map_err(failed)?;
        std::io::Write::write_all(&mut new, wrapper.to_string().as_bytes()).map_err(failed)?;
        new.persist(&file).map_err(|e| failed(e.error))?;
        Ok(())
    }

    /// Removes the facts of a host.
    pub fn forget(&self, host: &str) -> Result<(), Error> {
        let file = self.file(host);
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                Err(Error::new(format!("cannot remove {} from the fact cache: {e}", file.display())))
            }
            _ => Ok(()),
        }
    }
}

/// Removes the tags that ansible-core wraps values in.
fn plain(json: Json) -> Json {
    match json {
        Json::Object(mut map) if map.contains_key("__ansible_type") && map.contains_key("value") => {
            plain(map.remove("value").unwrap_or_default())
        }
        Json::Object(map) => Json::Object(map.into_iter().map(|(k, v)| (k, plain(v))).collect()),
        Json::Array(items) => Json::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}
