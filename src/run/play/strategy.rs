//! The strategy by which the hosts of a play advance.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::Error;

use super::cursor::{Cursor, Step};
use super::handlers::Handlers;
use super::order::Order;

/// The strategy by which the hosts of a play advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// All hosts run one task, then the next.
    Linear,
    /// Each host advances as fast as it can.
    Free,
    /// As `free`, but no more hosts are started than can run in parallel.
    HostPinned { limit: usize },
}

impl Strategy {
    pub(crate) fn named(name: &str, forks: usize) -> Result<Strategy, Error> {
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            "linear" | "debug" => Ok(Strategy::Linear),
            "free" => Ok(Strategy::Free),
            "host_pinned" => Ok(Strategy::HostPinned { limit: forks }),
            // Mitogen's strategies run the same plays faster; they are not needed here.
            "mitogen_linear" | "mitogen" => Ok(Strategy::Linear),
            "mitogen_free" => Ok(Strategy::Free),
            "mitogen_host_pinned" => Ok(Strategy::HostPinned { limit: forks }),
            other => Err(Error::new(format!("Invalid play strategy specified: {other}"))
                .with_help("The strategies are linear, free, host_pinned and debug.")),
        }
    }
}

/// Checks the name of a strategy.
pub(crate) fn known(name: &str) -> Result<(), Error> {
    Strategy::named(name, 1).map(drop)
}

type Cursors = IndexMap<Arc<str>, Cursor>;

/// Returns the next steps of `linear`: of the hosts that are at the next task in the play's order.
pub(crate) fn lockstep(
    cursors: &mut Cursors,
    handlers: &Handlers,
    order: &mut Order,
) -> Vec<(Arc<str>, Step)> {
    let mut waiting = HashSet::new();
    for (host, cursor) in cursors.iter_mut() {
        if let Some(step) = cursor.peek(&|handler| handlers.is_notified(handler, host)) {
            waiting.insert(step.task.id);
        }
    }
    if waiting.is_empty() {
        return Vec::new();
    }
    let Some(next) = order.next(&waiting) else { return Vec::new() };
    let mut steps = Vec::new();
    for (host, cursor) in cursors.iter_mut() {
        let here =
            cursor.peek(&|handler| handlers.is_notified(handler, host)).is_some_and(|s| s.task.id == next);
        if let Some(step) = here.then(|| cursor.take()).flatten() {
            steps.push((host.clone(), step));
        }
    }
    steps
}

/// Returns the next steps of `free`: of all hosts that are not running a task.
pub(crate) fn idle(
    cursors: &mut Cursors,
    handlers: &Handlers,
    busy: &HashSet<Arc<str>>,
) -> Vec<(Arc<str>, Step)> {
    let mut steps = Vec::new();
    for (host, cursor) in cursors.iter_mut().filter(|(host, _)| !busy.contains(*host)) {
        if cursor.peek(&|handler| handlers.is_notified(handler, host)).is_some() {
            steps.extend(cursor.take().map(|step| (host.clone(), step)));
        }
    }
    steps
}

/// Returns the next steps of `host_pinned`: of the first hosts that have not completed the play.
pub(crate) fn pinned(
    cursors: &mut Cursors,
    handlers: &Handlers,
    busy: &HashSet<Arc<str>>,
    limit: usize,
) -> Vec<(Arc<str>, Step)> {
    let mut steps = Vec::new();
    let mut active = busy.len();
    for (host, cursor) in cursors.iter_mut().filter(|(host, _)| !busy.contains(*host)) {
        if active >= limit {
            break;
        }
        if cursor.peek(&|handler| handlers.is_notified(handler, host)).is_some() {
            active += 1;
            steps.extend(cursor.take().map(|step| (host.clone(), step)));
        }
    }
    steps
}
