//! The channel to a helper, shared by all calls. It has no thread: of the threads that wait for a response, one reads
//! for all. A helper that sends nothing is pinged, and given up if it does not respond.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use playbook_api::Error;
use playbook_api::sync::lock;
use playbook_api::time::deadline;
use playbook_remote::frame::{self, Assembler, Piece};
use playbook_remote::message::Message;

use super::launch::Process;
use super::peer::Peer;
use super::pipe::{readable, writable, write_all, write_file};

/// The channel to a helper.
pub(crate) struct Channel {
    input: Mutex<Option<File>>,
    state: Mutex<State>,
    wake: Condvar,
    last: AtomicU32,
    lost: AtomicBool,
    process: Mutex<Box<dyn Process>>,
    peer: Peer,
}

struct State {
    /// The reader, or `None` while a call reads for all.
    reader: Option<Reader>,
    mailboxes: HashMap<u32, VecDeque<Message>>,
    /// The reason why the channel has closed.
    ended: Option<String>,
    /// The time of the last message from the helper.
    heard: Instant,
    /// The time of a ping to which the helper has not responded yet.
    asked: Option<Instant>,
}

/// The reading half of a channel.
pub(crate) struct Reader {
    /// The helper's output.
    pub output: File,
    /// The beginning of an incomplete message.
    pub assembler: Assembler,
}

impl Reader {
    /// Reads what arrives within a time limit. Returns the complete messages, and whether anything arrived at all.
    pub(crate) fn read(&mut self, timeout: Duration) -> Result<(Vec<(u32, Message)>, bool), Error> {
        let mut messages = Vec::new();
        let broken = |e: io::Error| Error::new(format!("cannot read from the helper: {e}"));
        let ready = readable(&self.output, timeout).map_err(broken)?;
        if ready {
            match self.assembler.fill(&mut self.output) {
                Ok(0) => return Err(Error::new("the helper ended")),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(broken(e)),
            }
            while let Some(message) = self.assembler.take()? {
                messages.push(message);
            }
        }
        Ok((messages, ready))
    }
}

impl Channel {
    /// Creates the channel to a helper that has introduced itself.
    pub(crate) fn new(input: File, reader: Reader, process: Box<dyn Process>, peer: Peer) -> Channel {
        let state = State {
            reader: Some(reader),
            mailboxes: HashMap::new(),
            ended: None,
            heard: Instant::now(),
            asked: None,
        };
        Channel {
            input: Mutex::new(Some(input)),
            state: Mutex::new(state),
            wake: Condvar::new(),
            last: AtomicU32::new(frame::NO_CALL),
            lost: AtomicBool::new(false),
            process: Mutex::new(process),
            peer,
        }
    }

    /// Begins a call. Messages for it are kept until it ends.
    pub(crate) fn begin(self: &Arc<Self>) -> Line {
        let call = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut state = self.state();
        if state.mailboxes.is_empty() {
            // The helper was idle before, so its silence does not count.
            (state.heard, state.asked) = (Instant::now(), None);
        }
        state.mailboxes.insert(call, VecDeque::new());
        drop(state);
        Line { channel: self.clone(), call }
    }

    /// Whether nothing more can be sent.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether no call is active.
    pub(crate) fn is_idle(&self) -> bool {
        self.state().mailboxes.is_empty()
    }

