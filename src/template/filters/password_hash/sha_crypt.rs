//! `$5$` and `$6$`: Ulrich Drepper's SHA crypt.

use sha2::Digest;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Encodes three bytes, the most significant first, as characters of six bits, the least significant first.
pub(super) fn encode(out: &mut String, bytes: [u8; 3], characters: usize) {
    let mut bits = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
    for _ in 0..characters {
        out.push(char::from(ALPHABET[(bits & 63) as usize]));
        bits >>= 6;
    }
}

/// Returns the bytes repeated to a length.
fn stretched(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().cycle().take(length).copied().collect()
}

pub(super) fn hash<D: Digest>(ident: &str, secret: &str, salt: &str, rounds: u32) -> String {
    let (secret, salt_bytes) = (secret.as_bytes(), salt.as_bytes());
    let alternate = D::new().chain_update(secret).chain_update(salt_bytes).chain_update(secret).finalize();
    let mut first = D::new().chain_update(secret).chain_update(salt_bytes);
    first.update(stretched(&alternate, secret.len()));
    let mut length = secret.len();
    while length > 0 {
        first.update(if length & 1 == 1 { &alternate[..] } else { secret });
        length >>= 1;
    }
    let mut digest = first.finalize();

    let mut by_secret = D::new();
    (0..secret.len()).for_each(|_| by_secret.update(secret));
    let secret_run = stretched(&by_secret.finalize(), secret.len());
    let mut by_salt = D::new();
    (0..16 + usize::from(digest[0])).for_each(|_| by_salt.update(salt_bytes));
    let salt_run = stretched(&by_salt.finalize(), salt_bytes.len());

    for round in 0..rounds {
        let odd = round & 1 == 1;
        let mut next = D::new();
        next.update(if odd { &secret_run[..] } else { &digest });
        if round % 3 != 0 {
            next.update(&salt_run);
        }
        if round % 7 != 0 {
            next.update(&secret_run);
        }
        next.update(if odd { &digest[..] } else { &secret_run });
        digest = next.finalize();
    }

    let named_rounds = if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") };
    let mut out = format!("${ident}${named_rounds}{salt}$");
    let size = digest.len();
    let third = size / 3;
    let mut at = [0, third, 2 * third];
    for _ in 0..third {
        encode(&mut out, at.map(|at| digest[at]), 4);
        // Both widths walk through their thirds in turn: 256 bits forward, 512 bits backward.
        let turned = if size == 32 { [at[2], at[0], at[1]] } else { [at[1], at[2], at[0]] };
        at = turned.map(|at| at + 1);
    }
    if size == 32 {
        encode(&mut out, [0, digest[31], digest[30]], 3);
    } else {
        encode(&mut out, [0, 0, digest[63]], 2);
    }
    out
}
