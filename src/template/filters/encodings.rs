//! Base64, checksums, UUIDs, percent-encoding.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use md5::Md5;
use playbook_api::{Error, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use uuid::Uuid;

use super::arguments::{flag, iterate, text};
use super::codec::Codec;
use crate::template::{Call, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("b64encode", b64encode),
    Function::new("b64decode", b64decode),
    Function::new("hash", hash),
    Function::new("md5", |call| fixed(call, "md5")),
    Function::new("sha1", |call| fixed(call, "sha1")),
    Function::new("checksum", |call| fixed(call, "sha1")),
    Function::new("to_uuid", to_uuid),
    Function::new("urlencode", urlencode),
    Function::new("urldecode", urldecode),
];

fn b64encode(call: &mut Call) -> Result<Value, Error> {
    let [encoding, urlsafe] = call.bind(["encoding", "urlsafe"], 0)?;
    let bytes = match &call.input {
        Value::Bytes(bytes) => bytes.to_vec(),
        value => Codec::find(&text(&encoding, "utf-8"))?.encode(&value.to_text())?,
    };
    Ok(if flag(&urlsafe, false) { URL_SAFE.encode(bytes) } else { STANDARD.encode(bytes) }.into())
}

/// As in Python, characters outside of the alphabet are ignored.
fn b64decode(call: &mut Call) -> Result<Value, Error> {
    let [encoding, urlsafe] = call.bind(["encoding", "urlsafe"], 0)?;
    let urlsafe = flag(&urlsafe, false);
    let input = call.input.to_text();
    let digits: String = input
        .chars()
        .map(|c| match c {
            '-' if urlsafe => '+',
            '_' if urlsafe => '/',
            c => c,
        })
        .filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c))
        .collect();
    let bytes = STANDARD.decode(digits).map_err(|_| Error::new("Incorrect padding"))?;
    Ok(Codec::find(&text(&encoding, "utf-8"))?.decode(&bytes).into())
}

/// Returns the hexadecimal digest, or `None` if the algorithm does not exist.
pub(super) fn digest(algorithm: &str, bytes: &[u8]) -> Option<String> {
    Some(match algorithm.to_ascii_lowercase().as_str() {
        "md5" => hex::encode(Md5::digest(bytes)),
        "sha1" => hex::encode(Sha1::digest(bytes)),
        "sha224" => hex::encode(Sha224::digest(bytes)),
        "sha256" => hex::encode(Sha256::digest(bytes)),
        "sha384" => hex::encode(Sha384::digest(bytes)),
        "sha512" => hex::encode(Sha512::digest(bytes)),
        _ => return None,
    })
}

fn input_digest(input: &Value, algorithm: &str) -> Result<Value, Error> {
    let found = match input {
        Value::Bytes(bytes) => digest(algorithm, bytes),
        value => digest(algorithm, value.to_text().as_bytes()),
    };
    found.map(Value::from).ok_or_else(|| Error::new(format!("unsupported hash type {algorithm}")))
}

fn hash(call: &mut Call) -> Result<Value, Error> {
    let [algorithm] = call.bind(["hashtype"], 0)?;
    input_digest(&call.input, &text(&algorithm, "sha1"))
}

fn fixed(call: &mut Call, algorithm: &str) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    input_digest(&call.input, algorithm)
}

/// Returns the version 5 UUID of a name. The default namespace is Ansible's.
fn to_uuid(call: &mut Call) -> Result<Value, Error> {
    const ANSIBLE: Uuid = Uuid::from_u128(0x361e_6d51_faec_444a_9079_3413_86da_8e2e);
    let [namespace] = call.bind(["namespace"], 0)?;
    let namespace = match &namespace {
        None => ANSIBLE,
        Some(given) => {
            let invalid = |why: &str| {
                let shown = given.to_text();
                Error::new(format!("Invalid value '{shown}' for 'namespace': {why}"))
            };
            let text = given.as_str().ok_or_else(|| {
                invalid(&format!("'{}' object has no attribute 'replace'", given.type_name()))
            })?;
            Uuid::try_parse(text).map_err(|_| invalid("badly formed hexadecimal UUID string"))?
        }
    };
    Ok(Uuid::new_v5(&namespace, call.input.to_text().as_bytes()).to_string().into())
}

/// Percent-encodes all characters except letters, digits, `_.-~` and those in `safe`.
pub(super) fn percent_encode(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "_.-~".contains(c) || (byte.is_ascii() && safe.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let pair = || bytes.get(at + 1..at + 3).and_then(|pair| hex::decode(pair).ok());
        match (byte == b'%').then(pair).flatten() {
            Some(decoded) => {
                out.extend(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn urlencode(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let query = |value: &Value| percent_encode(&value.to_text(), " ").replace(' ', "+");
    let pairs: Vec<(Value, Value)> = match &call.input {
        Value::Map(map) => map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        Value::List(_) | Value::Tuple(_) => {
            let pair = |item: &Value| match iterate(item)?.as_slice() {
                [key, value] => Ok((key.clone(), value.clone())),
                [_, _, _, ..] => Err(Error::new("too many values to unpack (expected 2)")),
                few => {
                    Err(Error::new(format!("not enough values to unpack (expected 2, got {})", few.len())))
                }
            };
            iterate(&call.input)?.iter().map(pair).collect::<Result<_, Error>>()?
        }
        value => return Ok(percent_encode(&value.to_text(), "/").into()),
    };
    let encoded: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", query(key), query(value))).collect();
    Ok(encoded.join("&").into())
}

fn urldecode(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(percent_decode(&call.input.to_text().replace('+', " ")).into())
}
