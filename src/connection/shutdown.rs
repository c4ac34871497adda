//! Whether this process is about to end.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Announces that this process is about to end, so that connections lost from now on are not reported.
pub fn announce() {
    ENDING.store(true, Ordering::Relaxed);
}

/// Blocks this thread if the process is about to end, so that lost connections and ended programs are not reported.
pub(crate) fn block_if_ending() {
    while ENDING.load(Ordering::Relaxed) {
        std::thread::park();
    }
}
