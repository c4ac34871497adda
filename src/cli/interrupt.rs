//! Ctrl-C: once lets the running tasks finish, twice stops. So does being told to terminate.

use nix::sys::signal::{SigSet, Signal};
use playbook_api::context::Cancel;

/// From now on the first SIGINT sets `cancel`, and the second ends the process with ansible-playbook's exit code
/// for it. Programs that tasks start are not affected: a child begins with no signal blocked.
pub fn watch(cancel: Cancel) {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    if signals.thread_block().is_err() {
        return;
    }
    let wait = move || {
        if first(&signals) {
            cancel.set();
            eprintln!("\nInterrupted: the running tasks may finish. Once more stops at once.");
        }
        let signal = signals.wait();
        if signal == Ok(Signal::SIGTERM) {
            stop(143);
        } else if signal.is_ok() {
            eprintln!("[ERROR]: User interrupted execution");
            stop(99);
        }
    };
    // Without the thread Ctrl-C would be lost: give the signal back.
    if std::thread::Builder::new().name("interrupt".into()).spawn(wait).is_err() {
        let _ = signals.thread_unblock();
    }
}

/// Waits for the first signal, and says whether the running tasks may finish.
fn first(signals: &SigSet) -> bool {
    match signals.wait() {
        Ok(Signal::SIGTERM) => stop(143),
        signal => signal.is_ok(),
    }
}

/// Ends this process, and its connections first: nothing is to stay behind on the hosts.
fn stop(code: i32) -> ! {
    crate::connection::abandon();
    std::process::exit(code)
}
