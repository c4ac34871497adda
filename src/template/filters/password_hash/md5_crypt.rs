//! `$1$`: MD5 crypt, for old systems only.

use md5::{Digest, Md5};

use super::sha_crypt::encode;

pub(super) fn hash(secret: &str, salt: &str) -> String {
    let (secret, salt_bytes) = (secret.as_bytes(), salt.as_bytes());
    let alternate = Md5::new().chain_update(secret).chain_update(salt_bytes).chain_update(secret).finalize();
    let mut first = Md5::new().chain_update(secret).chain_update(b"$1$").chain_update(salt_bytes);
    first.update(alternate.iter().cycle().take(secret.len()).copied().collect::<Vec<u8>>());
    let mut length = secret.len();
    while length > 0 {
        first.update(if length & 1 == 1 { &[0][..] } else { &secret[..1] });
        length >>= 1;
    }
    let mut digest = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        next.update(if round & 1 == 1 { secret } else { &digest });
        if round % 3 != 0 {
            next.update(salt_bytes);
        }
        if round % 7 != 0 {
            next.update(secret);
        }
        next.update(if round & 1 == 1 { &digest[..] } else { secret });
        digest = next.finalize();
    }
    let mut out = format!("$1${salt}$");
    for group in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        encode(&mut out, group.map(|at| digest[at]), 4);
    }
    encode(&mut out, [0, 0, digest[11]], 2);
    out
}
