//! The helper that runs modules on a managed host, and the protocol between it and the controller.
//!
//! One channel carries everything: requests and replies, progress, the content of files, byte streams, cancellation.
//! [`wire`] defines how values become bytes, [`message`] the messages, [`frame`] how messages follow each other, [`serve`]
//! what the helper does, and [`pump`] how a byte stream is carried.

mod ending;
pub mod frame;
pub mod message;
mod open;
mod output;
pub mod pump;
pub mod serve;
mod stream;
pub mod terminal;
pub mod wire;

/// The line that the helper begins with. What comes before it was printed by the login.
pub const READY: &str = "PLAYBOOK-READY";
