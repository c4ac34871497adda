//! Random documents, inventories, patterns and templates are parsed or rejected, without a panic, a hang or unbounded
//! memory.
//!
//! Each test generates inputs for a few seconds (`PLAYBOOK_FUZZ_SECONDS`) from a seed (`PLAYBOOK_FUZZ_SEED`), so that
//! a failure can be reproduced.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod doors;
mod random;
mod templates;
mod watch;

#[global_allocator]
static MEMORY: watch::Counting = watch::Counting;
