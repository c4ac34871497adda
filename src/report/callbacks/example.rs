//! `count_tasks`: prints how many tasks started.

use super::Callback;
use crate::report::Event;

/// The callback `count_tasks`.
#[derive(Default)]
pub(super) struct CountTasks {
    tasks: u64,
}

impl Callback for CountTasks {
    fn event(&mut self, event: &Event) -> Vec<Event> {
        match event {
            Event::TaskStart(_) => {
                self.tasks += 1;
                Vec::new()
            }
            // The returned events are shown by the report.
            Event::Stats { .. } => vec![Event::Text(format!("{} tasks started", self.tasks))],
            _ => Vec::new(),
        }
    }
}

#[test]
fn other_events_print_nothing() {
    let mut callback = CountTasks::default();
    assert!(callback.event(&Event::NoHostsMatched).is_empty());
    assert_eq!(callback.tasks, 0);
}
