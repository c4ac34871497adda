//! Frames: length, number of the call, kind and body of a message.

use std::io::{self, Write};

use playbook_api::Error;

use crate::message::{CHUNK, DATA, Message};

/// Four bytes of length (of what follows them), four for the call, one for the kind.
const HEADER: usize = 9;

/// The largest message, in bytes.
const LONGEST: usize = 2 << 30;

/// The call number of messages that belong to no call.
pub const NO_CALL: u32 = 0;

/// Encodes a message.
///
/// # Errors
///
/// A message that is larger than 2 GiB.
pub fn encode(call: u32, message: &Message) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER];
    message.put(&mut bytes);
    let length = bytes.len() - 4;
    if length > LONGEST {
        return Err(io::Error::other("this is too large to be sent in one piece"));
    }
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[4..8].copy_from_slice(&call.to_le_bytes());
    bytes[8] = message.kind();
    Ok(bytes)
}

/// Writes a message.
pub fn write(out: &mut impl Write, call: u32, message: &Message) -> io::Result<()> {
    out.write_all(&encode(call, message)?)
}

/// Returns the header of a piece of a stream with `count` bytes.
pub fn data_header(call: u32, count: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&((HEADER - 4 + count) as u32).to_le_bytes());
    header[4..8].copy_from_slice(&call.to_le_bytes());
    header[8] = DATA;
    header
}

/// A buffer for a piece of a stream, header included, so that it is sent without a copy.
pub struct Piece {
    bytes: Vec<u8>,
    length: usize,
}

impl Piece {
    /// Makes room for pieces of a call's stream.
    pub fn new(call: u32) -> Piece {
        let mut bytes = vec![0; HEADER + CHUNK];
        bytes[..HEADER].copy_from_slice(&data_header(call, 0));
        Piece { bytes, length: 0 }
    }

    /// Takes what one read gives. Returns its number of bytes, 0 at the end.
    pub fn fill(&mut self, reader: &mut (impl io::Read + ?Sized)) -> io::Result<usize> {
        self.length = loop {
            match reader.read(&mut self.bytes[HEADER..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.bytes[..4].copy_from_slice(&((HEADER - 4 + self.length) as u32).to_le_bytes());
        Ok(self.length)
    }

    /// Returns the whole message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..HEADER + self.length]
    }
}

/// Puts messages together from the pieces in which they arrive.
#[derive(Default)]
pub struct Assembler {
    /// The bytes between `start` and `end` were read and not yet taken.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// The size of the buffer that is kept between messages, in bytes.
const ROOM: usize = 256 << 10;

impl Assembler {
    /// Takes what one read gives. Returns its number of bytes, 0 at the end.
    pub fn fill(&mut self, reader: &mut impl io::Read) -> io::Result<usize> {
        if self.start > 0 && (self.start == self.end || self.start > ROOM / 4) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let wanted = self.end + self.missing().clamp(8 << 10, ROOM / 2);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let count = reader.read(&mut self.buffer[self.end..wanted])?;
        self.end += count;
        Ok(count)
    }

    /// Returns the number of bytes that the message that has begun still lacks.
    fn missing(&self) -> usize {
        let there = self.pending();
        let Some(length) = there.first_chunk().map(|l| u32::from_le_bytes(*l) as usize) else { return 0 };
        (length.min(LONGEST) + 4).saturating_sub(there.len())
    }

    /// Takes the next message, if it is complete.
    pub fn take(&mut self) -> Result<Option<(u32, Message)>, Error> {
        let there = self.pending();
        let Some((header, rest)) = there.split_first_chunk::<HEADER>() else { return Ok(None) };
        let number =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = number(0) as usize;
        let Some(body) = length.checked_sub(HEADER - 4).filter(|_| length <= LONGEST) else {
            return Err(Error::new("the other side of the connection sent something that is not a message"));
        };
        let Some(body) = rest.get(..body) else { return Ok(None) };
        let message = Message::get(header[8], body)?;
        let call = number(4);
        self.start += HEADER + body.len();
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            // After a long message its memory is given back.
            if self.buffer.capacity() > 2 * ROOM {
                self.buffer = Vec::new();
            }
        }
        Ok(Some((call, message)))
    }

    /// Returns what was read and belongs to no message yet.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_of_pieces_as_they_went_in() {
        let mut bytes = Vec::new();
        for (call, message) in
            [(1, Message::Progress("one".into())), (2, Message::Data(vec![7; 300_000])), (3, Message::Cancel)]
        {
            write(&mut bytes, call, &message).unwrap();
        }
        for size in [100, 4099, bytes.len()] {
            let (mut assembler, mut seen) = (Assembler::default(), Vec::new());
            for mut piece in bytes.chunks(size) {
                while !piece.is_empty() {
                    assembler.fill(&mut piece).unwrap();
                }
                while let Some((call, message)) = assembler.take().unwrap() {
                    seen.push((call, message.kind()));
                }
            }
            assert_eq!(seen, [(1, 3), (2, 9), (3, 4)]);
            assert!(assembler.pending().is_empty());
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        let mut assembler = Assembler::default();
        assembler.fill(&mut &b"Welcome to this host!"[..]).unwrap();
        assert!(assembler.take().is_err() || assembler.take().unwrap().is_none());
        let mut assembler = Assembler::default();
        assembler.fill(&mut &[1, 0, 0, 0, 0, 0, 0, 0, 0][..]).unwrap();
        assert!(assembler.take().is_err());
    }
}
