//! Compares the times that targets take with `playbook` and with ansible-core.
//!
//! Many targets sleep, or test a timeout. The idle time of playbook's run is such waiting and is the same for both: the
//! second sum leaves it out.

use std::time::Duration;

use xtask::Result;

use super::target::Outcome;

/// The commands that run a target.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    /// `playbook`.
    Ours,
    /// ansible-core's own commands.
    Theirs,
}

/// The seconds of one target, or of all.
#[derive(Clone, Copy, Default)]
struct Times {
    ours: f64,
    theirs: f64,
    /// The idle time of `playbook`.
    idle: f64,
}

impl Times {
    fn add(&mut self, other: Times) {
        self.ours += other.ours;
        self.theirs += other.theirs;
        self.idle += other.idle;
    }

    fn ratio(self) -> f64 {
        self.theirs / self.ours.max(0.001)
    }

    fn without_waits(self) -> Times {
        Times { ours: self.ours - self.idle, theirs: self.theirs - self.idle, idle: 0.0 }
    }
}

/// Runs each target with both, one after the other, and returns whether `playbook` is never slower and never does less.
pub(crate) fn compare(names: &[&str], run: impl Fn(Side, usize) -> Result<Outcome>) -> Result<bool> {
    println!("{:<34} {:>9} {:>13} {:>7}", "target", "playbook", "ansible-core", "ratio");
    let mut sum = Times::default();
    let mut slower = Vec::new();
    let mut broken = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let before = children_cpu();
        let ours = run(Side::Ours, at)?;
        let busy = (children_cpu() - before).as_secs_f64();
        let theirs = run(Side::Theirs, at)?;
        if ours.done < theirs.done {
            broken.push(*name);
        }
        let wall = ours.time.as_secs_f64();
        let times = Times { ours: wall, theirs: theirs.time.as_secs_f64(), idle: (wall - busy).max(0.0) };
        println!("{name:<34} {:>8.2}s {:>12.2}s {:>6.1}x", times.ours, times.theirs, times.ratio());
        if times.ours > times.theirs {
            slower.push(*name);
        }
        sum.add(times);
    }
    let line = |what: &str, sum: Times| {
        println!("{what:<34} {:>8.1}s {:>12.1}s {:>6.1}x", sum.ours, sum.theirs, sum.ratio());
    };
    line("sum", sum);
    line("sum without idle time", sum.without_waits());
    if !slower.is_empty() {
        println!("slower than ansible-core: {}", slower.join(" "));
    }
    if !broken.is_empty() {
        println!("did less than ansible-core: {}", broken.join(" "));
    }
    Ok(slower.is_empty() && broken.is_empty())
}

/// Returns the processor time of all descendants that have ended.
fn children_cpu() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage writes the whole structure; should it fail, zeroes are a valid one.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}
