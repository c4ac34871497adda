//! Access and modification time of a file.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use playbook_api::{Deserialize, Failure, JsonSchema, Value};

use crate::host::attributes::Changes;
use crate::host::errno::describe;
use crate::host::{Host, times};

/// The times a file is to have.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Times {
    /// The modification time: `preserve`, `now`, or a time in `modification_time_format`. `preserve` unless the
    /// state is `touch`.
    modification_time: Option<String>,
    /// The format of `modification_time`, as strftime has it.
    #[serde(default = "stamp")]
    modification_time_format: String,
    /// The access time: `preserve`, `now`, or a time in `access_time_format`. `preserve` unless the state is
    /// `touch`.
    access_time: Option<String>,
    /// The format of `access_time`, as strftime has it.
    #[serde(default = "stamp")]
    access_time_format: String,
}

fn stamp() -> String {
    "%Y%m%d%H%M.%S".into()
}

type Time = (i64, i64);

impl Times {
    pub(crate) fn apply(
        &self,
        host: &Host,
        path: &Path,
        touch: bool,
        follow: bool,
    ) -> Result<Changes, Failure> {
        let mut changes = Changes::default();
        let default = if touch { "now" } else { "preserve" };
        let modified = self.modification_time.as_deref().unwrap_or(default);
        let accessed = self.access_time.as_deref().unwrap_or(default);
        if modified == "preserve" && accessed == "preserve" {
            return Ok(changes);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = (now.as_secs() as i64, i64::from(now.subsec_nanos()));
        let wanted_m = wanted(modified, &self.modification_time_format, now)?;
        let wanted_a = wanted(accessed, &self.access_time_format, now)?;
        let stat = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
        let Ok(stat) = stat else {
            // It does not exist in check mode.
            changes.changed = true;
            return Ok(changes);
        };
        let (was_a, was_m) = times(&stat);
        let mut note = |name: &str, was: Time, wanted: Option<Time>| {
            if let Some(wanted) = wanted.filter(|w| *w != was) {
                changes.changed = true;
                changes.before.insert(name.into(), float(was));
                changes.after.insert(name.into(), float(wanted));
            }
        };
        note("mtime", was_m, wanted_m);
        note("atime", was_a, wanted_a);
        if changes.changed {
            let both_now = modified == "now" && accessed == "now";
            let done = if both_now {
                host.touch(path, follow)
            } else {
                host.set_times(path, wanted_a, wanted_m, follow)
            };
            done.map_err(|e| {
                let message = format!("Error while updating modification or access time: {}", describe(&e));
                Failure::new(message).with("path", path.display().to_string())
            })?;
        }
        Ok(changes)
    }
}

fn wanted(text: &str, format: &str, now: Time) -> Result<Option<Time>, Failure> {
    match text {
        "preserve" => return Ok(None),
        "now" => return Ok(Some(now)),
        _ => {}
    }
    let parsed = DateTime::strptime(format, text).and_then(|t| t.to_zoned(TimeZone::system()));
    let time = parsed.map_err(|e| {
        Failure::new(format!("Error while obtaining timestamp for time {text} using format {format}: {e}"))
            .with_help("write `preserve`, `now`, or a time such as 202001312359.59")
    })?;
    Ok(Some((time.timestamp().as_second(), 0)))
}

fn float((seconds, nanoseconds): Time) -> Value {
    (seconds as f64 + nanoseconds as f64 * 1e-9).into()
}
