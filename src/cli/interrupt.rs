//! Signals: the first SIGINT waits for running tasks, the second one, SIGTERM and SIGHUP stop the run.

use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use playbook_api::context::Cancel;
use playbook_api::sync::lock;

use crate::report::output;

/// The requests that signals set; `None` until a run is watched.
static CURRENT: Mutex<Option<Run>> = Mutex::new(None);

/// The requests that a run checks.
struct Run {
    /// Whether no further task begins.
    interrupt: Cancel,
    /// Whether running tasks are canceled.
    stop: Cancel,
}

/// The time for which the program waits before it exits, so that servers can be told to cancel its statements.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Watches for signals: from now on the first SIGINT sets `interrupt`, and the second sets `stop` and ends the process
/// with ansible-playbook's exit status for it. Programs that tasks start are not affected: a child begins with no
/// signal blocked.
pub(super) fn watch(interrupt: Cancel, stop: Cancel) {
    if lock(&CURRENT).replace(Run { interrupt, stop }).is_some() {
        return;
    }
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    if !is_ignored(Signal::SIGHUP) {
        signals.add(Signal::SIGHUP);
    }
    if signals.thread_block().is_err() {
        return;
    }
    let wait = move || {
        while let Ok(signal) = signals.wait() {
            match &*lock(&CURRENT) {
                run if matches!(signal, Signal::SIGTERM | Signal::SIGHUP) => {
                    end(run.as_ref(), 128 + signal as i32)
                }
                Some(run) if !run.interrupt.is_set() => {
                    run.interrupt.set();
                    output::error(
                        "\nInterrupted: waiting for running tasks to finish. Press Ctrl-C again to stop now.\n",
                    );
                }
                run => {
                    output::error("[ERROR]: User interrupted execution\n");
                    end(run.as_ref(), 99);
                }
            }
        }
    };
    // Without the thread Ctrl-C would be lost: give the signal back.
    if std::thread::Builder::new().name("interrupt".into()).spawn(wait).is_err() {
        let _ = signals.thread_unblock();
    }
}

/// Whether this process was started with a signal ignored, as `nohup` does.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & 1 << (signal as u32 - 1) != 0
}

/// Ends this process. Before that, it ends its statements on servers and its connections to hosts.
fn end(run: Option<&Run>, code: i32) -> ! {
    crate::connection::announce();
    if let Some(run) = run {
        run.stop.set();
        run.stop.wait_until_idle(LAST_WORDS);
    }
    crate::connection::abandon();
    std::process::exit(code)
}
