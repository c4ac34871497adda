//! `tcp`: a port that accepts connections.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use playbook_api::{Context, Deserialize, Error, JsonSchema, Map, ProbeState, map};

use super::Look;

/// Waits until a port accepts connections, or no longer does.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Tcp {
    /// The host to connect to.
    #[serde(default = "localhost")]
    host: String,
    /// The port to connect to.
    port: u16,
    /// The state of the port to wait for: `open` or `closed`.
    #[serde(default)]
    state: State,
    /// The number of seconds that one attempt to connect may take.
    #[serde(default = "playbook_api::defaults::number::<u64, 5>")]
    connect_timeout: u64,
}

#[derive(Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    #[default]
    Open,
    Closed,
}

fn localhost() -> String {
    "127.0.0.1".into()
}

impl Look for Tcp {
    const NAME: &'static str = "tcp";

    fn look(self, _: &Context) -> Result<ProbeState, Error> {
        let at = format!("{}:{}", self.host, self.port);
        let values: Map = map! { "host" => self.host.as_str(), "port" => u32::from(self.port) };
        let timeout = Duration::from_secs(self.connect_timeout.max(1));
        let connected = (self.host.as_str(), self.port).to_socket_addrs().and_then(|addresses| {
            let mut last = std::io::ErrorKind::NotFound.into();
            for address in addresses {
                match TcpStream::connect_timeout(&address, timeout) {
                    Ok(_) => return Ok(()),
                    Err(e) => last = e,
                }
            }
            Err(last)
        });
        Ok(match (connected, self.state) {
            (Ok(()), State::Open) | (Err(_), State::Closed) => ProbeState::Met(values),
            (Ok(()), State::Closed) => ProbeState::Waiting(format!("{at} still accepts connections"), values),
            (Err(e), State::Open) => {
                ProbeState::Waiting(format!("{at} does not accept connections: {e}"), values)
            }
        })
    }
}
