//! A call's files on the controller, as its module in the helper reads and writes them.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use playbook_api::context::{Cancel, Sink, Source};
use playbook_api::sync::lock;
use sha1::{Digest, Sha1};

use crate::frame::Piece;
use crate::message::{Message, SourceInfo, WINDOW};
use crate::output::Output;
use crate::pump::CallEnd;

/// The interval at which a call that waits for the controller checks for cancellation.
const INTERVAL: Duration = Duration::from_millis(200);

/// A call's part of the channel.
pub(crate) struct Line {
    call: u32,
    output: Output,
    inbox: Mutex<Receiver<Message>>,
    cancel: Cancel,
}

impl Line {
    /// Creates the part of a call that has begun.
    pub(crate) fn new(call: u32, output: Output, inbox: Receiver<Message>, cancel: Cancel) -> Arc<Line> {
        Arc::new(Line { call, output, inbox: Mutex::new(inbox), cancel })
    }

    /// Reports what the module is waiting for.
    pub(crate) fn progress(&self, text: String) {
        // If the channel has ended, the call notices where it matters.
        let _ = self.say(&Message::Progress(text));
    }

    /// Sends a message of the call.
    pub(crate) fn say(&self, message: &Message) -> io::Result<()> {
        self.output.say(self.call, message)
    }

    fn hear(&self, inbox: &Receiver<Message>) -> io::Result<Message> {
        while !self.cancel.is_set() {
            match inbox.recv_timeout(INTERVAL) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the controller is gone"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        // Not `Interrupted`: readers would try again.
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "canceled"))
    }

    /// Waits for an answer, past messages to a stream that has ended.
    fn answer(&self) -> io::Result<Message> {
        let inbox = self.inbox();
        loop {
            match self.hear(&inbox)? {
                Message::Credit(_) | Message::Enough => {}
                message => return Ok(message),
            }
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Receiver<Message>> {
        lock(&self.inbox)
    }
}

impl CallEnd for Line {
    fn call(&self) -> u32 {
        self.call
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.output.send(bytes)
    }

    fn say(&self, message: &Message) -> io::Result<()> {
        Line::say(self, message)
    }

    fn hear(&self) -> io::Result<Option<Message>> {
        if self.cancel.is_set() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "canceled"));
        }
        match self.inbox().recv_timeout(INTERVAL) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::new(io::ErrorKind::BrokenPipe, "the controller is gone"))
            }
        }
    }
}

fn unexpected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the controller answered with something else")
}

/// The call's source.
pub(crate) struct RemoteSource {
    /// The call's part of the channel.
    pub line: Arc<Line>,
    /// What is known of the source.
    pub info: SourceInfo,
}

impl Source for RemoteSource {
    fn size(&self) -> u64 {
        self.info.size
    }

    fn sha1(&self) -> io::Result<String> {
        if let Some(content) = &self.info.content {
            return Ok(hex::encode(Sha1::digest(content)));
        }
        self.line.say(&Message::AskSum)?;
        match self.line.answer()? {
            Message::Sum(sum) => sum.map_err(io::Error::other),
            _ => Err(unexpected()),
        }
    }

    fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        if let Some(content) = &self.info.content {
            return Ok(Box::new(io::Cursor::new(content.clone())));
        }
        self.line.say(&Message::Pull)?;
        Ok(Box::new(Incoming { line: self.line.clone(), piece: Vec::new(), at: 0, used: 0, ended: false }))
    }
}

/// A stream that is being read.
struct Incoming {
    line: Arc<Line>,
    piece: Vec<u8>,
    at: usize,
    used: usize,
    ended: bool,
}

impl Incoming {
    /// Reads the next piece; an empty one is the end.
    fn next(&mut self) -> io::Result<()> {
        (self.piece, self.at) = (Vec::new(), 0);
        match self.line.answer()? {
            Message::Data(piece) => {
                self.used += piece.len();
                self.piece = piece;
                Ok(())
            }
            Message::End(error) => {
                self.ended = true;
                error.map_or(Ok(()), |error| Err(io::Error::other(error)))
            }
            _ => Err(unexpected()),
        }
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.piece.len() && !self.ended {
            if self.used >= WINDOW / 4 {
                self.line.say(&Message::Credit(self.used as u64))?;
                self.used = 0;
            }
            self.next()?;
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.ended || self.line.say(&Message::Enough).is_err() {
            return;
        }
        // What is still under way must not be taken for a part of the next stream.
        while !self.ended && self.next().is_ok() {}
    }
}

/// The call's sink.
pub(crate) struct RemoteSink(pub Arc<Line>);

impl Sink for RemoteSink {
    fn take(&self, content: &mut dyn Read) -> io::Result<()> {
        let line = &self.0;
        let inbox = line.inbox();
        line.say(&Message::Push)?;
        let mut credit = WINDOW;
        let mut piece = Piece::new(line.call);
        let copied = loop {
            let count = match piece.fill(content) {
                Ok(0) => break Ok(()),
                Ok(count) => count,
                Err(e) => break Err(e),
            };
            while credit < count {
                match line.hear(&inbox)? {
                    Message::Credit(count) => credit += usize::try_from(count).unwrap_or(0),
                    Message::Enough => return line.say(&Message::End(None)),
                    _ => return Err(unexpected()),
                }
            }
            credit -= count;
            line.output.send(piece.as_bytes())?;
        };
        line.say(&Message::End(copied.as_ref().err().map(ToString::to_string)))?;
        copied
    }
}
