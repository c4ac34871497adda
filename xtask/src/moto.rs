//! The AWS emulator, moto, on a port of its own.

use std::process::{Command, Stdio};

use crate::children::{self, Server};
use crate::{Result, python};

/// A running emulator; dropping it stops it, and all that it held is gone.
pub struct Moto {
    pub port: u16,
    _server: Server,
}

impl Moto {
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

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
