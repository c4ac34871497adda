//! The helper's output: the half of the channel that leads to the controller.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use playbook_api::sync::lock;

use crate::frame;
use crate::message::Message;

/// The half of the channel that leads to the controller, shared by all calls.
#[derive(Clone, Debug)]
pub(crate) struct Output(Arc<Mutex<File>>);

impl Output {
    /// Wraps the file that the channel is written to.
    pub(crate) fn new(file: OwnedFd) -> Output {
        Output(Arc::new(Mutex::new(file.into())))
    }

    /// Sends a message that belongs to a call.
    pub(crate) fn say(&self, call: u32, message: &Message) -> io::Result<()> {
        self.send(&frame::encode(call, message)?)
    }

    /// Sends the bytes of a whole message.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.0).write_all(bytes)
    }
}
