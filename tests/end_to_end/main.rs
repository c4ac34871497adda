//! The built binary against real services: `cargo xtask test` starts them.

mod bad_input;
mod bad_services;
mod callbacks;
mod check;
mod deploy;
mod foreign;
mod oracle;
mod seed;
mod support;
mod terraform;
