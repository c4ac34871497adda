//! Hashes passwords in the forms of `/etc/shadow`.

use playbook_api::{Error, Value};

use super::arguments::{given, text};
use super::mersenne::Random;
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

/// Returns the hash of a password, with the given salt or a new one.
pub(crate) fn hash(
    secret: &str,
    algorithm: &str,
    salt: Option<&str>,
    rounds: Option<i64>,
    ident: Option<&str>,
) -> Result<String, Error> {
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
    let salt = match salt {
        Some(salt) => salt.to_owned(),
        None => random_salt(algorithm, &mut Random::System),
    };
    let length = salt.chars().count();
    if scheme.exact_salt && length < scheme.salt {
        return Err(failed(format!("salt too small ({name} requires exactly {} chars)", scheme.salt)));
    }
    if length > scheme.salt {
        let limit = if scheme.exact_salt { "exactly" } else { "<=" };
        return Err(failed(format!("salt too large ({name} requires {limit} {} chars)", scheme.salt)));
    }
    if !salt.bytes().all(|b| SALT.contains(&b)) {
        return Err(failed(format!("invalid characters in {name} salt")));
    }
    let slow = if name == "bcrypt" { 20 } else { 20_000_000 };
    if let (Some((.., most)), Some(rounds)) = (scheme.rounds, rounds)
        && (slow + 1..=i64::from(most)).contains(&rounds)
    {
        return Err(failed(format!("more than {slow} rounds of {name} would take hours")));
    }
    let rounds = match (scheme.rounds, rounds) {
        (None, _) => 0,
        (Some((default, ..)), None) => default,
        (Some((_, least, most)), Some(rounds)) => match u32::try_from(rounds) {
            Ok(rounds) if rounds > most => {
                return Err(failed(format!(
                    "{name}: max_desired_rounds ({rounds}) is too high, must be at most {most}"
                )));
            }
            Ok(rounds) if rounds >= least => rounds,
            _ => {
                return Err(failed(format!(
                    "{name}: min_desired_rounds ({rounds}) is too low, must be at least {least}"
                )));
            }
        },
    };
    match name {
        "md5_crypt" => Ok(md5_crypt::hash(secret, &salt)),
        "sha256_crypt" => Ok(sha_crypt::hash::<sha2::Sha256>("5", secret, &salt, rounds)),
        "sha512_crypt" => Ok(sha_crypt::hash::<sha2::Sha512>("6", secret, &salt, rounds)),
        _ => blowfish(secret, &salt, rounds, ident.unwrap_or("2b")).map_err(failed),
    }
}

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
    const ALPHABET: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for c in salt.bytes() {
        let value = ALPHABET.iter().position(|a| *a == c).unwrap_or(0) as u32;
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
    let Some(secret) = call.input.as_str() else {
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
    hash(secret, &algorithm, salt.as_deref(), rounds, ident.as_deref()).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_passlib() {
        let hash = |algorithm, salt, rounds, ident| {
            hash("x", algorithm, Some(salt), rounds, ident).unwrap_or_else(|e| e.to_string())
        };
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
}
