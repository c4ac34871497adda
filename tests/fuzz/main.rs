//! Whatever a document, an inventory, a pattern or a template says, it is read or refused: no panic, no hang, no
//! unbounded memory.
//!
//! Each test makes inputs for a few seconds (`PLAYBOOK_FUZZ_SECONDS` for more) from a seed (`PLAYBOOK_FUZZ_SEED`), so
//! that what was found once is found again.

mod doors;
mod random;
mod templates;
mod watch;

#[global_allocator]
static MEMORY: watch::Counting = watch::Counting;
