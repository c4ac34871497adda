//! Hashes passwords in the forms of `/etc/shadow`.

use playbook_api::{Error, Value};

use super::arguments::{given, text};
use super::mersenne::Random;
use crate::settings::Release;
use crate::template::{Call, Function};

mod md5_crypt;
mod sha_crypt;

pub(crate) const FILTERS: &[Function] = &[Function::new("password_hash", password_hash)];

/// The characters of a salt.
const SALT: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A scheme, its salt, and its rounds.
struct Scheme {
    /// Ansible's name of the scheme, and passlib's.
    names: [&'static str; 2],
    salt: usize,
    exact_salt: bool,
    rounds: Option<(u32, u32, u32)>,
}

const SCHEMES: &[Scheme] = &[
    Scheme { names: ["md5", "md5_crypt"], salt: 8, exact_salt: false, rounds: None },
    Scheme { names: ["blowfish", "bcrypt"], salt: 22, exact_salt: true, rounds: Some((12, 4, 31)) },
    Scheme {
        names: ["sha256", "sha256_crypt"],
        salt: 16,
        exact_salt: false,
        rounds: Some((535_000, 1000, 999_999_999)),
    },
    Scheme {
        names: ["sha512", "sha512_crypt"],
        salt: 16,
        exact_salt: false,
        rounds: Some((656_000, 1000, 999_999_999)),
    },
];

fn find(name: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.names.contains(&name))
}

/// Returns a salt for a scheme. With a seed it is always the same.
pub(crate) fn random_salt(algorithm: &str, random: &mut Random) -> String {
    let length = find(algorithm).map_or(8, |scheme| scheme.salt);
    (0..length).map(|_| char::from(SALT[random.position(SALT.len())])).collect()
}

/// Returns whether the scheme exists.
pub(crate) fn is_known(algorithm: &str) -> bool {
    find(algorithm).is_some()
}

/// What a password is hashed with, besides the scheme.
#[derive(Clone, Copy, Default)]
pub(crate) struct With<'a> {
    /// The salt; `None` is a new one.
    pub salt: Option<&'a str>,
    /// The number of rounds, or bcrypt's cost.
    pub rounds: Option<i64>,
    /// The variant of bcrypt, such as `2b`.
    pub ident: Option<&'a str>,
    /// The release of ansible-core whose hashes they are.
    pub release: Release,
}

/// Returns the hash of a password.
pub(crate) fn hash(secret: &str, algorithm: &str, with: With) -> Result<String, Error> {
    let scheme = find(algorithm).ok_or_else(|| {
        Error::new(format!(
            "{algorithm} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"
        ))
    })?;
    let name = scheme.names[1];
    let failed = |why: String| Error::new(format!("Could not hash the secret: {why}"));
    if secret.contains('\0') {
        return Err(failed(format!("{name} does not allow NULL bytes in password")));
    }
    let slow = if name == "bcrypt" { 20 } else { 20_000_000 };
    if let (Some((.., most)), Some(rounds)) = (scheme.rounds, with.rounds)
        && (slow + 1..=i64::from(most)).contains(&rounds)
    {
        return Err(failed(format!("more than {slow} rounds of {name} would take hours")));
    }
    let (salt, rounds) = match with.salt {
        Some(salt) if with.release.passwords_are_hashed_by_libxcrypt() => {
            (libxcrypt::salt(scheme, salt)?, libxcrypt::rounds(scheme, with.rounds)?)
        }
        _ => {
            let salt = with.salt.map_or_else(|| random_salt(algorithm, &mut Random::System), str::to_owned);
            passlib::check_salt(scheme, &salt).map_err(failed)?;
            (salt, passlib::rounds(scheme, with.rounds).map_err(failed)?)
        }
    };
    match name {
        "md5_crypt" => Ok(md5_crypt::hash(secret, &salt)),
        "sha256_crypt" => Ok(sha_crypt::hash::<sha2::Sha256>("5", secret, &salt, rounds)),
        "sha512_crypt" => Ok(sha_crypt::hash::<sha2::Sha512>("6", secret, &salt, rounds)),
        _ => blowfish(secret, &salt, rounds, with.ident.unwrap_or("2b")).map_err(failed),
    }
}

