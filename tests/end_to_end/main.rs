//! The built binary against real services: `cargo xtask test` starts them.

mod bad_input;
mod bad_services;
mod callbacks;
mod check;
mod deploy;
mod galaxy;
mod oracle;
mod seed;
mod support;
mod templar;
