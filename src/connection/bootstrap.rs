//! How the helper comes to run: one command line that starts it where it is already, or else asks for it on the same
//! channel, and answers to whoever asks for a password on the way.

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

/// How the helper is kept on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deploy {
    /// `remote_tmp`.
    pub folder: String,
    /// Whether it stays there for the next run.
    pub keep: bool,
}

/// What the shell says once it has found no helper: what is wanted, and how it may come.
const NEEDS: &str = "PLAYBOOK-NEEDS";

/// What it says when a helper that was sent could not be put in place.
const FAILED: &str = "PLAYBOOK-FAILED";

/// How long a silent start is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many folders are tried one after the other.
const FOLDERS: usize = 6;

/// Starts the helper as somebody, and puts it there first where it is missing.
pub fn start(
    launcher: &dyn Launcher,
    deploy: &Deploy,
    other: Option<&Become>,
    payload: &mut Option<Payload>,
) -> Result<Channel, Failure> {
    // doas takes a password from a terminal alone: the login user's helper provides one.
    let terminal = other.filter(|other| other.needs_terminal());
    let (mut first, mut last) = (Attempt::default(), Attempt::default());
    loop {
        let current = match payload {
            Some(payload) => payload.clone(),
            None => Payload::own().or_else(|e| foreign(launcher).unwrap_or(Err(e)))?,
        };
        let serve = format!("serve {}{}", current.hash, if deploy.keep { "" } else { " once" });
        let line = last.script(deploy, &current, &serve);
        let mut dialogue = match terminal {
            Some(other) => {
                let once = if deploy.keep { "" } else { "once " };
                let line = format!("terminal {once}{}", privilege::quote(&other.command(&line, "")?));
                Dialogue::begin(launcher, &first.script(deploy, &current, &line), None, Some(other))?
            }
            None => Dialogue::begin(launcher, &line, other, None)?,
        };
        loop {
            let said = dialogue.line()?;
            let attempt = if terminal.is_some() && !dialogue.answered { &mut first } else { &mut last };
            match said {
                Said::Ready => return dialogue.channel(),
                Said::Needs { uname, gzip } => {
                    let wanted = match payload {
                        Some(known) => known.clone(),
                        None => payload.insert(Payload::of(&uname)?).clone(),
                    };
                    if wanted.hash != current.hash {
                        // A host of another kind: ask again, for its own helper.
                        break;
                    }
                    dialogue.send(&wanted, gzip)?;
                    attempt.sent = true;
                }
                Said::Failed(folder) if folder + 1 < FOLDERS => {
                    attempt.skip = folder + 1;
                    break;
                }
                Said::Failed(_) => return Err(nowhere(&dialogue.complaints())),
                // What was there did not start: it may be damaged.
                Said::Nothing if !attempt.fresh && !attempt.sent && dialogue.is_ours() => {
                    attempt.fresh = true;
                    break;
                }
                Said::Nothing => return Err(dialogue.refused()),
            }
        }
    }
}

/// Runs a plain command line as somebody, to the point where its own output begins.
pub fn plain<'a>(
    launcher: &dyn Launcher,
    command: &str,
    other: &'a Become,
) -> Result<(Dialogue<'a>, Vec<u8>), Failure> {
    let marker = format!("PLAYBOOK-BECAME-{}", uuid::Uuid::new_v4().simple());
    let mut dialogue = Dialogue::begin(launcher, &format!("echo {marker}; {command}"), Some(other), None)?;
    while let Some(line) = dialogue.next_line()? {
        if line.trim_end() == marker {
            let rest = std::mem::take(&mut dialogue.out);
            return Ok((dialogue, rest));
        }
    }
    Err(dialogue.refused())
}

/// A helper for the host itself, where this program has none inside: found by asking what the host is.
fn foreign(launcher: &dyn Launcher) -> Option<Result<Payload, Failure>> {
    let mut started = launcher.start("uname -sm").ok()?;
    let mut uname = String::new();
    started.output.read_to_string(&mut uname).ok()?;
    Payload::of(uname.trim()).ok().map(Ok)
}