/// The rules of passlib, which ansible-core 2.19 has for salts and rounds.
mod passlib {
    use super::{SALT, Scheme};

    /// Returns why a salt cannot be one of the scheme.
    pub(super) fn check_salt(scheme: &Scheme, salt: &str) -> Result<(), String> {
        let name = scheme.names[1];
        let length = salt.chars().count();
        if scheme.exact_salt && length < scheme.salt {
            return Err(format!("salt too small ({name} requires exactly {} chars)", scheme.salt));
        }
        if length > scheme.salt {
            let limit = if scheme.exact_salt { "exactly" } else { "<=" };
            return Err(format!("salt too large ({name} requires {limit} {} chars)", scheme.salt));
        }
        if !salt.bytes().all(|b| SALT.contains(&b)) {
            return Err(format!("invalid characters in {name} salt"));
        }
        Ok(())
    }

    /// Returns the number of rounds, which has to be possible.
    pub(super) fn rounds(scheme: &Scheme, rounds: Option<i64>) -> Result<u32, String> {
        let name = scheme.names[1];
        match (scheme.rounds, rounds) {
            (None, _) => Ok(0),
            (Some((default, ..)), None) => Ok(default),
            (Some((_, least, most)), Some(rounds)) => match u32::try_from(rounds) {
                Ok(rounds) if rounds > most => {
                    Err(format!("{name}: max_desired_rounds ({rounds}) is too high, must be at most {most}"))
                }
                Ok(rounds) if rounds >= least => Ok(rounds),
                _ => {
                    Err(format!("{name}: min_desired_rounds ({rounds}) is too low, must be at least {least}"))
                }
            },
        }
    }
}

/// What libxcrypt, which ansible-core 2.21 uses, makes of salts and rounds.
mod libxcrypt {
    use playbook_api::Error;

    use super::{BCRYPT, SALT, Scheme};

    fn no_salt(scheme: &Scheme) -> Error {
        Error::new(format!(
            "Failed to generate salt for '{}' algorithm: crypt_gensalt failed: unable to generate salt",
            scheme.names[1]
        ))
    }

    /// Returns the salt that the characters of the given one are turned into, as if they were random bytes.
    pub(super) fn salt(scheme: &Scheme, given: &str) -> Result<String, Error> {
        let bytes = given.as_bytes();
        if !bytes.iter().all(|b| SALT.contains(b)) {
            return Err(Error::new("invalid characters in salt"));
        }
        let length = bytes.len();
        if length > scheme.salt || (scheme.exact_salt && length < scheme.salt) {
            let limit = if scheme.exact_salt { "" } else { "at most " };
            let expected = scheme.salt;
            return Err(Error::new(format!(
                "invalid salt size supplied ({length}), expected {limit}{expected}"
            )));
        }
        if scheme.exact_salt {
            return Ok(base64_of_bcrypt(bytes));
        }
        match length {
            ..3 => Err(no_salt(scheme)),
            // It would be empty.
            3 => Err(Error::new("invalid salt size supplied (3)").with_help(
                "Give the salt at least 4 characters, or better 16: of 3, an empty salt would be made.",
            )),
            _ => {
                // Each three bytes become four characters, if at least one more byte follows.
                let groups = bytes[..length - 1].chunks_exact(3);
                let salt: String = groups
                    .flat_map(|group| {
                        let bits =
                            group.iter().rev().fold(0usize, |bits, byte| bits << 8 | usize::from(*byte));
                        (0..4).map(move |place| char::from(SALT[bits >> (6 * place) & 63]))
                    })
                    .collect();
                Ok(salt.chars().take(scheme.salt).collect())
            }
        }
    }

