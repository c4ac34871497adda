//! The conversation with a shell that is becoming the helper, or a command of somebody else's: its lines, its
//! questions, and what it complains of.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use playbook_api::{Error, ErrorKind, Failure};
use playbook_remote::frame::Assembler;
use playbook_remote::message::{Message, PROTOCOL};
use playbook_remote::terminal::ASKS;

use super::channel::{Channel, Reader, any_readable, readable};
use super::launch::{Launcher, Started};
use super::payload::Payload;
use super::privilege::{self, Become};

/// The word by which the shell says that it has found no helper; the kind of host and the ways to unpack follow.
pub const NEEDS: &str = "PLAYBOOK-NEEDS";

/// The word by which the shell says that it could not put a helper in place; the directory's number follows.
pub const FAILED: &str = "PLAYBOOK-FAILED";

/// The number of directories that are tried one after the other.
pub const FOLDERS: usize = 6;

/// How long a silent start is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest line that makes sense.
const LONGEST: usize = 1 << 20;

/// How much of what a login says to people is kept.
const KEPT: usize = 8 << 10;

/// What the shell at the other end says.
pub enum BootstrapReply {
    /// The helper runs; its own words follow.
    Ready,
    Needs {
        uname: String,
        gzip: bool,
    },
    /// The helper could not be put into the folder of this number.
    Failed(usize),
    /// It ended.
    Nothing,
}

/// A conversation with a shell that is becoming the helper.
pub struct Dialogue<'a> {
    pub started: Started,
    other: Option<&'a Become>,
    /// Who a terminal on the host asks for.
    terminal: Option<&'a Become>,
    key: String,
    pub answered: bool,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    noise: String,
    /// Whether its standard error is closed.
    deaf: bool,
}

