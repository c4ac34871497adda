//! `known_hosts`: the keys of hosts that ssh trusts.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome};
use sha1::Sha1;

use crate::host::diff::texts;
use crate::host::edit::make_directories;
use crate::host::errno::Doing;
use crate::host::lock::Lock;
use crate::host::path::HostPath;
use crate::host::process::Program;
use crate::host::read;
use crate::host::state::State;
use crate::host::{Host, Replace};

/// Adds and removes hosts' keys in a `known_hosts` file.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct KnownHosts {
    /// The name of the host, as the key's line begins.
    #[schemars(extend("aliases" = ["host"]))]
    name: String,
    /// The whole line: `host key-type key`.
    key: Option<String>,
    /// The known_hosts file to change.
    #[serde(default = "own")]
    path: HostPath,
    /// Whether to store the name as a hash.
    #[serde(default)]
    hash_host: bool,
    /// Whether the key is to be in the file.
    #[serde(default)]
    state: State,
}

fn own() -> HostPath {
    HostPath("~/.ssh/known_hosts".into())
}

impl HostModule for KnownHosts {
    const DOC: Doc = Doc {
        name: "known_hosts",
        short: "Manages the keys of known hosts",
        returns: &[
            ("name", "str", "The host."),
            ("path", "str", "The file."),
            ("key", "str", "The key's line."),
        ],
        examples: "- known_hosts:\n    name: github.com\n    key: \"{{ lookup('pipe', 'ssh-keyscan -t ed25519 github.com') }}\"\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let path = self.path.resolve(context);
        if self.state == State::Present && self.key.is_none() {
            return Err(Failure::new("No key specified when adding a host"));
        }
        if self.key.is_some() && self.name.contains(',') {
            return Err(Failure::new(
                "Comma separated list of names is not supported. Please pass a single name to lookup in \
                the known_hosts file.",
            ));
        }
        let _lock = Lock::file(&host, &path)?;
        let before = match read::text(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e).doing("could not read", &path),
        };
        let key = self.key.as_deref().map(str::trim);
        let found = self.lines_of_host(&host, &path.display().to_string(), before.is_empty())?;
        let wanted = key.map(Key::of).transpose()?;
        let text: Vec<&str> = before.lines().collect();
        // Several lines with the same marker (`@cert-authority`, `@revoked`) may exist.
        let same_kind = |line: &str| {
            let keys = Key::of(line).ok().zip(wanted.as_ref());
            keys.is_none_or(|(l, w)| l.kind == w.kind && !l.kind.starts_with('@'))
        };
        let after = match self.state {
            State::Absent => {
                let goes = |i: usize, line: &str| {
                    found.contains(&(i + 1))
                        && Key::of(line)
                            .ok()
                            .zip(wanted.as_ref())
                            .is_none_or(|(l, w)| l.kind == w.kind && l.key == w.key)
                };
                joined(text.iter().enumerate().filter(|(i, l)| !goes(*i, l)).map(|(_, l)| *l))
            }
            State::Present => {
                let key = key.unwrap_or_default();
                let wants_hash = self.hash_host || key.starts_with("|1|");
                let is_there = |i: usize, line: &str| {
                    let same = Key::of(line).ok().zip(wanted.as_ref()).is_some_and(|(l, w)| {
                        l.kind == w.kind && l.key == w.key && (wants_hash || l.hosts == w.hosts)
                    });
                    found.contains(&(i + 1)) && same && line.trim_start().starts_with("|1|") == wants_hash
                };
                if text.iter().enumerate().any(|(i, l)| is_there(i, l)) {
                    before.clone()
                } else {
                    // A host has one key of each kind.
                    let kept =
                        text.iter().enumerate().filter(|(i, l)| !(found.contains(&(i + 1)) && same_kind(l)));
                    let mut after = joined(kept.map(|(_, l)| *l));
                    after.push_str(&self.line(key)?);
                    after.push('\n');
                    after
                }
            }
        };
        let mut outcome = Outcome::changed(after != before)
            .with("name", self.name.as_str())
            .with("path", path.display().to_string())
            .with("state", if self.state == State::Present { "present" } else { "absent" })
            .with("hash_host", self.hash_host)
            .with("key", self.key.clone());
        // Ansible's module returns the difference even without `--diff`.
        let header = path.display().to_string();
        outcome.diff.push(texts(before.as_bytes(), after.as_bytes(), &header, &header));
        if outcome.changed {
            if let Some(dir) = path.parent().filter(|f| !f.exists()) {
                make_directories(&host, dir)?;
                host.set_mode(dir, 0o700).doing("chmod failed", dir)?;
            }
            host.write(&path, after.as_bytes(), &Replace::default())?;
        }
        Ok(outcome)
    }
}