fn nowhere(said: &str) -> Failure {
    Failure::new(format!("there is no place on the host for the helper: {}", said.trim())).help(
        "it needs a folder of its own that it may be started from: set remote_tmp to one that is writable, not mounted with noexec, and not full",
    )
}

#[derive(Default)]
struct Attempt {
    /// Whether a helper that is there already is to be replaced.
    fresh: bool,
    /// How many folders did not do.
    skip: usize,
    /// Whether a helper was sent.
    sent: bool,
}

impl Attempt {
    /// The command line. It is for any shell that calls itself `/bin/sh`, has no single quote, no line break and no
    /// exclamation mark in it, and starts no program but `id`, `mkdir` and what unpacks the helper.
    fn script(&self, deploy: &Deploy, payload: &Payload, run: &str) -> String {
        let hash = &payload.hash;
        let name = format!("playbook-remote-{}", hash.get(..16).unwrap_or(hash));
        let (fresh, skip) = (u8::from(self.fresh || self.skip > 0), self.skip);
        let first = expandable(&deploy.folder);
        format!(
            concat!(
                "n={name};r={fresh};s={skip};d={first}/playbook;",
                "g() {{ [ $r = 0 ] && [ -O \"$d\" ] && [ -x \"$d/$n\" ] && exec \"$d/$n\" {run}; }};",
                "g;u=$(id -u);",
                "f() {{ case $1 in 0) d={first}/playbook;; 1) d=${{HOME:-/nonexistent}}/.cache/playbook;; ",
                "2) d=/var/tmp/playbook-$u;; 3) d=/tmp/playbook-$u;; 4) d=/dev/shm/playbook-$u;; ",
                "*) d=${{XDG_RUNTIME_DIR:-/run/user/$u}}/playbook;; esac; }};",
                "for i in 1 2 3 4 5; do f $i; g; done;",
                "echo {needs} $(uname -sm) $(command -v gzip >/dev/null 2>&1 && echo gzip);",
                "read -r z c || exit 1;m=$(umask);umask 077;",
                "for i in 0 1 2 3 4 5; do [ $i -lt $s ] && continue;f $i;t=$d/.$n.$$;",
                "[ -d \"$d\" ] || mkdir -p \"$d\" 2>&1;",
                "[ -O \"$d\" ] && : >\"$t\" && chmod 700 \"$t\" && \"$t\" && {{ ",
                "if [ $z = gzip ]; then head -c $c | gzip -dc >\"$t\"; else head -c $c >\"$t\"; fi;",
                "[ -s \"$t\" ] && \"$t\" verify {hash} && mv -f \"$t\" \"$d/$n\" && umask $m && exec \"$d/$n\" {run};",
                "rm -f \"$t\" \"$d/$n\";echo {failed} $i;exit 1; }};rm -f \"$t\" 2>/dev/null;",
                "done;echo {failed} 9;exit 1",
            ),
            name = name,
            fresh = fresh,
            skip = skip,
            first = first,
            hash = hash,
            run = run,
            needs = NEEDS,
            failed = FAILED,
        )
    }
}

