//! Starts the helper: one command line starts an existing helper, or else requests it on the same channel.

use std::io::Read;

use playbook_api::{Error, ErrorKind, Failure};

use super::channel::Channel;
use super::dialogue::{BootstrapReply, DIRECTORIES, Dialogue, FAILED, GOT, NEEDS};
use super::launch::Launcher;
use super::payload::Payload;
use super::peer::Peer;
use super::pipe::readable;
use super::privilege::{self, Become};

/// How the helper is kept on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deploy {
    /// The directory for temporary files (`remote_tmp`).
    pub directory: String,
    /// Whether the helper stays there for the next run.
    pub keep: bool,
}

/// Starts the helper, as another user if one is given. Uploads it first if it is missing.
pub(crate) fn start(
    launcher: &dyn Launcher,
    peer: &Peer,
    deploy: &Deploy,
    other: Option<&Become>,
    payload: &mut Option<Payload>,
) -> Result<Channel, Failure> {
    // doas reads a password only from a terminal, which the login user's helper provides.
    let mut terminal = other.filter(|other| other.needs_terminal());
    let (mut first, mut last) = (Attempt::default(), Attempt::default());
    loop {
        let current = match payload {
            Some(payload) => payload.clone(),
            None => Payload::own().or_else(|e| foreign(launcher, peer).unwrap_or(Err(e)))?,
        };
        let serve = format!("serve {}{}", current.hash, if deploy.keep { "" } else { " once" });
        let line = last.script(deploy, &current, &serve);
        let mut dialogue = match terminal {
            Some(other) => {
                let once = if deploy.keep { "" } else { "once " };
                let line = format!("terminal {once}{}", privilege::quote(&other.command_at_terminal(&line)?));
                Dialogue::begin(launcher, peer, &first.script(deploy, &current, &line), None, Some(other))?
            }
            None => Dialogue::begin(launcher, peer, &line, other, None)?,
        };
        loop {
            let reply = dialogue.reply()?;
            let attempt = if terminal.is_some() && !dialogue.answered { &mut first } else { &mut last };
            match reply {
                BootstrapReply::Ready => return dialogue.channel(),
                BootstrapReply::Needs { uname, gzip } => {
                    let wanted = match payload {
                        Some(known) => known.clone(),
                        None => payload.insert(Payload::of(&uname)?).clone(),
                    };
                    if wanted.hash != current.hash {
                        // A host of another kind gets another attempt, with its own helper.
                        break;
                    }
                    attempt.sent = true;
                    dialogue.send(&wanted, gzip)?;
                }
                BootstrapReply::Failed(number) if number + 1 < DIRECTORIES => {
                    attempt.skip = number + 1;
                    break;
                }
                BootstrapReply::Failed(_) => return Err(no_directory(&dialogue.complaints())),
                BootstrapReply::Nothing
                    if terminal.is_none() && privilege::wants_terminal(&dialogue.complaints()) =>
                {
                    terminal = other;
                    break;
                }
                // The existing helper did not start: it may be damaged.
                BootstrapReply::Nothing if !attempt.fresh && !attempt.sent && dialogue.is_ours() => {
                    attempt.fresh = true;
                    break;
                }
                BootstrapReply::Nothing => return Err(dialogue.refused()),
            }
        }
    }
}

/// Runs a plain command line as another user, up to the beginning of its own output.
pub(crate) fn plain<'a>(
    launcher: &dyn Launcher,
    peer: &'a Peer,
    command: &str,
    other: &'a Become,
) -> Result<(Dialogue<'a>, Vec<u8>), Failure> {
    let marker = format!("PLAYBOOK-BECAME-{}", uuid::Uuid::new_v4().simple());
    // The marker begins a line, whatever a login has printed before it.
    let line = format!("echo; echo {marker}; {command}");
    let mut dialogue = Dialogue::begin(launcher, peer, &line, Some(other), None)?;
    while let Some(line) = dialogue.next_line()? {
        if line.trim_end() == marker {
            let rest = std::mem::take(&mut dialogue.out);
            return Ok((dialogue, rest.into()));
        }
    }
    Err(dialogue.refused())
}

