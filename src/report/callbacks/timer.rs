//! `timer`: prints how long the playbook took.

use std::time::Instant;

use super::Callback;
use crate::report::Event;

/// The callback `timer`.
pub(super) struct Timer {
    start: Instant,
}

impl Timer {
    /// Returns the callback, whose clock starts now.
    pub(super) fn new() -> Self {
        Timer { start: Instant::now() }
    }
}

impl Callback for Timer {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        if !matches!(event, Event::Stats { .. }) {
            return Vec::new();
        }
        let seconds = self.start.elapsed().as_secs();
        vec![Event::Text(format!(
            "Playbook run took {} days, {} hours, {} minutes, {} seconds",
            seconds / 86400,
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60
        ))]
    }

    fn shows_results(&self) -> bool {
        false
    }
}
