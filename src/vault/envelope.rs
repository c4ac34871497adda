//! The text form of a vault, and its cryptography: PBKDF2-HMAC-SHA256, AES-256-CTR, HMAC-SHA256.

use aes::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use playbook_api::{Error, ErrorKind};
use sha2::Sha256;

const ROUNDS: u32 = 10_000;
const LINE: usize = 80;
const BLOCK: usize = 16;

/// A vault taken apart.
#[derive(Debug)]
pub struct Envelope {
    /// Only format 1.2 carries one.
    pub id: Option<String>,
    salt: Vec<u8>,
    digest: Vec<u8>,
    ciphertext: Vec<u8>,
}

struct Keys {
    cipher: [u8; 32],
    digest: [u8; 32],
    counter: [u8; 16],
}

impl Keys {
    fn derive(password: &[u8], salt: &[u8]) -> Keys {
        let mut bytes = [0u8; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, &mut bytes);
        let mut keys = Keys { cipher: [0; 32], digest: [0; 32], counter: [0; 16] };
        keys.cipher.copy_from_slice(&bytes[..32]);
        keys.digest.copy_from_slice(&bytes[32..64]);
        keys.counter.copy_from_slice(&bytes[64..]);
        keys
    }

    fn apply(&self, bytes: &mut [u8]) {
        ctr::Ctr128BE::<aes::Aes256>::new(&self.cipher.into(), &self.counter.into()).apply_keystream(bytes);
    }

    fn mac(&self, ciphertext: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.digest).ok()?;
        mac.update(ciphertext);
        Some(mac)
    }
}

fn broken(reason: &str) -> Error {
    Error::new(format!("Vault format: {reason}"))
        .with_kind(ErrorKind::Vault)
        .with_help("Copy the whole vault, from '$ANSIBLE_VAULT' to its last line, without changing it.")
}

impl Envelope {
    /// Takes `$ANSIBLE_VAULT;1.1;AES256` and the lines below it apart.
    pub fn parse(text: &str) -> Result<Envelope, Error> {
        let mut lines = text.trim().lines().map(str::trim);
        let header: Vec<&str> = lines.next().unwrap_or("").split(';').map(str::trim).collect();
        let (version, cipher, id) = match header.as_slice() {
            ["$ANSIBLE_VAULT", version, cipher] => (*version, *cipher, None),
            ["$ANSIBLE_VAULT", version, cipher, id, ..] => (*version, *cipher, Some((*id).to_owned())),
            _ => return Err(broken("input is not vault encrypted data")),
        };
        if !matches!(version, "1.1" | "1.2") {
            return Err(broken(&format!("version '{version}' is not known")));
        }
        if !matches!(cipher, "AES256" | "AES") {
            return Err(broken(&format!("cipher '{cipher}' could not be found")));
        }
        let body: String = lines.collect();
        let inner = hex::decode(&body).map_err(|e| {
            let fault = match e {
                hex::FromHexError::OddLength => "Odd-length string",
                _ => "Non-hexadecimal digit found",
            };
            broken(&format!("Vault format unhexlify error: {fault}"))
        })?;
        let mut parts = inner.splitn(3, |b| *b == b'\n').map(hex::decode);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(salt)), Some(Ok(digest)), Some(Ok(ciphertext))) => {
                Ok(Envelope { id, salt, digest, ciphertext })
            }
            _ => Err(broken("the text inside is not made of salt, digest and content")),
        }
    }

    /// The plain text, if the password is the right one.
    pub fn open(&self, password: &[u8]) -> Option<Vec<u8>> {
        let keys = Keys::derive(password, &self.salt);
        keys.mac(&self.ciphertext)?.verify_slice(&self.digest).ok()?;
        let mut bytes = self.ciphertext.clone();
        keys.apply(&mut bytes);
        let padding = usize::from(*bytes.last()?);
        bytes.truncate(bytes.len().checked_sub(padding)?);
        Some(bytes)
    }
}

/// Encrypts: format 1.2 where there is an id other than `default`, else 1.1.
pub fn seal(plaintext: &[u8], password: &[u8], id: Option<&str>, salt: &[u8]) -> Option<String> {
    let keys = Keys::derive(password, salt);
    let padding = BLOCK - plaintext.len() % BLOCK;
    let mut bytes = plaintext.to_vec();
    bytes.extend(std::iter::repeat_n(padding as u8, padding));
    keys.apply(&mut bytes);
    let digest = keys.mac(&bytes)?.finalize().into_bytes();
    let inner = format!("{}\n{}\n{}", hex::encode(salt), hex::encode(digest), hex::encode(&bytes));
    let mut text = match id.filter(|id| *id != "default") {
        Some(id) => format!("$ANSIBLE_VAULT;1.2;AES256;{id}\n"),
        None => "$ANSIBLE_VAULT;1.1;AES256\n".to_owned(),
    };
    for (index, c) in hex::encode(inner).chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push('\n');
    Some(text)
}
