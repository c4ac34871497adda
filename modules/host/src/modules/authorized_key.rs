//! `authorized_key`: the SSH keys with which one can log in as a user.

use std::path::PathBuf;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::accounts;
use crate::host::diff::texts;
use crate::host::edit::make_directories;
use crate::host::errno::Doing;
use crate::host::lock::Lock;
use crate::host::path::HostPath;
use crate::host::read;
use crate::host::state::State;
use crate::host::{Host, Replace};

/// Adds and removes SSH keys in a user's `authorized_keys`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AuthorizedKey {
    /// The user that the keys may log in as.
    user: String,
    /// The public keys, one on each line, or the URL of such a list.
    key: String,
    /// Whether the keys are to be in the file.
    #[serde(default)]
    state: State,
    /// The file to change instead of the user's `~/.ssh/authorized_keys`.
    path: Option<HostPath>,
    /// Whether to create the file's directory, and to give both to the user.
    #[serde(default = "playbook_api::defaults::yes")]
    manage_dir: bool,
    /// The options before the key: `no-port-forwarding,from="10.0.1.1"`.
    key_options: Option<String>,
    /// Whether to remove all other keys.
    #[serde(default)]
    exclusive: bool,
    /// The comment to write instead of the key's own.
    comment: Option<String>,
    /// Whether to verify the server's TLS certificate, for keys at a URL.
    #[serde(default = "playbook_api::defaults::yes")]
    validate_certs: bool,
    /// Whether to change the file that a symbolic link points to.
    #[serde(default)]
    follow: bool,
}

impl HostModule for AuthorizedKey {
    const DOC: Doc = Doc {
        name: "authorized_key",
        collection: "ansible.posix",
        short: "Manages the keys that may log in as a user",
        returns: &[
            ("keyfile", "str", "The file."),
            ("user", "str", "The user."),
            ("key", "str", "The keys."),
        ],
        examples: "- authorized_key:\n    user: charlie\n    key: \"{{ lookup('file', '/home/charlie/.ssh/id_ed25519.pub') }}\"\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let user = accounts::user(&self.user)
            .ok_or_else(|| Failure::new(format!("Failed to lookup user {}: no such user", self.user)))?;
        let mut path: PathBuf = match &self.path {
            Some(path) => path.resolve(context),
            None => user.dir.join(".ssh/authorized_keys"),
        };
        if self.follow && path.is_symlink() {
            path = std::fs::canonicalize(&path).doing("could not follow the link", &path)?;
        }
        let given = self.keys(context)?;
        let _lock = Lock::file(&host, &path)?;
        let before = match read::text(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e).doing("could not read", &path),
        };
        let mut lines: Vec<Line> = before.lines().map(Line::of).collect();
        let wanted: Vec<Line> = given
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .map(|l| self.wanted(l))
            .collect();
        if let Some(bad) = wanted.iter().find(|l| l.key.is_none()) {
            return Err(Failure::new(format!("invalid key specified: {}", bad.text)));
        }
        let same = |a: &Line, b: &Line| a.key.is_some() && a.key == b.key;
        if self.exclusive && self.state == State::Present {
            lines.retain(|l| l.key.is_none() || wanted.iter().any(|w| same(l, w)));
        }
        for line in wanted {
            match self.state {
                State::Absent => lines.retain(|l| !same(l, &line)),
                State::Present => match lines.iter_mut().find(|l| same(l, &line)) {
                    // Parts that the task does not give stay unchanged.
                    Some(old)
                        if self.key_options.is_none()
                            && self.comment.is_none()
                            && old.comment == line.comment => {}
                    Some(old) => {
                        *old = Line {
                            text: line.text_with(self.key_options.is_none().then_some(&old.options)),
                            ..line
                        }
                    }
                    None => lines.push(line),
                },
            }
        }
        let after = lines.iter().fold(String::new(), |text, l| text + &l.text + "\n");
        let mut outcome = Outcome::changed(after != before && !(before.is_empty() && after.is_empty()))
            .with("user", self.user.as_str())
            .with("key", self.key.as_str())
            .with("keyfile", path.display().to_string())
            .with("exclusive", self.exclusive);
        if outcome.changed {
            if context.diff {
                let header = path.display().to_string();
                outcome.diff.push(texts(before.as_bytes(), after.as_bytes(), &header, &header));
            }
            let owner = (Some(user.uid.as_raw()), Some(user.gid.as_raw()));
            let directory = path.parent().map(PathBuf::from).unwrap_or_default();
            if self.manage_dir && !directory.exists() {
                make_directories(&host, &directory)?;
                host.set_mode(&directory, 0o700).doing("chmod failed", &directory)?;
                host.set_owner(&directory, owner.0, owner.1, true).doing("chown failed", &directory)?;
            }
            let new = !path.exists();
            let how = Replace { mode: new.then_some(0o600), ..Replace::default() };
            host.write(&path, after.as_bytes(), &how)?;
            if new || self.manage_dir {
                host.set_owner(&path, owner.0, owner.1, true).doing("chown failed", &path)?;
            }
        }
        Ok(outcome)
    }
}

