//! The channel to a helper, shared by all who have something to say to it. No thread belongs to it: of those who
//! wait for an answer, one reads for all.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use playbook_api::Error;
use playbook_remote::frame::{self, Assembler, Piece};
use playbook_remote::message::Message;

use super::launch::Process;

/// The channel to a helper.
pub struct Channel {
    input: Mutex<Option<File>>,
    state: Mutex<State>,
    wake: Condvar,
    last: AtomicU32,
    lost: AtomicBool,
    process: Mutex<Box<dyn Process>>,
}

struct State {
    /// Nobody's turn to read, unless it is gone.
    reader: Option<Reader>,
    mailboxes: HashMap<u32, VecDeque<Message>>,
    /// Why nothing comes any more.
    ended: Option<String>,
}

pub struct Reader {
    pub output: File,
    pub assembler: Assembler,
}

impl Reader {
    /// What arrives within a time; nothing, if nothing does.
    pub fn read(&mut self, patience: Duration) -> Result<Vec<(u32, Message)>, Error> {
        let mut messages = Vec::new();
        if readable(&self.output, patience)? {
            match self.assembler.fill(&mut self.output) {
                Ok(0) => return Err(Error::new("the helper ended")),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
            while let Some(message) = self.assembler.take()? {
                messages.push(message);
            }
        }
        Ok(messages)
    }
}

/// Whether there is something to read within a time, the end included.
pub fn readable(file: &File, patience: Duration) -> io::Result<bool> {
    any_readable([file], patience).map(|[readable]| readable)
}

/// Which of several have something to read, once one has or the time is over.
pub fn any_readable<const N: usize>(files: [&File; N], patience: Duration) -> io::Result<[bool; N]> {
    let mut fds = files.map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN));
    // Rounded up: a last half of a millisecond must not be spent turning in circles.
    let timeout = PollTimeout::try_from(patience + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
    match poll(&mut fds, timeout) {
        Ok(_) => Ok(fds.map(|fd| fd.any().unwrap_or(false))),
        Err(nix::errno::Errno::EINTR) => Ok([false; N]),
        Err(e) => Err(e.into()),
    }
}

impl Channel {
    pub fn new(input: File, reader: Reader, process: Box<dyn Process>) -> Channel {
        Channel {
            input: Mutex::new(Some(input)),
            state: Mutex::new(State { reader: Some(reader), mailboxes: HashMap::new(), ended: None }),
            wake: Condvar::new(),
            last: AtomicU32::new(frame::NO_CALL),
            lost: AtomicBool::new(false),
            process: Mutex::new(process),
        }
    }

    /// Begins a call: messages for it are kept until it ends.
    pub fn begin(self: &Arc<Self>) -> Line {
        let call = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        self.state().mailboxes.insert(call, VecDeque::new());
        Line { channel: self.clone(), call }
    }

    /// Whether nothing can be said over it any more.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether no call is under way.
    pub fn is_idle(&self) -> bool {
        self.state().mailboxes.is_empty()
    }

    /// Says that nothing more will be said: the helper ends.
    pub fn close(&self) {
        self.input.lock().unwrap_or_else(|e| e.into_inner()).take();
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Waits for the helper's end; its exit code, if it is known.
    pub fn wait(&self, patience: Duration) -> Option<i32> {
        self.process.lock().unwrap_or_else(|e| e.into_inner()).wait(patience)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// One call's part of the channel.
pub struct Line {
    channel: Arc<Channel>,
    call: u32,
}

impl Line {
    /// Returns the call's number.
    pub fn number(&self) -> u32 {
        self.call
    }

    pub fn say(&self, message: &Message) -> Result<(), Error> {
        self.send(&frame::encode(self.call, message)?)
    }

    /// Room for pieces of this call's stream.
    pub fn piece(&self) -> Piece {
        Piece::new(self.call)
    }

    /// Sends a whole message.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.put(|input| input.write_all(bytes))
    }

    /// Sends a piece of a stream from a file. Says whether the file had that much; what is missing are zeros.
    pub fn pass(&self, file: &mut File, count: usize) -> Result<bool, Error> {
        self.put(|input| {
            input.write_all(&frame::data_header(self.call, count))?;
            // Between files, this is the kernel's work.
            let passed = io::copy(&mut file.take(count as u64), input)?;
            let missing = count as u64 - passed;
            io::copy(&mut io::repeat(0).take(missing), input)?;
            Ok(missing == 0)
        })
    }

    fn put<T>(&self, write: impl FnOnce(&mut File) -> io::Result<T>) -> Result<T, Error> {
        let mut input = self.channel.input.lock().unwrap_or_else(|e| e.into_inner());
        let Some(file) = &mut *input else { return Err(Error::new("the connection was closed")) };
        write(file).map_err(|e| {
            // Half a message may be under way: nothing can follow it.
            *input = None;
            self.channel.lost.store(true, Ordering::Relaxed);
            e.into()
        })
    }

    /// The next message for this call; nothing, if none comes within a time.
    pub fn hear(&self, patience: Duration) -> Result<Option<Message>, Error> {
        let channel = &*self.channel;
        let deadline = Instant::now() + patience;
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
                return Ok(None);
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
                Ok(messages) => {
                    for (call, message) in messages {
                        // What is for a call that has ended is not missed.
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
            // Others may have got something, and somebody must read on.
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
