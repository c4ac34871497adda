//! The helper that runs modules on a remote host, and what it and the controller say to each other.
//!
//! One channel carries everything: requests and replies, progress, the content of files in chunks, cancellation.
//! [`wire`] says how values become bytes, [`message`] what there is to say, [`frame`] how messages follow each
//! other, [`serve`] what the helper does.

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

/// The line that the helper begins with: what came before it is what a login says to people.
pub const READY: &str = "PLAYBOOK-READY";
