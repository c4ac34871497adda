//! Playbooks against real SSH servers, on machines in namespaces: logins, services, faults, and what a run leaves behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test fails by panicking, and its files share items"
)]

mod check_mode;
mod database;
mod docker;
mod faults;
mod jobs;
mod languages;
mod limits;
mod logins;
mod reference;
mod roles;
mod scene;
