//! Signals: the first SIGINT waits for running tasks, the second one and SIGTERM stop the run.

use std::sync::{Mutex, MutexGuard};

use nix::sys::signal::{SigSet, Signal};
use playbook_api::context::Cancel;

use crate::report::output;

/// What the next SIGINT sets; none before anything is watched.
static CURRENT: Mutex<Option<Cancel>> = Mutex::new(None);

fn current() -> MutexGuard<'static, Option<Cancel>> {
    CURRENT.lock().unwrap_or_else(|e| e.into_inner())
}

/// From now on the first SIGINT sets `cancel`, and the second ends the process with ansible-playbook's exit code
/// for it. Programs that tasks start are not affected: a child begins with no signal blocked.
pub fn watch(cancel: Cancel) {
    if current().replace(cancel).is_some() {
        return;
    }
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    if signals.thread_block().is_err() {
        return;
    }
    let wait = move || {
        while let Ok(signal) = signals.wait() {
            match &*current() {
                _ if signal == Signal::SIGTERM => stop(143),
                Some(cancel) if !cancel.is_set() => {
                    cancel.set();
                    output::error(
                        "\nInterrupted: waiting for running tasks to finish. Press Ctrl-C again to stop now.\n",
                    );
                }
                _ => {
                    output::error("[ERROR]: User interrupted execution\n");
                    stop(99);
                }
            }
        }
    };
    // Without the thread Ctrl-C would be lost: give the signal back.
    if std::thread::Builder::new().name("interrupt".into()).spawn(wait).is_err() {
        let _ = signals.thread_unblock();
    }
}

/// Ends this process, and its connections first: nothing is to stay behind on the hosts.
fn stop(code: i32) -> ! {
    crate::connection::abandon();
    std::process::exit(code)
}
