//! Byte streams to services on the host that a task acts on.
//!
//! A controller module that speaks to a service (a database, a container engine) opens its connection through the
//! task's host: what `localhost`, a Unix socket and a user name mean is then decided there, as for a host module.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

use crate::cancel::Cancel;
use crate::{Failure, Map, Outcome};

/// When a TCP connection whose network was cut ends: within a minute, also while nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// The seconds of silence before the other side is probed. Load balancers forget a connection that is silent for
    /// minutes.
    pub idle: u32,
    /// The seconds between two probes.
    pub interval: u32,
    /// The number of probes without an answer that end the connection; none turns probes off.
    pub count: u32,
    /// The milliseconds for which what was sent may stay unacknowledged; none for the system's default.
    pub user_timeout: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        KeepAlive { idle: 15, interval: 10, count: 3, user_timeout: 45_000 }
    }
}

impl KeepAlive {
    /// Sets it on a socket. A system without one of the options keeps its own interval.
    pub fn set(&self, socket: &impl AsFd) {
        let _ = setsockopt(socket, sockopt::KeepAlive, &(self.count > 0));
        if self.count > 0 {
            let _ = setsockopt(socket, sockopt::TcpKeepIdle, &self.idle);
            let _ = setsockopt(socket, sockopt::TcpKeepInterval, &self.interval);
            let _ = setsockopt(socket, sockopt::TcpKeepCount, &self.count);
        }
        let _ = setsockopt(socket, sockopt::TcpUserTimeout, &self.user_timeout);
    }
}

/// The address of a service, as the host that connects to it understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port of a host, given by name or address.
    Tcp {
        /// The name or address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket's path.
    Unix(PathBuf),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A connected byte stream: the service's own socket, or one that leads to it over a connection to a managed host.
#[derive(Debug)]
pub enum Stream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A connection to a Unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// Connects to a service from this process. A name's addresses are tried one after the other, each for at most
    /// `timeout`.
    ///
    /// # Errors
    ///
    /// The last address's error, or that of the name's resolution.
    pub fn open(endpoint: &Endpoint, timeout: Duration) -> io::Result<Stream> {
        let (host, port) = match endpoint {
            Endpoint::Unix(path) => return UnixStream::connect(path).map(Stream::Unix),
            Endpoint::Tcp { host, port } => (host.as_str(), *port),
        };
        let lookup = |e: io::Error| io::Error::new(e.kind(), format!("the lookup of '{host}' failed: {e}"));
        let mut result = Err(io::Error::new(io::ErrorKind::NotFound, format!("'{host}' has no address")));
        for address in (host, port).to_socket_addrs().map_err(lookup)? {
            result = TcpStream::connect_timeout(&address, timeout);
            if result.is_ok() {
                break;
            }
        }
        let stream = result?;
        stream.set_nodelay(true)?;
        KeepAlive::default().set(&stream);
        Ok(Stream::Tcp(stream))
    }

    /// Duplicates the handle; both refer to the same stream.
    pub fn try_clone(&self) -> io::Result<Stream> {
        match self {
            Stream::Tcp(stream) => stream.try_clone().map(Stream::Tcp),
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
        }
    }

    /// Shuts down reading, writing or both.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            Stream::Unix(stream) => stream.shutdown(how),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

impl io::Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl io::Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(buffer),
            Stream::Unix(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            Stream::Unix(stream) => stream.flush(),
        }
    }
}

/// The host that a task acts on, as the task's user (`become` included), for modules that run in the controller.
/// Nothing is sent there before one of these is called. Both block.
pub trait TaskHost: Send + Sync {
    /// Connects to a service from that host.
    ///
    /// # Errors
    ///
    /// What the host said about the endpoint, with the kind `NotFound` for a name or a socket that does not exist; and
    /// everything that fails a host module there, an unreachable host included.
    fn connect(&self, endpoint: &Endpoint, timeout: Duration, cancel: &Cancel) -> Result<Stream, Failure>;

    /// Runs a host module there, for what the service's client has to know of the host.
    fn run(&self, module: &str, arguments: Map) -> Result<Outcome, Failure>;
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn both_kinds_of_endpoints_are_reached() {
        let directory = std::env::temp_dir().join(format!("playbook-stream-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (tcp, unix) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(directory.join("s")));
        let port = tcp.local_addr().unwrap().port();
        let unix = unix.unwrap();
        std::thread::spawn(move || {
            tcp.accept().unwrap().0.write_all(b"tcp").unwrap();
            unix.accept().unwrap().0.write_all(b"unix").unwrap();
        });
        let mut said = [String::new(), String::new()];
        let endpoints =
            [Endpoint::Tcp { host: "localhost".into(), port }, Endpoint::Unix(directory.join("s"))];
        for (endpoint, said) in endpoints.iter().zip(&mut said) {
            Stream::open(endpoint, Duration::from_secs(5)).unwrap().read_to_string(said).unwrap();
        }
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(said, ["tcp", "unix"]);
    }

    #[test]
    fn a_cut_network_is_noticed_within_a_minute() {
        use nix::sys::socket::getsockopt;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".into(), port };
        let stream = Stream::open(&endpoint, Duration::from_secs(5)).unwrap();
        assert!(getsockopt(&stream, sockopt::KeepAlive).unwrap());
        let number = |n: Result<u32, nix::Error>| n.unwrap();
        let idle = number(getsockopt(&stream, sockopt::TcpKeepIdle));
        let probes = number(getsockopt(&stream, sockopt::TcpKeepInterval))
            * number(getsockopt(&stream, sockopt::TcpKeepCount));
        assert!(idle + probes < 60, "{idle} + {probes}");
        assert!(number(getsockopt(&stream, sockopt::TcpUserTimeout)) < 60_000);
    }

    #[test]
    fn endpoints_are_shown_as_they_are_written() {
        let tcp = |host: &str| Endpoint::Tcp { host: host.into(), port: 5432 }.to_string();
        assert_eq!((tcp("db"), tcp("::1")), ("db:5432".into(), "[::1]:5432".into()));
        assert_eq!(Endpoint::Unix("/run/s".into()).to_string(), "/run/s");
    }
}
