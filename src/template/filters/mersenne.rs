//! Python's `random.Random`: a seed gives the same choices as in Python.

use num_bigint::{BigInt, BigUint};
use playbook_api::{Error, Value};
use rand::RngCore;
use sha2::{Digest, Sha512};

const SIZE: usize = 624;

/// The Mersenne twister MT19937 as Python seeds it, or the system's random source if there is no seed.
pub(crate) enum Random {
    Seeded(Box<Twister>),
    System,
}

pub(crate) struct Twister {
    state: [u32; SIZE],
    next: usize,
}

impl Random {
    pub(crate) fn new(seed: Option<&Value>) -> Result<Random, Error> {
        Ok(match seed {
            None | Some(Value::Null) => {
                crate::template::purity::taint();
                Random::System
            }
            Some(seed) => Random::Seeded(Box::new(Twister::new(seed)?)),
        })
    }

    fn word(&mut self) -> u32 {
        match self {
            Random::Seeded(twister) => twister.word(),
            Random::System => rand::rng().next_u32(),
        }
    }

    /// Python's `getrandbits`.
    fn bits(&mut self, count: u64) -> BigUint {
        let mut words = Vec::new();
        let mut left = count;
        while left > 0 {
            let taken = left.min(32);
            words.push(self.word() >> (32 - taken));
            left -= taken;
        }
        BigUint::new(words)
    }

    /// Returns a number below `limit`, which must not be zero.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let count = u64::from(64 - limit.leading_zeros());
        loop {
            let drawn = self.bits(count).iter_u64_digits().next().unwrap_or(0);
            if drawn < limit {
                return drawn;
            }
        }
    }

    /// Returns a position in a sequence of that length, which must not be zero.
    pub(crate) fn position(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// Python's `shuffle`.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.position(at + 1));
        }
    }
}

impl Twister {
    /// Seeds with an integer, or with a text and its SHA-512.
    fn new(seed: &Value) -> Result<Twister, Error> {
        let number = match seed {
            Value::Str(text) => {
                let mut bytes = text.as_bytes().to_vec();
                bytes.extend(Sha512::digest(text.as_bytes()));
                BigUint::from_bytes_be(&bytes)
            }
            Value::Bytes(bytes) => {
                let mut all = bytes.to_vec();
                all.extend(Sha512::digest(bytes));
                BigUint::from_bytes_be(&all)
            }
            other => {
                let number: BigInt = other
                    .integer()
                    .ok_or_else(|| {
                        Error::new(format!("a seed is a number or text, not {}", other.type_name()))
                    })?
                    .into_owned();
                number.magnitude().clone()
            }
        };
        let mut key = number.to_u32_digits();
        if key.is_empty() {
            key.push(0);
        }
        Ok(Twister::from_key(&key))
    }

    fn from_word(seed: u32) -> Twister {
        let mut state = [0; SIZE];
        let mut last = seed;
        for (at, word) in state.iter_mut().enumerate() {
            if at > 0 {
                last = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(at as u32);
            }
            *word = last;
        }
        Twister { state, next: SIZE }
    }

    fn from_key(key: &[u32]) -> Twister {
        let mut twister = Twister::from_word(19_650_218);
        let state = &mut twister.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..SIZE.max(key.len()) {
            let mixed = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_664_525);
            state[i] = (state[i] ^ mixed).wrapping_add(key[j]).wrapping_add(j as u32);
            i += 1;
            j = (j + 1) % key.len();
            if i >= SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
        }
        for _ in 1..SIZE {
            let mixed = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_566_083_941);
            state[i] = (state[i] ^ mixed).wrapping_sub(i as u32);
            i += 1;
            if i >= SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        twister
    }

    fn word(&mut self) -> u32 {
        if self.next >= SIZE {
            for at in 0..SIZE {
                let joined = (self.state[at] & 0x8000_0000) | (self.state[(at + 1) % SIZE] & 0x7fff_ffff);
                let twist = if joined & 1 == 0 { 0 } else { 0x9908_b0df };
                self.state[at] = self.state[(at + 397) % SIZE] ^ (joined >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_give_what_python_draws() {
        let random = |seed: Value| Random::new(Some(&seed)).expect("a seed");
        assert_eq!(random(1.into()).below(10), 2);
        assert_eq!(5 + 3 * random("abc".into()).below(32), 92);
        let mut items = [1, 2, 3, 4, 5];
        random(42.into()).shuffle(&mut items);
        assert_eq!(items, [4, 2, 3, 5, 1]);
        let mut items = [1, 2, 3, 4, 5];
        random("x".into()).shuffle(&mut items);
        assert_eq!(items, [5, 2, 1, 4, 3]);
    }
}