    /// The first 16 bytes in the base64 of bcrypt.
    fn base64_of_bcrypt(bytes: &[u8]) -> String {
        let bytes = bytes.get(..16).unwrap_or(bytes);
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let bits = (0..3).fold(0usize, |bits, i| bits << 8 | usize::from(*group.get(i).unwrap_or(&0)));
            let characters = (0..=group.len()).map(|place| char::from(BCRYPT[bits >> (18 - 6 * place) & 63]));
            text.extend(characters);
        }
        text
    }

    /// Returns the number of rounds. The cost of bcrypt has to be possible; other numbers are limited.
    pub(super) fn rounds(scheme: &Scheme, rounds: Option<i64>) -> Result<u32, Error> {
        match (scheme.rounds, rounds) {
            (None, _) => Ok(0),
            (Some((default, ..)), None | Some(0)) => Ok(default),
            (Some((_, least, most)), Some(rounds)) => {
                let limited = rounds.clamp(least.into(), most.into());
                if scheme.exact_salt && limited != rounds {
                    return Err(no_salt(scheme));
                }
                Ok(u32::try_from(limited).unwrap_or(least))
            }
        }
    }
}

/// The characters of the base64 of bcrypt.
const BCRYPT: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn blowfish(secret: &str, salt: &str, rounds: u32, ident: &str) -> Result<String, String> {
    use bcrypt::Version;
    let version = match ident {
        "2" | "2a" => Version::TwoA,
        "2x" => Version::TwoX,
        "2y" => Version::TwoY,
        "2b" => Version::TwoB,
        other => return Err(format!("invalid bcrypt ident: {other}")),
    };
    let mut bytes = [0; 16];
    let mut bits = (0u32, 0u32);
    let mut at = 0;
    for c in salt.bytes() {
        let value = BCRYPT.iter().position(|a| *a == c).unwrap_or(0) as u32;
        bits = ((bits.0 << 6) | value, bits.1 + 6);
        if bits.1 >= 8
            && let Some(byte) = bytes.get_mut(at)
        {
            bits.1 -= 8;
            *byte = (bits.0 >> bits.1) as u8;
            at += 1;
        }
    }
    bcrypt::hash_with_salt(secret, rounds, bytes)
        .map(|parts| parts.format_for_version(version))
        .map_err(|e| e.to_string())
}

