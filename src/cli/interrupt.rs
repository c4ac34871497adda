//! Ctrl-C: once lets the running tasks finish, twice stops.

use nix::sys::signal::{SigSet, Signal};
use playbook_api::context::Cancel;

/// From now on the first SIGINT sets `cancel`, and the second ends the process with ansible-playbook's exit code
/// for it. Programs that tasks start are not affected: a child begins with no signal blocked.
pub fn watch(cancel: Cancel) {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    if signals.thread_block().is_err() {
        return;
    }
    let wait = move || {
        if signals.wait().is_ok() {
            cancel.set();
            eprintln!("\nInterrupted: the running tasks may finish. Once more stops at once.");
        }
        if signals.wait().is_ok() {
            eprintln!("[ERROR]: User interrupted execution");
            crate::connection::abandon();
            std::process::exit(99);
        }
    };
    // Without the thread Ctrl-C would be lost: give the signal back.
    if std::thread::Builder::new().name("interrupt".into()).spawn(wait).is_err() {
        let _ = signals.thread_unblock();
    }
}