/// Finds the helper for the host. If this program has none built in, it asks the host for its kind.
fn foreign(launcher: &dyn Launcher, peer: &Peer) -> Option<Result<Payload, Failure>> {
    let mut started = launcher.start("echo; uname -sm").ok()?;
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    while readable(&started.output, peer.silence).ok()? && said.len() < 1 << 20 {
        match started.output.read(&mut piece).ok()? {
            0 => break,
            count => said.extend_from_slice(piece.get(..count)?),
        }
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    let uname = said.trim().lines().next_back().unwrap_or_default();
    Payload::of(uname).ok().map(Ok)
}

/// Returns the failure of a host that has no directory for the helper.
pub(crate) fn no_directory(said: &str) -> Failure {
    let message = format!("no directory on the host takes the helper: {}", said.trim());
    Error::new(message)
        .with_kind(ErrorKind::Unreachable)
        .with_help(
            "Set remote_tmp to a directory that is writable, is not mounted with noexec, and is not full; raw works \
             without the helper.",
        )
        .into()
}

/// The attempts so far to start the helper as one user.
#[derive(Default)]
struct Attempt {
    /// Whether to replace an existing helper.
    fresh: bool,
    /// The number of directories to which the helper could not be written.
    skip: usize,
    /// Whether a helper was sent.
    sent: bool,
}

impl Attempt {
    /// Returns the command line. It works in any `/bin/sh`, contains no single quote, line break or exclamation mark,
    /// and starts only `id`, `mkdir` and the programs that unpack the helper. Its replies begin on new lines, whatever
    /// the login has printed.
    fn script(&self, deploy: &Deploy, payload: &Payload, run: &str) -> String {
        let (hash, name) = (&payload.hash, payload.name());
        let (fresh, skip) = (u8::from(self.fresh || self.skip > 0), self.skip);
        let first = expandable(&deploy.directory);
        format!(
            concat!(
                "n={name};r={fresh};s={skip};d={first}/playbook;",
                "g() {{ [ $r = 0 ] && [ -O \"$d\" ] && [ -x \"$d/$n\" ] && exec \"$d/$n\" {run}; }};",
                "g;u=$(id -u);",
                "f() {{ case $1 in 0) d={first}/playbook;; 1) d=${{HOME:-/nonexistent}}/.cache/playbook;; ",
                "2) d=/var/tmp/playbook-$u;; 3) d=/tmp/playbook-$u;; 4) d=/dev/shm/playbook-$u;; ",
                "*) d=${{XDG_RUNTIME_DIR:-/run/user/$u}}/playbook;; esac; }};",
                "for i in 1 2 3 4 5; do f $i; g; done;",
                "echo;echo {needs} $(uname -sm) $(command -v gzip >/dev/null 2>&1 && echo gzip);",
                "p() {{ while read -r k && [ \"$k\" -gt 0 ]; do head -c \"$k\" || break;echo {got} >&3; done; }};",
                "read -r z || exit 1;m=$(umask);umask 077;",
                "for i in 0 1 2 3 4 5; do [ $i -lt $s ] && continue;f $i;t=$d/.$n.$$;",
                "[ -d \"$d\" ] || mkdir -p \"$d\" 2>&1;",
                "[ -O \"$d\" ] && : >\"$t\" && chmod 700 \"$t\" && \"$t\" && {{ ",
                "{{ if [ $z = gzip ]; then p | gzip -dc >\"$t\"; else p >\"$t\"; fi; }} 3>&1;",
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
            got = GOT,
            failed = FAILED,
        )
    }
}

/// Returns a directory's name in double quotes, with `~` and variables left for the host's shell.
pub(crate) fn expandable(directory: &str) -> String {
    let (start, rest) = match directory.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => ("${HOME:-/nonexistent}".to_owned(), rest),
        Some(rest) => {
            let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let plain = user.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
            // Outside the quotes, so that the shell expands it to that user's home directory.
            return match plain {
                true => format!("~{user}\"{}\"", escaped(rest)),
                false => format!("\"{}\"", escaped(directory)),
            };
        }
        None => (String::new(), directory),
    };
    format!("\"{start}{}\"", escaped(rest))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' | '`' => out.extend(['\\', c]),
            // The name of a directory must not run a command, and these characters cannot be in the line.
            '(' | '\'' | '!' | '\n' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_expand_on_the_host_and_run_nothing() {
        assert_eq!(expandable("~/.ansible/tmp"), "\"${HOME:-/nonexistent}/.ansible/tmp\"");
        assert_eq!(expandable("~deploy/x"), "~deploy\"/x\"");
        assert_eq!(expandable("$TMP/a b"), "\"$TMP/a b\"");
        assert_eq!(expandable("/x$(id)`id`\"'"), "\"/x$?id)\\`id\\`\\\"?\"");
    }

    #[test]
    fn the_line_suits_every_login_shell() {
        let payload = Payload::own().unwrap();
        let deploy = Deploy { directory: "~/.ansible/tmp".into(), keep: true };
        let line = Attempt::default().script(&deploy, &payload, "serve x");
        assert!(!line.contains(['\'', '!', '\n']), "{line}");
    }
}
