//! Ends the programs of the helper, and their descendants, when the helper ends for any reason.
//!
//! A guard shell reads the current process groups from its standard input, and kills them when its input ends. The
//! helper may be killed before it can do so itself. The kernel's own means (`PR_SET_PDEATHSIG`) works only for direct
//! children, and requires a fork for each of them.
#![expect(clippy::disallowed_methods, reason = "the guard is started before there is a check mode to ask")]

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The program of the shell. Each line has all present groups.
const SCRIPT: &str = "trap '' HUP INT QUIT TERM; while read -r line; do groups=$line; done; \
                      for group in $groups; do kill -9 -$group; done";

static GUARD: Mutex<Option<Guard>> = Mutex::new(None);

struct Guard {
    shell: Child,
    input: ChildStdin,
    groups: Vec<u32>,
}

/// Makes programs end with this process from now on. This is for the helper on a host; the controller ends its
/// programs in another way.
pub fn end_with_us() -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", SCRIPT]).env_clear().process_group(0);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let input = shell.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    *lock() = Some(Guard { shell, input, groups: Vec::new() });
    Ok(())
}

/// Ends the guard, once no guarded program runs.
pub fn dismiss() {
    if let Some(Guard { mut shell, input, .. }) = lock().take() {
        drop(input);
        let _ = shell.wait();
    }
}

fn lock() -> MutexGuard<'static, Option<Guard>> {
    GUARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A guarded process group, until it is dropped.
#[derive(Debug)]
pub struct Guarded(Option<u32>);

/// Guards a program that has just been started as the leader of its group.
pub fn guard(group: u32) -> Guarded {
    Guarded(tell(|groups| groups.push(group)).then_some(group))
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            tell(|groups| groups.retain(|other| *other != group));
        }
    }
}

/// Returns whether there is a guard that was informed.
fn tell(change: impl FnOnce(&mut Vec<u32>)) -> bool {
    let mut guard = lock();
    let Some(guard) = &mut *guard else { return false };
    change(&mut guard.groups);
    let mut line = guard.groups.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    line.push('\n');
    guard.input.write_all(line.as_bytes()).is_ok()
}
