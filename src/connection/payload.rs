//! The helper programs: the one built into this program, for hosts of the same kind, and files beside it for others.

use std::borrow::Cow;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, Failure};
use sha2::{Digest, Sha256};

/// The compressed helper for hosts of the controller's kind.
static OWN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/playbook-remote.gz"));

/// The target triple of that helper.
const TARGET: &str = env!("PLAYBOOK_HELPER_TARGET");

/// A helper program.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    /// The SHA-256 checksum of the file, in hexadecimal.
    pub hash: String,
    /// The file, compressed with gzip.
    packed: Cow<'static, [u8]>,
}

impl Payload {
    /// Returns the helper built into this program.
    pub(crate) fn own() -> Result<Payload, Failure> {
        if OWN.is_empty() {
            return Err(Failure::new("this playbook was built without its helper for other hosts and users")
                .with_help(
                    "Build it without PLAYBOOK_NO_HELPER, or set `ansible_connection: local` \
                    without `become`.",
                ));
        }
        Ok(Payload { hash: env!("PLAYBOOK_HELPER_HASH").to_owned(), packed: Cow::Borrowed(OWN) })
    }

    /// Returns the helper for a kind of host, as `uname -sm` prints it.
    pub(crate) fn of(uname: &str) -> Result<Payload, Failure> {
        let triples = triples(uname);
        if triples.iter().any(|triple| triple == TARGET) && !OWN.is_empty() {
            return Payload::own();
        }
        let directories = directories();
        for triple in &triples {
            for directory in &directories {
                let file = directory.join(format!("playbook-remote-{triple}"));
                if let Ok(bytes) = std::fs::read(&file) {
                    return Payload::packed(&bytes)
                        .map_err(|e| Error::new(format!("cannot pack {}: {e}", file.display())).into());
                }
            }
        }
        let Some(triple) = triples.first() else {
            return Err(Failure::new(format!("no helper exists for hosts of the kind '{uname}'"))
                .with_help("raw works without a helper."));
        };
        let place = directories.first().map(|d| d.display().to_string()).unwrap_or_default();
        Err(Failure::new(format!("the helper for this host, a '{uname}', is missing")).with_help(format!(
            "Build it with `RUSTFLAGS=-Ctarget-feature=+crt-static cargo build --release -p \
            playbook-remote --target {triple}` and put it into {place} as playbook-remote-{triple}; raw \
            works without it."
        )))
    }

    fn packed(bytes: &[u8]) -> std::io::Result<Payload> {
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut packed)?;
        Ok(Payload { hash: hex::encode(Sha256::digest(bytes)), packed: Cow::Owned(packed) })
    }

    /// Returns its file name on hosts.
    pub(crate) fn name(&self) -> String {
        format!("playbook-remote-{}", self.hash.get(..16).unwrap_or(&self.hash))
    }

    /// Returns the compressed bytes.
    pub(crate) fn packed_bytes(&self) -> &[u8] {
        &self.packed
    }

    /// Returns the uncompressed bytes, for hosts without gzip.
    pub(crate) fn unpacked(&self) -> std::io::Result<Arc<[u8]>> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&*self.packed).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Returns the directories that may hold helpers for other kinds of hosts.
fn directories() -> Vec<PathBuf> {
    let beside =
        std::env::current_exe().ok().and_then(|exe| exe.parent().map(|directory| directory.to_owned()));
    let named = std::env::var_os("PLAYBOOK_REMOTE_PATH");
    let named = named.iter().flat_map(std::env::split_paths);
    named.chain(beside).collect()
}

/// Returns the targets whose programs run on a kind of host, the best first.
fn triples(uname: &str) -> Vec<String> {
    let Some((system, machine)) = uname.split_once(' ') else { return Vec::new() };
    let machine = match machine {
        "arm64" => "aarch64",
        "i386" | "i486" | "i586" | "x86" => "i686",
        "amd64" => "x86_64",
        other => other,
    };
    let (machine, suffix) = match machine {
        "armv7l" | "armv8l" => ("armv7", "eabihf"),
        "armv6l" => ("arm", "eabihf"),
        other => (other, ""),
    };
    match system {
        "Linux" => ["musl", "gnu"].map(|libc| format!("{machine}-unknown-linux-{libc}{suffix}")).into(),
        "FreeBSD" => vec![format!("{machine}-unknown-freebsd")],
        "Darwin" => vec![format!("{machine}-apple-darwin")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_by_their_own_names() {
        assert_eq!(triples("Linux x86_64"), ["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"]);
        assert_eq!(triples("Linux armv7l")[0], "armv7-unknown-linux-musleabihf");
        assert_eq!(triples("Darwin arm64"), ["aarch64-apple-darwin"]);
        assert!(triples("Plan9 x").is_empty() && triples("nonsense").is_empty());
    }

    #[test]
    fn a_missing_helper_says_how_to_build_it() {
        let failure = Payload::of("Linux riscv64").unwrap_err();
        assert!(failure.error.help().is_some_and(|h| h.contains("riscv64-unknown-linux-musl")));
    }
}
