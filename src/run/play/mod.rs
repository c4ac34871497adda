//! A play: its batches of hosts, the steps that each host takes, and the outcome of each step.

mod batch;
mod cursor;
mod debugger;
mod failed_task;
mod finish;
pub mod handlers;
pub mod include;
mod inclusions;
mod meta;
mod order;
mod plays;
mod pool;
mod prepare;
mod retry_file;
mod strategy;

pub(crate) use meta::invalid as invalid_meta;
pub(crate) use plays::known_order;
pub use prepare::task_tags;
pub(crate) use strategy::known as known_strategy;
