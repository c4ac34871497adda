//! A byte stream on a call: what one end reads from its socket, the other end writes to its own.
//!
//! Both ends work alike. Content goes as [`Message::Data`] and is never more than [`WINDOW`] ahead of what the other
//! end has written; [`Message::End`] closes one direction, and [`Message::Cancel`] both.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use playbook_api::stream::Stream;
use playbook_api::sync::lock;

use crate::frame::Piece;
use crate::message::{Message, WINDOW};

/// The interval at which one direction checks the state of the other.
const INTERVAL: Duration = Duration::from_millis(200);

/// One call's part of a channel, as its stream needs it.
pub trait CallEnd: Sync {
    /// Returns the call's number.
    fn call(&self) -> u32;

    /// Sends the bytes of a whole message.
    fn send(&self, bytes: &[u8]) -> io::Result<()>;

    /// Sends a message.
    fn say(&self, message: &Message) -> io::Result<()>;

    /// Waits a moment for the next message. Fails once the call is canceled or the channel has ended.
    fn hear(&self) -> io::Result<Option<Message>>;
}

/// What the two directions of a stream know of each other.
struct State {
    /// The number of bytes that may be sent before the other end has written some.
    credit: Mutex<usize>,
    more: Condvar,
    /// Whether all that the socket gave was sent.
    sent: AtomicBool,
    /// Whether all that the other end has was received.
    received: AtomicBool,
    /// Whether the stream has broken off.
    broken: AtomicBool,
}

impl State {
    fn add(&self, count: usize) {
        *lock(&self.credit) += count;
        self.more.notify_all();
    }

    /// Takes credit once there is enough. Returns false if the stream has broken off.
    fn take(&self, count: usize) -> bool {
        let mut credit = lock(&self.credit);
        while *credit < count && !self.broken.load(Ordering::Acquire) {
            credit = self.more.wait_timeout(credit, INTERVAL).unwrap_or_else(|e| e.into_inner()).0;
        }
        *credit = credit.saturating_sub(count);
        !self.broken.load(Ordering::Acquire)
    }
}

/// Carries a socket's bytes over a call until both directions have ended.
///
/// # Errors
///
/// A socket that cannot be duplicated, or a thread that cannot be started.
pub fn carry(end: &dyn CallEnd, socket: &Stream) -> io::Result<()> {
    let state = State {
        credit: Mutex::new(WINDOW),
        more: Condvar::new(),
        sent: AtomicBool::new(false),
        received: AtomicBool::new(false),
        broken: AtomicBool::new(false),
    };
    let mut reading = socket.try_clone()?;
    let mut writing = socket.try_clone()?;
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("stream".into());
        builder.spawn_scoped(scope, || {
            send(end, &mut reading, &state);
            state.sent.store(true, Ordering::Release);
        })?;
        if receive(end, &mut writing, &state).is_err() {
            state.broken.store(true, Ordering::Release);
            state.more.notify_all();
            // It gives the sender its end as well.
            let _ = socket.shutdown(Shutdown::Both);
            let _ = end.say(&Message::Cancel);
        }
        Ok(())
    })
}

/// Sends what the socket gives.
fn send(end: &dyn CallEnd, socket: &mut Stream, state: &State) {
    let mut piece = Piece::new(end.call());
    let error = loop {
        match piece.fill(socket) {
            Ok(0) => break None,
            Ok(count) => {
                if !state.take(count) || end.send(piece.as_bytes()).is_err() {
                    return;
                }
            }
            Err(e) => break Some(e.to_string()),
        }
    };
    if end.say(&Message::End(error)).is_err() {
        return;
    }
    // The socket may still take content. One that is closed altogether would be noticed only when there is some.
    while !state.received.load(Ordering::Acquire) && !state.broken.load(Ordering::Acquire) {
        let mut fds = [PollFd::new(socket.as_fd(), PollFlags::empty())];
        let timeout = PollTimeout::try_from(INTERVAL).unwrap_or(PollTimeout::ZERO);
        if poll(&mut fds, timeout).is_ok_and(|count| count > 0) {
            let _ = end.say(&Message::Cancel);
            return;
        }
    }
}

/// Writes what the other end sends, until both directions have ended.
fn receive(end: &dyn CallEnd, socket: &mut Stream, state: &State) -> io::Result<()> {
    let mut used = 0;
    while !(state.received.load(Ordering::Acquire) && state.sent.load(Ordering::Acquire)) {
        match end.hear()? {
            Some(Message::Data(piece)) => {
                socket.write_all(&piece)?;
                used += piece.len();
                if used >= WINDOW / 4 {
                    end.say(&Message::Credit(used as u64))?;
                    used = 0;
                }
            }
            Some(Message::Credit(count)) => state.add(usize::try_from(count).unwrap_or(WINDOW)),
            Some(Message::End(None)) => {
                let _ = socket.shutdown(Shutdown::Write);
                state.received.store(true, Ordering::Release);
            }
            Some(Message::End(Some(error))) => return Err(io::Error::other(error)),
            Some(Message::Cancel) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Some(_) | None => {}
        }
    }
    Ok(())
}
