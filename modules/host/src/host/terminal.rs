//! Runs programs that ask for input, on a new terminal.
#![expect(clippy::disallowed_methods, reason = "terminals are opened here alone")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use playbook_api::{Context, Failure};

use crate::host::capture::{self, Capture};
use crate::host::process::{Program, cannot_start};

/// A program's output on its terminal, and its exit status; `None` if it had to be ended.
#[derive(Debug, Default)]
pub(crate) struct TerminalOutput {
    pub(crate) rc: Option<i32>,
    pub(crate) output: String,
}

/// The options of a program that asks for input.
pub(crate) struct ExpectOptions<'a> {
    /// The prompts to wait for.
    pub(crate) prompts: &'a [Regex],
    /// The response to the prompt with this number. It also gets the output so far.
    pub(crate) answer: &'a mut dyn FnMut(usize, &str) -> Result<String, Failure>,
    /// The time limit for each prompt, and for the end.
    pub(crate) timeout: Option<Duration>,
    /// Whether the terminal shows what is typed.
    pub(crate) echo: bool,
}

/// Runs a program on a terminal. Only [`crate::host::Host`] calls this, since it knows about check mode.
pub(crate) fn talk(
    program: &Program,
    options: &mut ExpectOptions,
    context: &Context,
) -> Result<TerminalOutput, Failure> {
    let name = program.argv().join(" ");
    let (mut child, mut terminal) =
        start(program, options.echo, context).map_err(|e| cannot_start(&name, &e))?;
    let said = converse(&mut terminal, options, context);
    let ended = matches!(said, Ok((_, true)));
    let rc = end(&mut child, ended);
    let (output, _) = said?;
    let output = String::from_utf8(output).map_err(|_| {
        Failure::new("Refusing to deserialize an invalid UTF8 string value: the program's output")
            .with_help("Have the program write UTF-8, for example with `environment: {LC_ALL: C.UTF-8}`.")
    })?;
    Ok(TerminalOutput { rc, output })
}

fn start(program: &Program, echo: bool, context: &Context) -> io::Result<(Child, File)> {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let mut open = OpenOptions::new();
    let slave = open.read(true).write(true).custom_flags(libc::O_NOCTTY).open(ptsname_r(&master)?)?;
    if !echo {
        let mut settings = tcgetattr(&slave)?;
        settings.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&slave, SetArg::TCSANOW, &settings)?;
    }
    // Programs read passwords from the terminal of their session.
    let mut command = program.in_session(context)?;
    command.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave.try_clone()?)).stderr(slave);
    let child = command.spawn()?;
    let master = master.as_fd().try_clone_to_owned()?;
    Ok((child, File::from(master)))
}

/// The output so far, and whether the program has closed its terminal.
fn converse(
    terminal: &mut File,
    options: &mut ExpectOptions,
    context: &Context,
) -> Result<(Vec<u8>, bool), Failure> {
    const GLANCE: Duration = Duration::from_millis(200);
    /// The number of bytes at the end of the output that are searched for a prompt.
    const SEARCHED: usize = 64 * 1024;
    let (mut output, mut unanswered) = (Capture::new(capture::limit(context)), Vec::<u8>::new());
    let mut since = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        while let Some((number, rest)) = heard(options.prompts, &unanswered) {
            let answer = (options.answer)(number, &String::from_utf8_lossy(&output.so_far()))?;
            unanswered = rest;
            since = Instant::now();
            if terminal.write_all(answer.as_bytes()).is_err() {
                return Ok((output.into_bytes(), true));
            }
        }
        if context.cancel.is_set() || options.timeout.is_some_and(|limit| since.elapsed() > limit) {
            return Ok((output.into_bytes(), false));
        }
        let ready = {
            let mut fds = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::ZERO)).unwrap_or(0)
        };
        if ready == 0 {
            continue;
        }
        match terminal.read(&mut buffer) {
            // Reading from a terminal that no process has open is an input/output error.
            Ok(0) | Err(_) => return Ok((output.into_bytes(), true)),
            Ok(n) => {
                let piece = buffer.get(..n).unwrap_or_default();
                output.push(piece);
                unanswered.extend_from_slice(piece);
                // A prompt is shorter than this.
                let over = unanswered.len().saturating_sub(SEARCHED);
                unanswered.drain(..over);
            }
        }
    }
}

/// Returns the first prompt in the output, and its end.
fn heard(prompts: &[Regex], said: &[u8]) -> Option<(usize, Vec<u8>)> {
    if said.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(said);
    let found = prompts.iter().enumerate().filter_map(|(number, prompt)| {
        let found = prompt.find(&*text).ok().flatten()?;
        Some((found.start(), number, found.end()))
    });
    let (_, number, end) = found.min_by_key(|(start, number, _)| (*start, *number))?;
    Some((number, text.as_bytes()[end..].to_vec()))
}

/// Returns the exit status of a program that is about to exit. If it does not, it is ended.
fn end(child: &mut Child, ended: bool) -> Option<i32> {
    let timeout = if ended { Duration::from_secs(2) } else { Duration::ZERO };
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return status.code().filter(|_| status.signal().is_none());
            }
            Ok(None) if start.elapsed() < timeout => std::thread::sleep(Duration::from_millis(5)),
            _ => break,
        }
    }
    crate::host::process::end(child);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, prompts: &[&str], timeout: u64) -> (TerminalOutput, usize) {
        let prompts: Vec<Regex> =
            prompts.iter().map(|p| crate::host::regex::compile(p, "").unwrap()).collect();
        let mut answers = 0;
        let mut options = ExpectOptions {
            prompts: &prompts,
            answer: &mut |number, _| {
                answers += 1;
                Ok(format!("answer {number}\n"))
            },
            timeout: Some(Duration::from_secs(timeout)),
            echo: false,
        };
        let talk = talk(&Program::new(["sh", "-c", script]), &mut options, &Context::default()).unwrap();
        (talk, answers)
    }

    #[test]
    fn prompts_on_the_terminal_are_answered() {
        let script =
            "printf 'Name: ' >/dev/tty; read a; printf 'Again: '; read b; echo \"[$a] [$b]\"; exit 3";
        let (talk, answers) = run(script, &["Again: ", "Name: "], 20);
        assert_eq!((talk.rc, answers), (Some(3), 2));
        assert!(talk.output.ends_with("[answer 1] [answer 0]\r\n"), "{}", talk.output);
    }

    #[test]
    fn a_program_that_never_asks_is_ended() {
        let start = Instant::now();
        let (talk, answers) = run("echo hello; sleep 60", &["Name: "], 1);
        assert_eq!((talk.rc, answers, talk.output.as_str()), (None, 0, "hello\r\n"));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
