//! Ends everything that this process has started before the process itself ends.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};
use playbook_api::sync::lock;
use playbook_api::time::deadline;

use super::remote::Remote;
use super::shutdown::announce;
use super::ssh;

/// The time limit for all of it: long enough for a login on a busy host, and short enough for a service manager that
/// kills what has not ended after ten seconds.
const LIMIT: Duration = Duration::from_secs(6);

/// The time that a program has after SIGTERM.
const GRACE: Duration = Duration::from_millis(1500);

/// The shared state of the ssh connections of each run of this process.
static SSH: Mutex<Vec<Weak<ssh::Common>>> = Mutex::new(Vec::new());

/// The places that the runs of this process have connected to.
static REMOTES: Mutex<Vec<Weak<Remote>>> = Mutex::new(Vec::new());

/// Registers ssh connections that [`abandon`] has to end.
pub(crate) fn register_ssh(common: &Arc<ssh::Common>) {
    lock(&SSH).push(Arc::downgrade(common));
}

/// Registers a place whose commands [`abandon`] has to end.
pub(crate) fn register(remote: &Arc<Remote>) {
    let mut all = lock(&REMOTES);
    all.retain(|remote| remote.strong_count() > 0);
    all.push(Arc::downgrade(remote));
}

/// Ends the commands, connections and programs of this process immediately. The process must exit afterwards.
pub fn abandon() {
    announce();
    let until = deadline(LIMIT);
    let remotes: Vec<Arc<Remote>> = lock(&REMOTES).iter().filter_map(Weak::upgrade).collect();
    let sweeps = remotes.into_iter().map(|remote| {
        // Without the thread, a command may continue; there is no time for another attempt.
        std::thread::Builder::new().spawn(move || remote.end_commands()).ok()
    });
    let sweeps: Vec<_> = sweeps.flatten().collect();
    let programs = std::thread::Builder::new().spawn(end_programs).ok();
    while sweeps.iter().chain(&programs).any(|thread| !thread.is_finished()) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    for common in lock(&SSH).iter().filter_map(Weak::upgrade) {
        common.abandon();
    }
}

/// Ends the programs that modules have started in this process.
fn end_programs() {
    let all = children();
    all.iter().for_each(|child| signal(*child, Signal::SIGTERM));
    let until = deadline(GRACE);
    while all.iter().any(|child| is_running(*child)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    all.iter().filter(|child| is_running(**child)).for_each(|child| signal(*child, Signal::SIGKILL));
}

/// Signals a program, and its process group if it leads one.
fn signal(child: Pid, signal: Signal) {
    // The program may have ended in the meantime.
    let _ = match getpgid(Some(child)) {
        Ok(group) if group == child => killpg(child, signal),
        _ => kill(child, signal),
    };
}

fn is_running(child: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next()).is_some_and(|state| state != 'Z')
}

/// Returns the programs that this process has started and not waited for.
fn children() -> Vec<Pid> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let numbers = lists.collect::<Vec<String>>().join(" ");
    numbers.split_whitespace().filter_map(|number| number.parse().ok()).map(Pid::from_raw).collect()
}
