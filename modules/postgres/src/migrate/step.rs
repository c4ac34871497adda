//! One step of a plan: a script in one direction, and the statements that record it in the history.

use super::directory::Migration;
use super::history::History;
use super::report::{Done, describe, with_duration};
use super::script::Script;
use crate::session::literal;

/// A script to run, with its migration and step.
pub(super) struct Next<'a> {
    pub(super) migration: &'a Migration,
    pub(super) script: &'a Script,
    pub(super) step: Step<'a>,
}

impl Next<'_> {
    pub(super) fn record(&self, done: &mut Done, duration: u128) {
        let described = with_duration(describe(self.migration), duration);
        match self.step {
            Step::Up(_) => done.applied.push(described),
            Step::Down(_) => done.reverted.push(described),
        }
    }
}

/// The direction of a script, which decides how the history records it.
pub(super) enum Step<'a> {
    Up(&'a Migration),
    Down(String),
}

impl Step<'_> {
    /// Returns the statement that records the step in the script's own transaction.
    pub(super) fn record(&self, history: &History, duration: u128) -> String {
        match self {
            Step::Up(migration) => history.insert(migration, "migration", true, duration),
            Step::Down(version) => history.delete(version),
        }
    }

    /// Returns the statement to execute before a script without a transaction.
    pub(super) fn begin(&self, history: &History) -> String {
        match self {
            Step::Up(migration) => history.insert(migration, "migration", false, 0),
            Step::Down(version) => history.begin_undo(version),
        }
    }

    /// Returns the statement to execute after such a script.
    pub(super) fn finish(&self, history: &History, duration: u128) -> String {
        match self {
            Step::Up(migration) => history.finish(&migration.version, duration),
            Step::Down(version) => history.delete(version),
        }
    }

    /// Returns the statement to execute after such a script failed without any effect.
    pub(super) fn never_begun(&self, history: &History) -> String {
        match self {
            Step::Up(migration) => history.delete(&migration.version.to_string()),
            Step::Down(version) => {
                format!("UPDATE {} SET success = true WHERE version = {}", history.name(), literal(version))
            }
        }
    }
}
