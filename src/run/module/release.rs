//! Where the modules of the ansible-core release that is set differ from this program's.

use std::sync::Arc;

use playbook_api::arguments::to_bool;
use playbook_api::{Arguments, Error, Failure, Outcome, Value};

use crate::settings::Release;

/// What one call of a module returns otherwise in the release.
pub(super) struct Differences {
    module: &'static str,
    release: Release,
    /// The groups that a task asks for, which `user` returns in 2.19.
    asked_groups: Option<Value>,
}

impl Differences {
    /// Returns the differences for a module with these arguments, or the error of arguments that the release refuses.
    pub(super) fn of(
        module: &'static str,
        args: &Arguments,
        release: Release,
    ) -> Result<Differences, Failure> {
        let groups = || args.get("groups").filter(|groups| !groups.is_null());
        let appends = || args.get("append").and_then(to_bool) == Some(true);
        if module == "user" && release.appending_needs_groups() && appends() && groups().is_none() {
            return Err(Failure::new("append is True but all of the following are missing: groups"));
        }
        let returns_asked = module == "user" && !release.user_returns_its_groups();
        let asked_groups = if returns_asked { groups().map(joined) } else { None };
        Ok(Differences { module, release, asked_groups })
    }

    /// Gives a result the form that it has in the release.
    pub(super) fn apply(self, done: Result<Outcome, Failure>) -> Result<Outcome, Failure> {
        let said = self.release.command_failed();
        match (self.module, done) {
            ("stat", Ok(mut outcome)) => {
                if self.release.stat_has_disk_usage() {
                    outcome.values.get_mut("stat").into_iter().for_each(add_disk_usage);
                }
                Ok(outcome)
            }
            ("find", Ok(mut outcome)) => {
                let of_release =
                    if self.release.stat_has_disk_usage() { add_disk_usage } else { remove_blocks };
                if let Some(Value::List(files)) = outcome.values.get_mut("files") {
                    files.modify(|files| files.iter_mut().for_each(of_release));
                }
                Ok(outcome)
            }
            ("user", Ok(mut outcome)) => {
                let exists = outcome.values.get("state").and_then(Value::as_str) == Some("present");
                if exists && !self.release.user_returns_its_groups() {
                    outcome.values.shift_remove("groups");
                    outcome.values.extend(self.asked_groups.map(|groups| ("groups".into(), groups)));
                }
                Ok(outcome)
            }
            ("command" | "shell" | "async_status", Err(failure)) => Err(match said {
                Some(message) => with_message(failure, message),
                None => failure,
            }),
            (_, done) => done,
        }
    }
}

/// Removes the number of blocks from what is known of a file.
fn remove_blocks(file: &mut Value) {
    if let Value::Map(stat) = file {
        Arc::make_mut(stat).shift_remove("blocks");
    }
}

/// Adds the size on disk to what is known of a file.
fn add_disk_usage(file: &mut Value) {
    const BLOCK: i64 = 512;
    let Value::Map(stat) = file else { return };
    let blocks = stat.get("blocks").and_then(Value::as_i64);
    if let Some(bytes) = blocks.and_then(|blocks| blocks.checked_mul(BLOCK)) {
        Arc::make_mut(stat).insert("disk_usage_bytes".into(), bytes.into());
    }
}

/// Returns a list as text with commas.
fn joined(list: &Value) -> Value {
    match list.as_list() {
        Some(items) => items.iter().map(|item| item.to_text()).collect::<Vec<_>>().join(",").into(),
        None => list.to_text().as_ref().into(),
    }
}

/// Replaces what a module says of a command whose exit status is not 0.
fn with_message(mut failure: Failure, message: &str) -> Failure {
    const SAID: &str = "non-zero return code";
    let values = &mut failure.outcome.values;
    if values.get("msg").and_then(Value::as_str) == Some(SAID) {
        values.insert("msg".into(), message.into());
    }
    if failure.error.message() == SAID {
        failure.error = Error::new(message);
    }
    failure
}
