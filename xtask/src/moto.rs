//! The AWS emulator, moto.

use std::process::{Command, Stdio};

use crate::children::{self, Server};
use crate::http::{self, Message};
use crate::{Doing, Result, python};

/// A running emulator; dropping it stops it and discards its state.
pub struct Moto {
    /// Its port on this machine.
    pub port: u16,
    _server: Server,
}

impl Moto {
    /// Starts an emulator on a free port.
    pub fn start() -> Result<Moto> {
        let bin = python::environment(&python::SANDBOX)?;
        let port = children::free_port()?;
        let mut command = Command::new(bin.join("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Server::start("moto", &mut command, libc::SIGTERM)?;
        server.wait_for_port(port)?;
        Ok(Moto { port, _server: server })
    }

    /// Empties the account.
    pub fn reset(&self) -> Result<()> {
        let request = Message {
            start: "POST /moto-api/reset HTTP/1.1".to_owned(),
            headers: vec![("host".to_owned(), "127.0.0.1".to_owned())],
            ..Message::default()
        };
        http::ask(self.port, &request).map(drop).doing("emptying the emulator's account")
    }

    /// Returns the endpoint URL.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