fn password_hash(call: &mut Call) -> Result<Value, Error> {
    let [algorithm, salt, salt_size, rounds, ident] =
        call.bind(["hashtype", "salt", "salt_size", "rounds", "ident"], 0)?;
    let release = call.renderer.release();
    // A number is hashed as text in 2.21. Nothing is never hashed, although 2.21 does so with the text `None`.
    let number = call.input.as_i64().filter(|_| release.passwords_are_hashed_by_libxcrypt());
    let number = number.map(|number| number.to_string());
    let Some(secret) = number.as_deref().or_else(|| call.input.as_str()) else {
        let found = if call.input.is_null() { "None" } else { call.input.type_name() };
        return Err(Error::new(format!("secret must be unicode or bytes, not {found}")));
    };
    let whole = |value: Option<Value>, name: &str| match given(value) {
        None => Ok(None),
        Some(value) => match value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()) {
            Some(n) => Ok(Some(n)),
            None => Err(Error::new(format!("{name} must be an integer"))),
        },
    };
    let salt_size = whole(salt_size, "salt_size")?;
    let rounds = whole(rounds, "rounds")?;
    let algorithm = text(&algorithm, "sha512");
    let salt = given(salt).map(|salt| salt.to_text().into_owned()).filter(|salt| !salt.is_empty());
    let sized = || {
        let size = usize::try_from(salt_size?).ok()?.min(1024);
        let mut random = Random::System;
        Some((0..size).map(|_| char::from(SALT[random.position(SALT.len())])).collect())
    };
    let salt = salt.or_else(sized);
    let ident = given(ident).map(|ident| ident.to_text().into_owned()).filter(|ident| !ident.is_empty());
    let with = With { salt: salt.as_deref(), rounds, ident: ident.as_deref(), release };
    hash(secret, &algorithm, with).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(
        release: Release,
        algorithm: &str,
        salt: &str,
        rounds: Option<i64>,
        ident: Option<&str>,
    ) -> String {
        let with = With { salt: Some(salt), rounds, ident, release };
        hash("x", algorithm, with).unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn hashes_are_those_of_passlib() {
        let hash = |algorithm, salt, rounds, ident| hashed(Release::V2_19, algorithm, salt, rounds, ident);
        assert_eq!(
            hash("sha512", "abcdefgh", Some(5000), None),
            "$6$abcdefgh$D7W7qyozKBT.t6FD3DVYHvADbIO0eSyI4.p20LaEUjro8PqTGYYo/EQcuNjhFbzo9Yg5ir1KIEqFY/yJpgFph0"
        );
        assert_eq!(
            hash("sha256", "abcdefgh", Some(10000), None),
            "$5$rounds=10000$abcdefgh$GqCua8zEceukWnJcsjBleEiqLyW9t816vAEP1MIm521"
        );
        assert_eq!(hash("md5", "abcdefgh", None, None), "$1$abcdefgh$znAnv9M.XU2pRYfmSs46h/");
        assert_eq!(
            hash("blowfish", "1234567890123456789012", Some(4), None),
            "$2b$04$123456789012345678901uYky4opVuwypwXlzFKPVnyRiaKMupjqK"
        );
        assert_eq!(
            hash("sha512", "a", Some(1), None),
            "Could not hash the secret: sha512_crypt: min_desired_rounds (1) is too low, must be at least 1000"
        );
    }

    /// What ansible-core 2.21.5 returns on a system with libxcrypt.
    #[test]
    fn hashes_are_those_of_libxcrypt() {
        let hash = |algorithm, salt, rounds, ident| hashed(Release::V2_21, algorithm, salt, rounds, ident);
        for (algorithm, salt, rounds, ident, expected) in [
            (
                "sha512",
                "abcdefgh",
                Some(5000),
                None,
                "$6$V7qMYJaN$rWgrgN9GKTzz9T1YW.5mWu6r9OL0l5bD0IU2Z9W6X7/c3SYtEOXvMcfcZoK/ZwXp4DsfYhsV6EA8.zy05xgTY1",
            ),
            (
                "sha512",
                "abcdefgh",
                Some(10),
                None,
                "$6$rounds=1000$V7qMYJaN$V/qK7KwfUoM2dD.Xy0tP/zuy/vYqrorUwKXwsP/dMVjQXJg5wwm4YZtCr6OAqDW1T.Cind79rmXv74hO2AfQX.",
            ),
            ("md5", "abcdefgh", None, None, "$1$V7qMYJaN$Jr6vV.DKYJik6NUEz55O3."),
            (
                "blowfish",
                "1234567890123456789012",
                Some(4),
                Some("2a"),
                "$2a$04$KRGxLBS0Lxe3KBCwKxOzLe3/a9tq5TMi.iN0k.t1nIWNdYp.fdo.2",
            ),
            ("sha512", "a!", None, None, "invalid characters in salt"),
            ("bcrypt", "123", None, None, "invalid salt size supplied (3), expected 22"),
            ("md5", "123456789", None, None, "invalid salt size supplied (9), expected at most 8"),
            (
                "sha512",
                "a",
                None,
                None,
                "Failed to generate salt for 'sha512_crypt' algorithm: crypt_gensalt failed: unable to generate salt",
            ),
            (
                "bcrypt",
                "1234567890123456789012",
                Some(3),
                None,
                "Failed to generate salt for 'bcrypt' algorithm: crypt_gensalt failed: unable to generate salt",
            ),
        ] {
            assert_eq!(hash(algorithm, salt, rounds, ident), expected, "{algorithm} {salt}");
        }
        let salt = |given: &str| {
            let hash = hashed(Release::V2_21, "sha512", given, Some(5000), None);
            hash.split('$').nth(2).map(str::to_owned).unwrap_or(hash)
        };
        let all = "abcdefghijklmnop";
        for (length, expected) in [
            (4, "V7qM"),
            (6, "V7qM"),
            (7, "V7qMYJaN"),
            (9, "V7qMYJaN"),
            (10, "V7qMYJaNbVKO"),
            (13, "V7qMYJaNbVKOeh4P"),
            (16, "V7qMYJaNbVKOeh4P"),
        ] {
            assert_eq!(salt(&all[..length]), expected, "{length}");
        }
        assert_eq!(salt("abc"), "invalid salt size supplied (3)");
    }
}
