//! Programs that ask for input: they get a terminal of their own.
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

/// What a program wrote to its terminal, and its exit status; none if it had to be ended.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub(crate) rc: Option<i32>,
    pub(crate) output: String,
}

/// How a talk goes.
pub(crate) struct Manners<'a> {
    /// What is waited for.
    pub(crate) prompts: &'a [Regex],
    /// What is said when the prompt of this number comes; it also gets all that was said so far.
    pub(crate) answer: &'a mut dyn FnMut(usize, &str) -> Result<String, Failure>,
    /// How long each prompt, and the end, may take.
    pub(crate) patience: Option<Duration>,
    /// Whether the terminal shows what is typed.
    pub(crate) echo: bool,
}

/// Runs a program on a terminal. Only [`crate::host::Host`] calls this: it knows whether it may.
pub(crate) fn talk(program: &Program, manners: &mut Manners, context: &Context) -> Result<Talk, Failure> {
    let name = program.argv().join(" ");
    let (mut child, mut terminal) =
        start(program, manners.echo, context).map_err(|e| cannot_start(&name, &e))?;
    let said = converse(&mut terminal, manners, context);
    let ended = matches!(said, Ok((_, true)));
    let rc = end(&mut child, ended);
    let (output, _) = said?;
    let output = String::from_utf8(output).map_err(|_| {
        Failure::new("Refusing to deserialize an invalid UTF8 string value: the program's output")
            .with_help("Have the program write UTF-8, for example with `environment: {LC_ALL: C.UTF-8}`.")
    })?;
    Ok(Talk { rc, output })
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
    // What a program reads a password from is the terminal that its session has.
    let mut command = program.in_session(context)?;
    command.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave.try_clone()?)).stderr(slave);
    let child = command.spawn()?;
    let master = master.as_fd().try_clone_to_owned()?;
    Ok((child, File::from(master)))
}

/// All that was said, and whether the program closed its terminal.
fn converse(
    terminal: &mut File,
    manners: &mut Manners,
    context: &Context,
) -> Result<(Vec<u8>, bool), Failure> {
    const GLANCE: Duration = Duration::from_millis(200);
    /// How much of the unanswered output is searched for a prompt.
    const SEARCHED: usize = 64 * 1024;
    let (mut output, mut unanswered) = (Capture::new(capture::limit(context)), Vec::<u8>::new());
    let mut since = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        while let Some((number, rest)) = heard(manners.prompts, &unanswered) {
            let answer = (manners.answer)(number, &String::from_utf8_lossy(&output.so_far()))?;
            unanswered = rest;
            since = Instant::now();
            if terminal.write_all(answer.as_bytes()).is_err() {
                return Ok((output.into_bytes(), true));
            }
        }
        if context.cancel.is_set() || manners.patience.is_some_and(|limit| since.elapsed() > limit) {
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
            // Reading from a terminal that no process holds any longer is an input/output error.
            Ok(0) | Err(_) => return Ok((output.into_bytes(), true)),
            Ok(n) => {
                let piece = buffer.get(..n).unwrap_or_default();
                output.push(piece);
                unanswered.extend_from_slice(piece);
                // A prompt is not longer than this.
                let over = unanswered.len().saturating_sub(SEARCHED);
                unanswered.drain(..over);
            }
        }
    }
}

/// The first prompt in what was said, and what follows it.
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

/// The code of a program that is about to end; one that is not is ended.
fn end(child: &mut Child, ended: bool) -> Option<i32> {
    let patience = if ended { Duration::from_secs(2) } else { Duration::ZERO };
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return status.code().filter(|_| status.signal().is_none());
            }
            Ok(None) if start.elapsed() < patience => std::thread::sleep(Duration::from_millis(5)),
            _ => break,
        }
    }
    crate::host::process::end(child);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, prompts: &[&str], patience: u64) -> (Talk, usize) {
        let prompts: Vec<Regex> =
            prompts.iter().map(|p| crate::host::regex::compile(p, "").unwrap()).collect();
        let mut answers = 0;
        let mut manners = Manners {
            prompts: &prompts,
            answer: &mut |number, _| {
                answers += 1;
                Ok(format!("answer {number}\n"))
            },
            patience: Some(Duration::from_secs(patience)),
            echo: false,
        };
        let talk = talk(&Program::new(["sh", "-c", script]), &mut manners, &Context::default()).unwrap();
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
