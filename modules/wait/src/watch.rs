//! Looking again and again, at several things at once.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use playbook_api::{Context, Error, Map, ProbeState};

use crate::probes::Thing;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) timeout: Duration,
    pub(crate) interval: Duration,
    pub(crate) backoff: f64,
    pub(crate) max_interval: Duration,
}

/// What is known of one thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) met: bool,
    pub(crate) attempts: u64,
    /// In words.
    pub(crate) state: String,
    pub(crate) values: Map,
}

/// How the watch ended.
#[derive(Debug)]
pub(crate) enum End {
    Met,
    /// One of them, by its place, can never become so.
    Never(usize),
    /// One of them, by its place, does not exist, and is not said to come to exist.
    Missing(usize),
    /// One of them cannot be looked at.
    Failed(usize, Error),
    TimedOut,
    Interrupted,
}

pub(crate) struct Watch<'a> {
    things: &'a [Thing<'a>],
    statuses: Mutex<Vec<Status>>,
    context: &'a Context,
    start: Instant,
}

/// An error at the first look is the user's; later ones may pass, up to so many in a row.
const ERRORS_IN_A_ROW: u32 = 3;

impl<'a> Watch<'a> {
    pub(crate) fn new(things: &'a [Thing<'a>], context: &'a Context) -> Self {
        let not_yet = Status { state: "no answer yet".into(), ..Status::default() };
        let statuses = Mutex::new(vec![not_yet; things.len()]);
        Watch { things, statuses, context, start: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Status>> {
        playbook_api::sync::lock(&self.statuses)
    }

    /// Waits until everything is met, one of them can never be, or time is up.
    pub(crate) async fn wait(&self, pace: Pace) -> End {
        let all = try_join_all((0..self.things.len()).map(|i| self.one(i, pace)));
        tokio::select! {
            result = all => result.map_or_else(|end| end, |_| End::Met),
            () = tokio::time::sleep(pace.timeout) => End::TimedOut,
            () = self.cancelled() => End::Interrupted,
        }
    }

    /// One look at each; an error is a state like any other.
    pub(crate) async fn look_once(&self) {
        join_all((0..self.things.len()).map(|i| async move {
            if let Err(End::Failed(i, error)) = self.look(i).await {
                self.note(i, false, self.context.redactor.text(&error.to_string()), Map::default());
            }
        }))
        .await;
    }

    async fn one(&self, i: usize, pace: Pace) -> Result<(), End> {
        let mut interval = pace.interval;
        let mut errors = 0;
        let mut answered = false;
        loop {
            match self.look(i).await {
                Ok(true) => return Ok(()),
                Ok(false) => (errors, answered) = (0, true),
                Err(End::Failed(i, error)) if answered && errors < ERRORS_IN_A_ROW => {
                    errors += 1;
                    self.note(i, false, self.context.redactor.text(&error.to_string()), Map::default());
                }
                Err(end) => return Err(end),
            }
            tokio::time::sleep(interval).await;
            let longer = interval.as_secs_f64() * pace.backoff;
            let limit = pace.max_interval.max(pace.interval);
            interval = Duration::try_from_secs_f64(longer).unwrap_or(limit).min(limit);
        }
    }

    /// Whether it is so.
    async fn look(&self, i: usize) -> Result<bool, End> {
        let Some(thing) = self.things.get(i) else { return Ok(true) };
        let state = thing.probe.look(&thing.options, self.context).await.map_err(|e| End::Failed(i, e))?;
        match state {
            ProbeState::Met(values) => {
                self.note(i, true, "met".into(), values);
                Ok(true)
            }
            ProbeState::Waiting(state, values) => {
                self.note(i, false, state, values);
                Ok(false)
            }
            ProbeState::Missing(what) => {
                self.note(i, false, what, Map::default());
                if thing.missing { Ok(false) } else { Err(End::Missing(i)) }
            }
            ProbeState::Never(why, values) => {
                self.note(i, false, why, values);
                Err(End::Never(i))
            }
        }
    }

    fn note(&self, i: usize, met: bool, state: String, values: Map) {
        if let Some(status) = self.lock().get_mut(i) {
            *status = Status { met, attempts: status.attempts + 1, state, values };
        }
        self.context.progress(self.pending());
    }

    /// `ecs_service: 1 of 2 tasks running; http: status 503`
    pub(crate) fn pending(&self) -> String {
        let statuses = self.statuses();
        let unmet = self.things.iter().zip(&statuses).filter(|(_, status)| !status.met);
        unmet
            .map(|(thing, status)| format!("{}: {}", thing.label, status.state))
            .collect::<Vec<_>>()
            .join("; ")
    }

    async fn cancelled(&self) {
        while !self.context.cancel.is_set() && !self.context.interrupt.is_set() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
