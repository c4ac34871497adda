//! The output of a program, kept up to a limit.

use std::collections::VecDeque;

use playbook_api::Context;

use crate::host::environment::variable;

/// The default number of bytes of each stream that are kept.
const DEFAULT: usize = 16 * 1024 * 1024;

/// The environment variable for another limit, in bytes.
pub(crate) const SETTING: &str = "PLAYBOOK_MAX_OUTPUT";

/// The limit that the task's environment sets, or the default.
pub(crate) fn limit(context: &Context) -> usize {
    variable(SETTING, context).and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT)
}

/// The content of a stream, or only its beginning and its end if it exceeds the limit.
#[derive(Debug)]
pub(crate) struct Capture {
    start: Vec<u8>,
    end: VecDeque<u8>,
    dropped: u64,
    limit: usize,
}

impl Capture {
    pub(crate) fn new(limit: usize) -> Capture {
        Capture { start: Vec::new(), end: VecDeque::new(), dropped: 0, limit }
    }

    /// Adds a piece of the stream.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let half = self.limit / 2;
        let (first, rest) = piece.split_at(piece.len().min(half.saturating_sub(self.start.len())));
        self.start.extend_from_slice(first);
        self.end.extend(rest);
        let over = self.end.len().saturating_sub(self.limit - half);
        self.end.drain(..over);
        self.dropped += over as u64;
    }

    /// Returns the number of bytes in the middle that were not kept.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns the content that has been kept so far.
    pub(crate) fn so_far(&self) -> Vec<u8> {
        self.start.iter().chain(&self.end).copied().collect()
    }

    /// Returns the content, with a line in place of the bytes that were not kept.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.start;
        if self.dropped > 0 {
            let note =
                format!("\n[{} bytes left out: more than {SETTING}={} bytes]\n", self.dropped, self.limit);
            bytes.extend(note.into_bytes());
        }
        bytes.extend(self.end);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(limit: usize, pieces: &[&str]) -> String {
        let mut capture = Capture::new(limit);
        pieces.iter().for_each(|piece| capture.push(piece.as_bytes()));
        String::from_utf8(capture.into_bytes()).unwrap()
    }

    #[test]
    fn the_middle_is_left_out_and_told() {
        assert_eq!(kept(8, &["abc", "defgh"]), "abcdefgh");
        assert_eq!(
            kept(8, &["abcdef", "ghi", "jklm"]),
            "abcd\n[5 bytes left out: more than PLAYBOOK_MAX_OUTPUT=8 bytes]\njklm"
        );
        assert_eq!(kept(0, &["ab"]), "\n[2 bytes left out: more than PLAYBOOK_MAX_OUTPUT=0 bytes]\n");
    }
}
