//! A byte stream from a managed host: the socket that a module gets, and the thread that connects it to the channel.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream};
use playbook_api::time::deadline;
use playbook_api::{Error, Failure};
use playbook_remote::message::{Message, Open};
use playbook_remote::pump::{self, CallEnd};

use super::call::Lost;
use super::channel::{Channel, Line};

/// The interval at which a waiting stream checks for cancellation.
const INTERVAL: Duration = Duration::from_millis(100);

/// The number of addresses of a name that the time limit allows for.
const ADDRESSES: u32 = 4;

/// Makes the helper at the other end of a channel connect to a service.
pub(crate) fn open(
    channel: &Arc<Channel>,
    endpoint: &Endpoint,
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Result<Stream, Failure>, Lost> {
    let line = channel.begin();
    let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let request = Message::Open(Open { endpoint: endpoint.clone(), timeout: milliseconds });
    line.say(&request).map_err(Lost::Unsent)?;
    let until = deadline(timeout.saturating_mul(ADDRESSES).saturating_add(Duration::from_secs(5)));
    loop {
        match line.hear(INTERVAL).map_err(Lost::Broken)? {
            Some(Message::Opened(Ok(()))) => break,
            Some(Message::Opened(Err(error))) => return Ok(Err(error.into())),
            Some(Message::Reply(reply)) => {
                let failure = (*reply).err().unwrap_or_else(|| Failure::new("the helper opened no stream"));
                return Ok(Err(failure));
            }
            None if cancel.is_set() || Instant::now() > until => {
                let _ = line.say(&Message::Cancel);
                let message = match cancel.is_set() {
                    true => "interrupted".to_owned(),
                    false => format!("no response after {} seconds", timeout.as_secs()),
                };
                return Ok(Err(Failure::new(message)));
            }
            Some(_) | None => {}
        }
    }
    Ok(attach(line).map_err(|e| Failure::new(format!("cannot make a socket for the stream: {e}"))))
}

/// Connects a call with a new socket, and returns the socket's other end.
fn attach(line: Line) -> io::Result<Stream> {
    let (module, channel) = UnixStream::pair()?;
    let carry = move || {
        // If the stream fails, the module sees its end.
        let _ = pump::carry(&line, &Stream::Unix(channel));
    };
    std::thread::Builder::new().name("stream".into()).spawn(carry)?;
    Ok(Stream::Unix(module))
}

impl CallEnd for Line {
    fn call(&self) -> u32 {
        self.number()
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        Line::send(self, bytes).map_err(broken)
    }

    fn say(&self, message: &Message) -> io::Result<()> {
        Line::say(self, message).map_err(broken)
    }

    fn hear(&self) -> io::Result<Option<Message>> {
        Line::hear(self, INTERVAL).map_err(broken)
    }
}

fn broken(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error.to_string())
}
