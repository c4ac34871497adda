//! The event stream, and everything that renders it. Nothing here decides anything.

mod event;

pub use event::{Event, HostStats, Reporter, Status, TaskInfo, TaskKind, TaskResult};
