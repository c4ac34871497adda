//! How the helper comes to run: one command line that starts it where it is already, or else asks for it on the same
//! channel, and answers to whoever asks for a password on the way.

use std::io::Read;

use playbook_api::Failure;

use super::channel::Channel;
use super::dialogue::{BootstrapReply, Dialogue, FAILED, FOLDERS, NEEDS};
use super::launch::Launcher;
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

/// Starts the helper as somebody, and puts it there first where it is missing.
pub fn start(
    launcher: &dyn Launcher,
    deploy: &Deploy,
    other: Option<&Become>,
    payload: &mut Option<Payload>,
) -> Result<Channel, Failure> {
    // doas takes a password from a terminal alone: the login user's helper provides one.
    let mut terminal = other.filter(|other| other.needs_terminal());
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
                let line = format!("terminal {once}{}", privilege::quote(&other.command_at_terminal(&line)?));
                Dialogue::begin(launcher, &first.script(deploy, &current, &line), None, Some(other))?
            }
            None => Dialogue::begin(launcher, &line, other, None)?,
        };
        loop {
            let said = dialogue.line()?;
            let attempt = if terminal.is_some() && !dialogue.answered { &mut first } else { &mut last };
            match said {
                BootstrapReply::Ready => return dialogue.channel(),
                BootstrapReply::Needs { uname, gzip } => {
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
                BootstrapReply::Failed(folder) if folder + 1 < FOLDERS => {
                    attempt.skip = folder + 1;
                    break;
                }
                BootstrapReply::Failed(_) => return Err(nowhere(&dialogue.complaints())),
                BootstrapReply::Nothing
                    if terminal.is_none() && privilege::wants_terminal(&dialogue.complaints()) =>
                {
                    terminal = other;
                    break;
                }
                // What was there did not start: it may be damaged.
                BootstrapReply::Nothing if !attempt.fresh && !attempt.sent && dialogue.is_ours() => {
                    attempt.fresh = true;
                    break;
                }
                BootstrapReply::Nothing => return Err(dialogue.refused()),
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

pub fn nowhere(said: &str) -> Failure {
    Failure::new(format!("there is no place on the host for the helper: {}", said.trim())).with_help(
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
        let (hash, name) = (&payload.hash, payload.name());
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
pub fn expandable(folder: &str) -> String {
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