impl<'a> Dialogue<'a> {
    pub fn begin(
        launcher: &dyn Launcher,
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
            other,
            terminal,
            key,
            answered: false,
            out: Vec::new(),
            err: Vec::new(),
            noise: String::new(),
            deaf: false,
        })
    }

    pub fn line(&mut self) -> Result<BootstrapReply, Failure> {
        while let Some(line) = self.next_line()? {
            let mut words = line.split_whitespace();
            match words.next() {
                Some(playbook_remote::READY) => return Ok(BootstrapReply::Ready),
                Some(NEEDS) => {
                    let words: Vec<&str> = words.collect();
                    let gzip = words.last() == Some(&"gzip");
                    let uname = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
                    return Ok(BootstrapReply::Needs { uname, gzip });
                }
                Some(FAILED) => {
                    return Ok(BootstrapReply::Failed(
                        words.next().and_then(|n| n.parse().ok()).unwrap_or(FOLDERS),
                    ));
                }
                Some(ASKS) => {
                    let password = self.terminal.and_then(|other| other.password.as_ref());
                    let password = password.map_or("", |password| &password.0);
                    self.started.input.write_all(format!("{password}\n").as_bytes())?;
                    self.answered = true;
                }
                // What a login has to say to people.
                _ if self.noise.len() < KEPT => self.noise.push_str(&line),
                _ => {}
            }
        }
        Ok(BootstrapReply::Nothing)
    }

    /// The next line of output; nothing at its end.
    pub fn next_line(&mut self) -> Result<Option<String>, Failure> {
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(end) = self.out.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.out.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            let both = [&self.started.output, &self.started.errors];
            let [out, err] = match self.deaf {
                false => any_readable(both, Duration::from_millis(200))?,
                true => [readable(both[0], Duration::from_millis(200))?, false],
            };
            if out {
                let mut piece = [0; 4096];
                match self.started.output.read(&mut piece)? {
                    0 => {
                        self.listen()?;
                        return Ok(None);
                    }
                    _ if self.out.len() > LONGEST => {
                        return Err(Failure::new("the host talks without end"));
                    }
                    count => self.out.extend_from_slice(&piece[..count]),
                }
                deadline = Instant::now() + PATIENCE;
            } else if err && self.listen()? {
                deadline = Instant::now() + PATIENCE;
            }
            if Instant::now() > deadline {
                let (seconds, said) = (PATIENCE.as_secs(), self.complaints());
                let error = match self.other {
                    None => Error::new(format!("Timeout ({seconds}s) waiting for the helper to start: {said}")),
                    Some(_) => Error::new(format!(
                        "Timed out waiting for become success or become password prompt ({seconds}s waiting for privilege escalation prompt): {said}"
                    ))
                    .with_kind(ErrorKind::Unreachable),
                };
                return Err(error.into());
            }
        }
    }

    /// Hears complaints and questions, and answers the one for the password. Says whether there was anything.
    fn listen(&mut self) -> Result<bool, Failure> {
        let mut heard = false;
        while !self.deaf && readable(&self.started.errors, Duration::ZERO)? {
            let mut piece = [0; 4096];
            let count = self.started.errors.read(&mut piece)?;
            if count == 0 {
                self.deaf = true;
                break;
            }
            heard = true;
            self.err.extend_from_slice(&piece[..count]);
        }
        let Some(other) = self.other.filter(|_| heard) else { return Ok(heard) };
        if let Some(end) = other.question(&self.err, &self.key) {
            self.err.drain(..end);
            let Some(password) = &other.password else { return Err(other.missing()) };
            if self.answered {
                return Err(other.incorrect());
            }
            self.answered = true;
            self.started.input.write_all(format!("{}\n", password.0).as_bytes())?;
        }
        Ok(heard)
    }

    pub fn send(&mut self, payload: &Payload, gzip: bool) -> Result<(), Failure> {
        let unpacked;
        let (form, bytes) = match gzip {
            true => ("gzip", payload.packed_bytes()),
            false => {
                unpacked = payload.unpacked()?;
                ("plain", &*unpacked)
            }
        };
        let input = &mut self.started.input;
        let sent = writeln!(input, "{form} {}", bytes.len()).and_then(|()| input.write_all(bytes));
        match sent {
            Ok(()) => Ok(()),
            // It says why.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// The channel, once the helper has introduced itself.
    pub fn channel(self) -> Result<Channel, Failure> {
        let mut assembler = Assembler::default();
        let mut rest = &self.out[..];
        while !rest.is_empty() {
            assembler.fill(&mut rest)?;
        }
        let Started { input, output, process, .. } = self.started;
        let mut reader = Reader { output, assembler };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match reader.assembler.take()? {
                Some((_, Message::Hello(hello))) if hello.protocol == PROTOCOL => {
                    return Ok(Channel::new(input, reader, process));
                }
                Some(_) => return Err(Failure::new("the helper on the host speaks another language")),
                None if Instant::now() > deadline => return Err(Failure::new("the helper does not answer")),
                None => {
                    if readable(&reader.output, Duration::from_millis(100))?
                        && reader.assembler.fill(&mut reader.output)? == 0
                    {
                        return Err(Failure::new("the helper ended before it said anything"));
                    }
                }
            }
        }
    }

    /// Whether a silent end may be the helper's own, and not a refusal to become somebody.
    pub fn is_ours(&self) -> bool {
        let said = self.complaints();
        self.other.or(self.terminal).is_none_or(|other| other.refusal(&said, self.answered).is_none())
            && (said.contains("playbook-remote") || said.contains("Permission denied") || said.is_empty())
    }

    pub fn complaints(&self) -> String {
        let said = format!("{}{}", String::from_utf8_lossy(&self.err), self.noise);
        said.trim().to_owned()
    }

    /// Why nothing came of it.
    pub fn refused(mut self) -> Failure {
        let _ = self.listen();
        let said = self.complaints();
        let code = self.started.process.wait(Duration::from_millis(500));
        let Some(other) = self.other.or(self.terminal) else {
            let code = code.map_or_else(String::new, |code| format!(" (code {code})"));
            let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
            return Error::new(format!("the helper did not start on the host{code}: {said}")).into();
        };
        match other.refusal(&said, self.answered) {
            Some(refusal) => Failure::new(refusal),
            None => Failure::new(format!("cannot become '{}' with {}: {said}", other.user, other.name())),
        }
    }
}
