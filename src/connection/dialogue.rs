//! The dialogue with a shell that starts the helper, or a command as another user: its lines, prompts and error
//! messages.

use std::collections::VecDeque;
use std::io::Read;
use std::time::{Duration, Instant};

use playbook_api::time::deadline;
use playbook_api::{Error, ErrorKind, Failure};
use playbook_remote::frame::Assembler;
use playbook_remote::message::{Message, PROTOCOL};
use playbook_remote::terminal::ASKS;

use super::channel::{Channel, Reader};
use super::launch::{Launcher, Started};
use super::payload::Payload;
use super::peer::Peer;
use super::pipe::{any_readable, readable, write_all};
use super::privilege::{self, Become};

/// The reply of a shell that has found no helper, followed by the kind of host and the programs that can unpack it.
pub(crate) const NEEDS: &str = "PLAYBOOK-NEEDS";

/// The reply by which the shell confirms a part of the helper.
pub(crate) const GOT: &str = "PLAYBOOK-GOT";

/// The reply of a shell that could not write the helper, followed by the number of the directory.
pub(crate) const FAILED: &str = "PLAYBOOK-FAILED";

/// The number of directories that are tried in turn.
pub(crate) const DIRECTORIES: usize = 6;

/// The interval at which a wait checks its deadline.
const INTERVAL: Duration = Duration::from_millis(200);

/// The number of bytes of the helper that the shell confirms at a time.
const PART: usize = 512 << 10;

/// The maximum length of a line that is kept. The output of a login may have longer lines, but the shell's replies
/// never are.
const LONGEST_LINE: usize = 64 << 10;

/// The number of bytes after which the output of a login counts as endless.
const ENDLESS: usize = 64 << 20;

/// The number of lines after which the output of a login counts as endless.
const ENDLESS_LINES: usize = 1 << 20;

/// The number of bytes that are kept of a login's output.
const KEPT: usize = 8 << 10;

/// The reply of the shell that starts the helper.
pub(crate) enum BootstrapReply {
    /// The helper runs. Its messages follow.
    Ready,
    /// There is no helper yet.
    Needs {
        /// The kind of host, as `uname -sm` prints it.
        uname: String,
        /// Whether the host can unpack gzip.
        gzip: bool,
    },
    /// The helper could not be written to the directory with this number.
    Failed(usize),
    /// The shell has ended.
    Nothing,
}

/// A dialogue with a shell that starts the helper.
pub(crate) struct Dialogue<'a> {
    /// The shell.
    pub started: Started,
    peer: &'a Peer,
    other: Option<&'a Become>,
    /// The user whose password a terminal on the host asks for.
    terminal: Option<&'a Become>,
    key: String,
    /// Whether a password was given.
    pub answered: bool,
    /// Output that was read but not yet split into lines.
    pub out: VecDeque<u8>,
    /// The number of bytes of `out` that hold no line break.
    scanned: usize,
    /// Standard error; only its end if it is long.
    pub err: Vec<u8>,
    noise: String,
    heard: usize,
    lines: usize,
    /// Whether standard error is closed.
    deaf: bool,
}

