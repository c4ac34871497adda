//! The built binary against real servers, which `cargo xtask test` starts.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod bad_input;
mod bad_services;
mod callbacks;
mod check;
mod console;
mod containers;
mod debugger;
mod deploy;
mod durations;
mod foreign;
mod from_nothing;
mod galaxy;
mod jobs;
mod listings;
mod oracle;
mod plan;
mod pull;
mod seed;
mod support;
mod templar;
mod templates;
mod terraform;
mod tools;
