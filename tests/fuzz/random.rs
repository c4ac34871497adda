//! Random choices that are the same for the same seed.

/// xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// A text with some of its parts gone, doubled, swapped, or replaced by words of the language.
    pub(crate) fn mutate(&mut self, text: &str, words: &[&str]) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(4) {
            let (a, b) = (self.below(chars.len() + 1), self.below(chars.len() + 1));
            let (start, end) = (a.min(b), a.max(b).min(a.min(b) + 20));
            match self.below(6) {
                0 => drop(chars.drain(start..end)),
                1 => {
                    let part = chars[start..end].to_vec();
                    let times = if self.one_in(20) { 200 } else { 1 };
                    chars.splice(start..start, part.repeat(times));
                }
                2 | 3 => {
                    let word: Vec<char> = self.pick(words).chars().collect();
                    chars.splice(start..start, word);
                }
                4 if start < chars.len() => {
                    chars[start] = char::from_u32(self.below(0x3000) as u32).unwrap_or('\0');
                }
                _ => {
                    let word: Vec<char> = self.pick(words).chars().collect();
                    chars.splice(start..end, word);
                }
            }
            chars.truncate(20_000);
        }
        chars.into_iter().collect()
    }
}