/// A folder's name in double quotes, with `~` and variables left for the host's shell.
fn expandable(folder: &str) -> String {
    let (start, rest) = match folder.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => ("${HOME:-/nonexistent}".to_owned(), rest),
        Some(rest) => {
            let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let plain = user.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
            // Outside of the quotes, where the shell finds whose home that is.
            return match plain {
                true => format!("~{user}\"{}\"", escaped(rest)),
                false => format!("\"{}\"", escaped(folder)),
            };
        }
        None => (String::new(), folder),
    };
    format!("\"{start}{}\"", escaped(rest))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' | '`' => out.extend(['\\', c]),
            // A command has no place in a folder's name, and these cannot stand in the line.
            '(' | '\'' | '!' | '\n' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

/// What the shell at the other end says.
enum Said {
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
    answered: bool,
    out: Vec<u8>,
    pub err: Vec<u8>,
    noise: String,
    /// Whether its standard error is closed.
    deaf: bool,
}

impl<'a> Dialogue<'a> {
    fn begin(
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

    fn line(&mut self) -> Result<Said, Failure> {
        while let Some(line) = self.next_line()? {
            let mut words = line.split_whitespace();
            match words.next() {
                Some(playbook_remote::READY) => return Ok(Said::Ready),
                Some(NEEDS) => {
                    let words: Vec<&str> = words.collect();
                    let gzip = words.last() == Some(&"gzip");
                    let uname = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
                    return Ok(Said::Needs { uname, gzip });
                }
                Some(FAILED) => {
                    return Ok(Said::Failed(words.next().and_then(|n| n.parse().ok()).unwrap_or(FOLDERS)));
                }
                Some(ASKS) => {
                    let password = self.terminal.and_then(|other| other.password.as_ref());
                    let password = password.map_or("", |password| &password.0);
                    self.started.input.write_all(format!("{password}\n").as_bytes())?;
                    self.answered = true;
                }
                // What a login has to say to people.
                _ => self.noise.push_str(&line),
            }
        }
        Ok(Said::Nothing)
    }

    /// The next line of output; nothing at its end.
    fn next_line(&mut self) -> Result<Option<String>, Failure> {
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
                    .kind(ErrorKind::Unreachable),
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

    fn send(&mut self, payload: &Payload, gzip: bool) -> Result<(), Failure> {
        let unpacked;
        let (form, bytes) = match gzip {
            true => ("gzip", payload.packed_bytes()),
            false => {
                unpacked = payload.unpacked()?;
                ("plain", &*unpacked)
            }
        };
        let input = &mut self.started.input;
        let sent = write!(input, "{form} {}\n", bytes.len()).and_then(|()| input.write_all(bytes));
        match sent {
            Ok(()) => Ok(()),
            // It says why.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// The channel, once the helper has introduced itself.
    fn channel(self) -> Result<Channel, Failure> {
        let mut assembler = Assembler::default();
        let mut rest = &self.out[..];
        while !rest.is_empty() {
            assembler.fill(&mut rest)?;
        }
        let Started { input, output, process, .. } = self.started;
        let mut reader = Reader { output, assembler };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match reader.assembler.next()? {
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
    fn is_ours(&self) -> bool {
        let said = self.complaints();
        self.other.or(self.terminal).is_none_or(|other| other.refusal(&said, self.answered).is_none())
            && (said.contains("playbook-remote") || said.contains("Permission denied") || said.is_empty())
    }

    fn complaints(&self) -> String {
        let said = format!("{}{}", String::from_utf8_lossy(&self.err), self.noise);
        said.trim().to_owned()
    }

    /// Why nothing came of it.
    fn refused(mut self) -> Failure {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_expand_on_the_host_and_run_nothing() {
        assert_eq!(expandable("~/.ansible/tmp"), "\"${HOME:-/nonexistent}/.ansible/tmp\"");
        assert_eq!(expandable("~deploy/x"), "~deploy\"/x\"");
        assert_eq!(expandable("$TMP/a b"), "\"$TMP/a b\"");
        assert_eq!(expandable("/x$(id)`id`\"'"), "\"/x$?id)\\`id\\`\\\"?\"");
    }

    #[test]
    fn the_line_suits_every_login_shell() {
        let payload = Payload::own().unwrap();
        let deploy = Deploy { folder: "~/.ansible/tmp".into(), keep: true };
        let line = Attempt::default().script(&deploy, &payload, "serve x");
        assert!(!line.contains(['\'', '!', '\n']), "{line}");
    }
}
