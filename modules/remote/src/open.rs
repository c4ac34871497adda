//! A byte stream that the controller asks for: the helper connects to a service and carries its bytes.

use std::io;
use std::time::Duration;

use playbook_api::stream::Stream;
use playbook_api::{Error, ErrorKind};

use crate::message::{Message, Open};
use crate::pump;
use crate::stream::Line;

/// Connects to a service, says so, and carries the bytes until the stream has ended.
pub(crate) fn run(open: &Open, line: &Line) {
    match Stream::open(&open.endpoint, Duration::from_millis(open.timeout)) {
        Ok(stream) => {
            if line.say(&Message::Opened(Ok(()))).is_err() {
                return;
            }
            if pump::carry(line, &stream).is_err() {
                // The controller's end closes its socket.
                let _ = line.say(&Message::Cancel);
            }
        }
        Err(e) => {
            let error = Error::new(e.to_string());
            let error = match e.kind() {
                io::ErrorKind::NotFound => error.with_kind(ErrorKind::NotFound),
                _ => error,
            };
            let _ = line.say(&Message::Opened(Err(error)));
        }
    }
}
