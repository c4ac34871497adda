//! A port that forwards connections to a machine and delays the data in both directions.
//!
//! The kernel's own means for this (`tc … netem`) is a module that many kernels lack.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::{Doing, Result};

/// A forwarding port. Its threads end with their connections, or with the process.
pub struct Delay {
    /// The port on the loopback interface.
    pub port: u16,
}

impl Delay {
    /// Opens a port on the loopback interface that forwards to `to` with this round-trip time.
    pub fn start(to: SocketAddr, round_trip: Duration) -> Result<Delay> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).doing("opening a port")?;
        let port = listener.local_addr().doing("opening a port")?.port();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(to) else { continue };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                for (from, to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))] {
                    if let (Ok(from), Ok(to)) = (from, to) {
                        carry(from, to, round_trip / 2);
                    }
                }
            }
        });
        Ok(Delay { port })
    }
}

/// Forwards data, each piece after `way`. Any number of pieces can be in transit.
fn carry(mut from: TcpStream, mut to: TcpStream, way: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length) = from.read(&mut buffer) {
            if length == 0 || sender.send((Instant::now() + way, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        for (when, piece) in receiver {
            std::thread::sleep(when.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        std::thread::sleep(way);
        let _ = to.shutdown(Shutdown::Write);
    });
}