    /// Closes the channel, which ends the helper.
    pub(crate) fn close(&self) {
        lock(&self.input).take();
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Waits until the helper has exited. Returns its exit status, if it is known.
    pub(crate) fn wait(&self, timeout: Duration) -> Option<i32> {
        lock(&self.process).wait(timeout)
    }

    /// Pings a helper that has sent nothing for a while. Returns the reason to give it up after the time limit.
    fn check_silence(&self) -> Option<String> {
        let silence = self.peer.silence;
        let mut state = self.state();
        match state.asked {
            Some(since) if since.elapsed() > silence => {
                let (host, seconds) = (&self.peer.host, silence.as_secs());
                Some(format!("the helper on '{host}' has not responded for {seconds} seconds"))
            }
            None if state.heard.elapsed() > silence / 3 => {
                state.asked = Some(Instant::now());
                drop(state);
                // If a call is writing or the pipe is full, there will be a response to that data instead.
                if let Ok(input) = self.input.try_lock()
                    && let Some(file) = &*input
                    && writable(file.as_fd(), Duration::ZERO).unwrap_or(false)
                {
                    let _ = frame::encode(frame::NO_CALL, &Message::Ping)
                        .and_then(|bytes| write_all(file, &bytes, silence));
                }
                None
            }
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// One call's part of the channel.
pub(crate) struct Line {
    channel: Arc<Channel>,
    call: u32,
}

impl Line {
    /// Returns the call's number.
    pub(crate) fn number(&self) -> u32 {
        self.call
    }

    /// Sends a message of this call.
    pub(crate) fn say(&self, message: &Message) -> Result<(), Error> {
        self.send(&frame::encode(self.call, message).map_err(|e| Error::new(e.to_string()))?)
    }

    /// Returns a buffer for a piece of this call's stream.
    pub(crate) fn piece(&self) -> Piece {
        Piece::new(self.call)
    }

    /// Sends a whole message.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.put(|input, silence| write_all(input, bytes, silence))
    }

    /// Sends a piece of a stream from a file. Returns whether the file was long enough; zeros replace the rest.
    pub(crate) fn pass(&self, file: &File, offset: u64, count: usize) -> Result<bool, Error> {
        self.put(|input, silence| {
            write_all(input, &frame::data_header(self.call, count), silence)?;
            let passed = write_file(input, file, offset, count, silence)?;
            write_all(input, &vec![0; count - passed], silence)?;
            Ok(passed == count)
        })
    }

    fn put<T>(&self, write: impl FnOnce(&File, Duration) -> io::Result<T>) -> Result<T, Error> {
        let channel = &*self.channel;
        let mut input = lock(&channel.input);
        let Some(file) = &*input else { return Err(Error::new("the connection was closed")) };
        write(file, channel.peer.silence).map_err(|e| {
            // A part of a message may have been sent: nothing can follow it.
            *input = None;
            channel.lost.store(true, Ordering::Relaxed);
            match e.kind() {
                io::ErrorKind::TimedOut => {
                    Error::new(format!("the helper on '{}' does not respond: {e}", channel.peer.host))
                }
                _ => Error::new(format!("cannot write to the helper: {e}")),
            }
        })
    }

    /// Waits for the next message of this call. Returns `None` if there is none within the time limit.
    pub(crate) fn hear(&self, timeout: Duration) -> Result<Option<Message>, Error> {
        let channel = &*self.channel;
        let deadline = deadline(timeout);
        let mut state = channel.state();
        loop {
            if let Some(message) = state.mailboxes.get_mut(&self.call).and_then(VecDeque::pop_front) {
                return Ok(Some(message));
            }
            if let Some(reason) = &state.ended {
                return Err(Error::new(reason.clone()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                let Some(reason) = channel.check_silence() else { return Ok(None) };
                channel.lost.store(true, Ordering::Relaxed);
                channel.state().ended = Some(reason.clone());
                channel.wake.notify_all();
                return Err(Error::new(reason));
            }
            let Some(mut reader) = state.reader.take() else {
                let waited = channel.wake.wait_timeout(state, left);
                state = waited.unwrap_or_else(|e| e.into_inner()).0;
                continue;
            };
            drop(state);
            let read = reader.read(left);
            state = channel.state();
            state.reader = Some(reader);
            match read {
                Ok((messages, anything)) => {
                    if anything {
                        (state.heard, state.asked) = (Instant::now(), None);
                    }
                    for (call, message) in messages {
                        // Messages for a call that has ended are discarded.
                        if let Some(mailbox) = state.mailboxes.get_mut(&call) {
                            mailbox.push_back(message);
                        }
                    }
                }
                Err(e) => {
                    state.ended = Some(e.to_string());
                    channel.lost.store(true, Ordering::Relaxed);
                }
            }
            // Other calls may have messages now, and one of them must continue to read.
            channel.wake.notify_all();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.channel.state().mailboxes.remove(&self.call);
        self.channel.wake.notify_all();
    }
}