impl AuthorizedKey {
    fn keys(&self, context: &Context) -> Result<String, Failure> {
        if !self.key.starts_with("http://") && !self.key.starts_with("https://") {
            return Ok(self.key.clone());
        }
        let ask = crate::host::http::Ask {
            method: "GET".into(),
            redirects: crate::host::http::Redirects::All,
            ..Default::default()
        };
        let mut answer =
            crate::host::http::Connect::plain(&self.key, self.validate_certs).ask(ask, context)?;
        let mut text = String::new();
        match (answer.is_success(), std::io::Read::read_to_string(&mut answer.reader, &mut text)) {
            (true, Ok(_)) => Ok(text),
            _ => Err(Failure::new(format!(
                "Error getting key from: {} ({})",
                crate::host::http::without_user(&self.key),
                answer.summary()
            ))),
        }
    }

    fn wanted(&self, text: &str) -> Line {
        let mut line = Line::of(text);
        if let Some(comment) = &self.comment {
            line.comment.clone_from(comment);
        }
        if let Some(options) = &self.key_options {
            line.options.clone_from(options);
        }
        line.text = if line.key.is_some() { line.text_with(None) } else { text.to_owned() };
        line
    }
}

/// A line of the file: options, type and key, comment; or something else, which is kept.
struct Line {
    text: String,
    options: String,
    key: Option<(String, String)>,
    comment: String,
}

const KINDS: [&str; 3] = ["ssh-", "ecdsa-sha2-", "sk-"];

impl Line {
    fn of(text: &str) -> Line {
        let other =
            || Line { text: text.to_owned(), options: String::new(), key: None, comment: String::new() };
        if text.trim_start().starts_with('#') {
            return other();
        }
        // The first word outside of quotes that is a type of key.
        let (mut quoted, mut start) = (false, 0);
        let mut words: Vec<(usize, &str)> = Vec::new();
        for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
            if c == '"' {
                quoted = !quoted;
            } else if c.is_whitespace() && !quoted {
                if i > start {
                    words.push((start, &text[start..i]));
                }
                start = i + c.len_utf8();
            }
        }
        let Some(at) = words.iter().position(|(_, w)| KINDS.iter().any(|k| w.starts_with(k))) else {
            return other();
        };
        let (Some((begin, kind)), Some((_, key))) = (words.get(at), words.get(at + 1)) else {
            return other();
        };
        let comment = words.get(at + 2).map_or("", |(i, _)| text[*i..].trim());
        Line {
            text: text.to_owned(),
            options: text[..*begin].trim().to_owned(),
            key: Some(((*kind).to_owned(), (*key).to_owned())),
            comment: comment.to_owned(),
        }
    }

    fn text_with(&self, options: Option<&String>) -> String {
        let (kind, key) = self.key.clone().unwrap_or_default();
        let options = options.unwrap_or(&self.options);
        let parts = [options.as_str(), &kind, &key, &self.comment];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let line = Line::of("from=\"a b\",no-pty ssh-ed25519 AAAA me at home");
        assert_eq!((line.options.as_str(), line.comment.as_str()), ("from=\"a b\",no-pty", "me at home"));
        assert_eq!(line.key.unwrap().1, "AAAA");
        assert!(Line::of("# ssh-rsa AAAA").key.is_none());
    }
}
