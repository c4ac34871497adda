//! Role passwords as PostgreSQL stores them: SCRAM-SHA-256 verifiers and MD5 hashes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const ITERATIONS: u32 = 4096;

/// Returns whether a password is already hashed.
pub(crate) fn is_hashed(password: &str) -> bool {
    let md5 = password
        .strip_prefix("md5")
        .is_some_and(|h| h.len() == 32 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    md5 || Scram::parse(password).is_some()
}

/// Returns the hash to send, so that the server never sees the password and cannot log it. `encryption` is the
/// server's setting password_encryption.
pub(crate) fn hashed(password: &str, user: &str, encryption: &str) -> String {
    if is_hashed(password) {
        return password.to_owned();
    }
    match encryption {
        "md5" | "on" => md5(password, user),
        _ => Scram { iterations: ITERATIONS, salt: rand::random::<[u8; 16]>().to_vec() }.verifier(password),
    }
}

/// Returns whether `stored` is the hash of this password.
pub(crate) fn matches(stored: &str, password: &str, user: &str) -> bool {
    let expected = match Scram::parse(stored) {
        _ if is_hashed(password) => password.to_owned(),
        Some(scram) => scram.verifier(password),
        None if stored.starts_with("md5") => md5(password, user),
        None => return false,
    };
    stored.as_bytes().ct_eq(expected.as_bytes()).into()
}

fn md5(password: &str, user: &str) -> String {
    format!("md5{}", hex::encode(Md5::digest(format!("{password}{user}"))))
}

/// Computes `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`; the keys follow from the first half and the
/// password.
struct Scram {
    iterations: u32,
    salt: Vec<u8>,
}

impl Scram {
    fn parse(stored: &str) -> Option<Scram> {
        let (head, keys) = stored.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        keys.split_once(':')?;
        Some(Scram { iterations: iterations.parse().ok()?, salt: STANDARD.decode(salt).ok()? })
    }

    fn verifier(&self, password: &str) -> String {
        // As on the server, a password that SASLprep forbids is used unchanged.
        let prepared = stringprep::saslprep(password).unwrap_or(password.into());
        let mut salted = [0u8; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(prepared.as_bytes(), &self.salt, self.iterations, &mut salted);
        let stored_key = Sha256::digest(keyed(&salted, b"Client Key"));
        let server_key = keyed(&salted, b"Server Key");
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.iterations,
            STANDARD.encode(&self.salt),
            STANDARD.encode(stored_key),
            STANDARD.encode(server_key)
        )
    }
}

fn keyed(key: &[u8; 32], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_match_what_is_stored_for_them() {
        // From postgres-protocol's own test.
        let stored = "SCRAM-SHA-256$4096:AQIDBAUGBwgJCgsMDQ4PEA==$8rrDg00OqaiWXJ7p+sCgHEIaBSHY89ZJl3mfIsf32oY=:05L1f+yZbiN8O0AnO40Og85NNRhvzTS57naKRWCcsIA=";
        assert!(matches(stored, "secret", "any"));
        assert!(!matches(stored, "Secret", "any"));
        assert!(matches(stored, stored, "any"));
        assert!(is_hashed(stored));
        let fresh = hashed("pässword", "u", "scram-sha-256");
        assert!(matches(&fresh, "pässword", "u"));
        assert_ne!(fresh, hashed("pässword", "u", "scram-sha-256"));
        let md5 = hashed("foo", "bar", "md5");
        assert_eq!(md5, "md53858f62230ac3c915f300c664312c63f");
        assert!(matches(&md5, "foo", "bar"));
        assert!(!matches(&md5, "foo", "baz"));
        assert!(!is_hashed("md5sum"));
    }
}
