//! The end of this process, which its connections must not outlive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use playbook_api::sync::lock;

use super::ssh;

/// What the connections of each run of this process share.
static OPEN: Mutex<Vec<Weak<ssh::Common>>> = Mutex::new(Vec::new());

/// Whether this process is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Remembers connections that [`abandon`] has to end.
pub fn register(common: &Arc<ssh::Common>) {
    lock(&OPEN).push(Arc::downgrade(common));
}

/// Ends the connections of this process immediately. The process must exit afterwards.
pub fn abandon() {
    ENDING.store(true, Ordering::Relaxed);
    for common in lock(&OPEN).iter().filter_map(Weak::upgrade) {
        common.abandon();
    }
}

/// Blocks this thread if the process is about to end: lost connections are then not worth a report.
pub fn block_if_ending() {
    while ENDING.load(Ordering::Relaxed) {
        std::thread::park();
    }
}