impl<'a> Dialogue<'a> {
    /// Starts a command line, as another user if one is given.
    pub(crate) fn begin(
        launcher: &dyn Launcher,
        peer: &'a Peer,
        line: &str,
        other: Option<&'a Become>,
        terminal: Option<&'a Become>,
    ) -> Result<Dialogue<'a>, Failure> {
        let key = uuid::Uuid::new_v4().simple().to_string();
        let line = match other {
            Some(other) => other.command(line, &key)?,
            None => format!("/bin/sh -c {}", privilege::quote(line)),
        };
        let started = launcher.start(&line)?;
        Ok(Dialogue {
            started,
            peer,
            other,
            terminal,
            key,
            answered: false,
            out: VecDeque::new(),
            scanned: 0,
            err: Vec::new(),
            noise: String::new(),
            heard: 0,
            lines: 0,
            deaf: false,
        })
    }

    /// Waits for the shell's next reply.
    pub(crate) fn reply(&mut self) -> Result<BootstrapReply, Failure> {
        while let Some(line) = self.next_line()? {
            let mut words = line.split_whitespace();
            match words.next() {
                Some(_) if line.trim_end() == playbook_remote::READY => return Ok(BootstrapReply::Ready),
                Some(NEEDS) => {
                    let words: Vec<&str> = words.collect();
                    let gzip = words.last() == Some(&"gzip");
                    let uname = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
                    return Ok(BootstrapReply::Needs { uname, gzip });
                }
                Some(FAILED) => {
                    let number = words.next().and_then(|n| n.parse().ok());
                    return Ok(BootstrapReply::Failed(number.unwrap_or(DIRECTORIES)));
                }
                Some(ASKS) => {
                    let password = self.terminal.and_then(|other| other.password.as_ref());
                    let password = password.map_or("", |password| &password.0);
                    self.write(format!("{password}\n").as_bytes())?;
                    self.answered = true;
                }
                // This line is output of the login.
                _ if self.noise.len() < KEPT => self.noise.extend(line.chars().take(KEPT)),
                _ => {}
            }
        }
        Ok(BootstrapReply::Nothing)
    }

    /// Waits for the next line of output. Returns `None` at its end.
    pub(crate) fn next_line(&mut self) -> Result<Option<String>, Failure> {
        let mut until = deadline(self.peer.silence);
        loop {
            if let Some(end) = self.out.range(self.scanned..).position(|b| *b == b'\n') {
                let line: Vec<u8> = self.out.drain(..=self.scanned + end).collect();
                self.scanned = 0;
                self.lines += 1;
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            // A long text without a line break cannot be a reply, since replies begin on new lines.
            if self.out.len() > LONGEST_LINE {
                self.out.clear();
            }
            self.scanned = self.out.len();
            let both = [&self.started.output, &self.started.errors];
            let ready = match self.deaf {
                false => any_readable(both, INTERVAL),
                true => readable(both[0], INTERVAL).map(|out| [out, false]),
            };
            let [out, err] = ready.map_err(|e| self.broken(&e))?;
            if out {
                let mut piece = [0; 16 << 10];
                match self.started.output.read(&mut piece).map_err(|e| self.broken(&e))? {
                    0 => {
                        self.listen()?;
                        return Ok(None);
                    }
                    count => {
                        self.hear(count)?;
                        self.out.extend(piece.get(..count).unwrap_or_default());
                    }
                }
                until = deadline(self.peer.silence);
            } else if err && self.listen()? {
                until = deadline(self.peer.silence);
            }
            if Instant::now() > until {
                return Err(self.silent());
            }
        }
    }

    fn hear(&mut self, count: usize) -> Result<(), Failure> {
        self.heard += count;
        match self.heard > ENDLESS || self.lines > ENDLESS_LINES {
            true => {
                let host = &self.peer.host;
                let message = format!("the login on '{host}' prints endless output");
                Err(Error::new(message)
                    .with_kind(ErrorKind::Unreachable)
                    .with_help("Correct the user's login files, such as ~/.bashrc.")
                    .into())
            }
            false => Ok(()),
        }
    }

    fn broken(&self, error: &std::io::Error) -> Failure {
        let message =
            format!("the connection to '{}' broke while the helper was started: {error}", self.peer.host);
        Error::new(message).with_kind(ErrorKind::Unreachable).into()
    }

    /// Returns the error for a login that printed nothing within the time limit.
    fn silent(&self) -> Failure {
        let (seconds, host, said) = (self.peer.silence.as_secs(), &self.peer.host, self.complaints());
        let said =
            if said.is_empty() { "it printed nothing".to_owned() } else { format!("it printed: {said}") };
        self.peer.timed_out(match self.other {
            None => format!(
                "Timeout ({seconds}s) waiting for the helper to start on '{host}': the login has been silent for \
                 {seconds} seconds; {said}"
            ),
            Some(_) => format!(
                "Timed out waiting for become success or become password prompt ({seconds}s waiting for privilege \
                 escalation prompt): {said}"
            ),
        })
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        match write_all(&self.started.input, bytes, self.peer.silence) {
            Ok(()) => Ok(()),
            // The program prints why it has ended.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => Err(self
                .peer
                .timed_out(format!("the shell on '{}' does not read its input: {e}", self.peer.host))),
            Err(e) => Err(self.broken(&e)),
        }
    }

    /// Reads error messages and prompts, and answers the password prompt. Returns whether there was anything to read.
    fn listen(&mut self) -> Result<bool, Failure> {
        let mut heard = false;
        while !self.deaf && readable(&self.started.errors, Duration::ZERO).map_err(|e| self.broken(&e))? {
            let mut piece = [0; 16 << 10];
            let count = self.started.errors.read(&mut piece).map_err(|e| self.broken(&e))?;
            if count == 0 {
                self.deaf = true;
                break;
            }
            heard = true;
            self.hear(count)?;
            self.err.extend_from_slice(piece.get(..count).unwrap_or_default());
            let surplus = self.err.len().saturating_sub(LONGEST_LINE);
            self.err.drain(..surplus);
        }
        let Some(other) = self.other.filter(|_| heard) else { return Ok(heard) };
        if let Some(end) = other.question(&self.err, &self.key) {
            self.err.drain(..end);
            let Some(password) = &other.password else { return Err(other.missing()) };
            if self.answered {
                return Err(other.incorrect());
            }
            self.answered = true;
            self.write(format!("{}\n", password.0).as_bytes())?;
        }
        Ok(heard)
    }

    /// Sends the helper in parts. Each is confirmed, which distinguishes a slow network from a host that does not
    /// respond.
    pub(crate) fn send(&mut self, payload: &Payload, gzip: bool) -> Result<(), Failure> {
        let unpacked;
        let (form, bytes) = match gzip {
            true => ("gzip", payload.packed_bytes()),
            false => {
                unpacked =
                    payload.unpacked().map_err(|e| Failure::new(format!("cannot unpack the helper: {e}")))?;
                ("plain", &*unpacked)
            }
        };
        self.write(format!("{form}\n").as_bytes())?;
        for part in bytes.chunks(PART) {
            self.write(format!("{}\n", part.len()).as_bytes())?;
            self.write(part)?;
            loop {
                match self.next_line()? {
                    Some(line) if line.trim_end() == GOT => break,
                    // The shell has given up and prints the reason.
                    Some(line) if line.starts_with(FAILED) => {
                        line.bytes().rev().for_each(|byte| self.out.push_front(byte));
                        self.scanned = 0;
                        return Ok(());
                    }
                    Some(line) => self.noise.extend(line.chars().take(KEPT)),
                    None => return Ok(()),
                }
            }
        }
        self.write(b"0\n")
    }

    /// Returns the channel after the helper's first message.
    pub(crate) fn channel(mut self) -> Result<Channel, Failure> {
        let mut assembler = Assembler::default();
        let broken = self.broken(&std::io::ErrorKind::UnexpectedEof.into());
        let mut rest = &*self.out.make_contiguous();
        while !rest.is_empty() {
            assembler.fill(&mut rest).map_err(|_| broken.clone())?;
        }
        let Started { input, output, process, .. } = self.started;
        let mut reader = Reader { output, assembler };
        let (host, until) = (&self.peer.host, deadline(self.peer.silence));
        loop {
            match reader.assembler.take()? {
                Some((_, Message::Hello(hello))) if hello.protocol == PROTOCOL => {
                    return Ok(Channel::new(input, reader, process, self.peer.clone()));
                }
                Some(_) => return Err(Failure::new(format!("the helper on '{host}' is of another version"))),
                None if Instant::now() > until => {
                    let seconds = self.peer.silence.as_secs();
                    let message = format!(
                        "the helper on '{host}' has started, but has sent nothing for {seconds} seconds"
                    );
                    return Err(self.peer.timed_out(message));
                }
                None => {
                    let ready = readable(&reader.output, INTERVAL);
                    if ready.is_ok_and(|ready| ready)
                        && reader.assembler.fill(&mut reader.output).ok().is_none_or(|count| count == 0)
                    {
                        return Err(broken);
                    }
                }
            }
        }
    }

    /// Whether an exit without output may be that of the helper, and not a failure to become another user.
    pub(crate) fn is_ours(&self) -> bool {
        let said = self.complaints();
        self.other.or(self.terminal).is_none_or(|other| other.refusal(&said, self.answered).is_none())
            && (said.contains("playbook-remote") || said.contains("Permission denied") || said.is_empty())
    }

    /// Returns what the login and its programs printed.
    pub(crate) fn complaints(&self) -> String {
        let said = format!("{}{}", String::from_utf8_lossy(&self.err), self.noise);
        let said = said.trim();
        let start = said.char_indices().rev().nth(KEPT).map_or(0, |(at, _)| at);
        said.get(start..).unwrap_or_default().to_owned()
    }

    /// Returns the reason why the shell has ended.
    pub(crate) fn refused(mut self) -> Failure {
        // Its last output is only additional information: it has failed in any case.
        let _ = self.listen();
        let said = self.complaints();
        let code = self.started.process.wait(Duration::from_millis(500));
        let Some(other) = self.other.or(self.terminal) else {
            let code = code.map_or_else(String::new, |code| format!(" (exit status {code})"));
            let said = if said.is_empty() { "the login printed nothing".to_owned() } else { said };
            let message = format!("the helper did not start on '{}'{code}: {said}", self.peer.host);
            return Error::new(message)
                .with_kind(ErrorKind::Unreachable)
                .with_help(
                    "Modules need a login shell that runs /bin/sh; nologin and restricted shells do not.",
                )
                .into();
        };
        match other.refusal(&said, self.answered) {
            Some(refusal) => Failure::new(refusal),
            None => Failure::new(format!("cannot become '{}' with {}: {said}", other.user, other.name())),
        }
    }
}
