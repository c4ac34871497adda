//! Modules, lookups and probes that act on AWS.

mod client;
mod connection;
mod error;
mod profile;
mod read_only;
mod shape;
mod text;

pub use client::Aws;
pub use connection::Connection;
pub use read_only::READ_ONLY;