/// The hosts, the type and the key of a line.
struct Key {
    hosts: String,
    kind: String,
    key: String,
}

impl Key {
    fn of(line: &str) -> Result<Key, Failure> {
        // A marker (`@cert-authority`, `@revoked`) makes it a key of another kind.
        let marker = line.split_whitespace().next().filter(|w| w.starts_with('@')).unwrap_or_default();
        let mut words = line.split_whitespace().filter(|w| !w.starts_with('@'));
        match (words.next(), words.next(), words.next()) {
            (Some(hosts), Some(kind), Some(key)) => {
                Ok(Key { hosts: hosts.to_owned(), kind: format!("{marker}{kind}"), key: key.to_owned() })
            }
            _ => Err(Failure::new(format!("'{line}' is not a host key"))
                .with_help("Write `host key-type key`, as ssh-keyscan does.")),
        }
    }
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold(String::new(), |text, line| text + line + "\n")
}

impl KnownHosts {
    /// The numbers of the lines that are about the host, hashed ones too: ssh-keygen knows.
    fn lines_of_host(&self, host: &Host, path: &str, empty: bool) -> Result<Vec<usize>, Failure> {
        if empty {
            return Ok(Vec::new());
        }
        let output = host.query(&Program::new(["ssh-keygen", "-F", &self.name, "-f", path]))?;
        let number = |l: &str| {
            l.strip_prefix("# Host ")?.rsplit("line ").next()?.split_whitespace().next()?.parse().ok()
        };
        Ok(output.out().lines().filter_map(number).collect())
    }

    fn line(&self, key: &str) -> Result<String, Failure> {
        let name = key.split_whitespace().find(|w| !w.starts_with('@')).unwrap_or_default();
        if !name.split(',').any(|n| n == self.name) && !name.starts_with("|1|") {
            return Err(Failure::new("Host parameter does not match hashed host field in supplied key")
                .with_help(format!("The key is that of '{name}', not of '{}'.", self.name)));
        }
        if !self.hash_host {
            return Ok(key.to_owned());
        }
        hashed(key)
    }
}

/// Hides the names of the hosts of a key, as `ssh-keygen -H` does: a line for each, in which a name is replaced by a salt
/// and the HMAC of the name. Patterns and lines with a marker cannot be hashed.
fn hashed(key: &str) -> Result<String, Failure> {
    let Some((names, rest)) = key.split_once(char::is_whitespace) else { return Ok(key.to_owned()) };
    if names.starts_with(['@', '|']) || names.contains(['*', '?', '!']) {
        return Ok(key.to_owned());
    }
    let lines = names.split(',').map(|name| {
        let mut salt = [0; 20];
        let random = Path::new("/dev/urandom");
        std::fs::File::open(random)
            .and_then(|mut file| file.read_exact(&mut salt))
            .doing("could not read random bytes from", random)?;
        Ok(format!("{} {}", hidden(&name.to_lowercase(), &salt), rest.trim_start()))
    });
    Ok(lines.collect::<Result<Vec<String>, Failure>>()?.join("\n"))
}

/// The form of a host's name that does not tell it.
fn hidden(name: &str, salt: &[u8; 20]) -> String {
    // HMAC pads a key that is shorter than its block with zeros.
    let mut key = [0; 64];
    key[..salt.len()].copy_from_slice(salt);
    let mac = Hmac::<Sha1>::new(&key.into()).chain_update(name).finalize().into_bytes();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(mac))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_as_openssh_hides_them() {
        // A line of ssh-keygen's.
        let line = "|1|+oGw6QuoFWHmqmIZaVOWYzrA4sY=|RFduiIxN/r1IuFePCivgoXFia6U=";
        let salt = STANDARD.decode("+oGw6QuoFWHmqmIZaVOWYzrA4sY=").expect("a salt");
        assert_eq!(hidden("new.example", &salt.try_into().expect("20 bytes")), line);
        let both = hashed("a.example,10.0.0.1 ssh-rsa AAAA comment").expect("lines");
        assert_eq!(
            both.lines().filter(|l| l.starts_with("|1|") && l.ends_with("= ssh-rsa AAAA comment")).count(),
            2
        );
        assert_eq!(hashed("*.example ssh-rsa AAAA").expect("a line"), "*.example ssh-rsa AAAA");
    }
}
