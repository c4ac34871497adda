//! Programs do not outlive the helper that started them, however that one ends, nor does what they started.
//!
//! A shell stands by: on its standard input it hears which groups of processes there are, and kills them when that
//! ends before they do. The helper could be killed too early to do it itself, and what the kernel can do for it
//! (`PR_SET_PDEATHSIG`) reaches children only, and takes a fork for each of them.
#![expect(clippy::disallowed_methods, reason = "the guard is started before there is a check mode to ask")]

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the shell does. Each line has all groups there are at the time.
const SCRIPT: &str = "trap '' HUP INT QUIT TERM; while read -r line; do groups=$line; done; \
                      for group in $groups; do kill -9 -$group; done";

static GUARD: Mutex<Option<Guard>> = Mutex::new(None);

struct Guard {
    shell: Child,
    input: ChildStdin,
    groups: Vec<u32>,
}

/// From now on programs end with this process. That is for the helper on a host: the controller has other ways to
/// end what it started.
pub fn end_with_us() -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", SCRIPT]).env_clear().process_group(0);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let input = shell.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    *lock() = Some(Guard { shell, input, groups: Vec::new() });
    Ok(())
}

/// Sends the guard away, once nothing runs any more that was to be guarded.
pub fn dismiss() {
    if let Some(Guard { mut shell, input, .. }) = lock().take() {
        drop(input);
        let _ = shell.wait();
    }
}

fn lock() -> MutexGuard<'static, Option<Guard>> {
    GUARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program's group, as long as it is guarded.
#[derive(Debug)]
pub struct Guarded(Option<u32>);

/// Guards a program that has just been started as the head of its group.
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

/// Says whether there is a guard who was told.
fn tell(change: impl FnOnce(&mut Vec<u32>)) -> bool {
    let mut guard = lock();
    let Some(guard) = &mut *guard else { return false };
    change(&mut guard.groups);
    let mut line = guard.groups.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    line.push('\n');
    guard.input.write_all(line.as_bytes()).is_ok()
}
