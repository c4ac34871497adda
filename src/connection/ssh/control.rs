//! The two requests to a master other than for sessions: whether it runs, and to exit.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const HELLO: u32 = 1;
const VERSION: u32 = 4;
const ALIVE_CHECK: u32 = 0x1000_0004;
const TERMINATE: u32 = 0x1000_0005;

/// Whether a master listens on a socket and responds.
pub(crate) fn is_alive(socket: &Path) -> bool {
    ask(socket, ALIVE_CHECK).is_ok()
}

/// Tells the master to exit, and waits until it has.
pub(crate) fn exit(socket: &Path) {
    if let Ok(mut stream) = ask(socket, TERMINATE) {
        // The master closes this connection when it exits.
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

fn ask(socket: &Path, request: u32) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    say(&mut stream, &[HELLO, VERSION])?;
    hear(&mut stream)?;
    say(&mut stream, &[request, 0])?;
    hear(&mut stream)?;
    Ok(stream)
}

fn say(stream: &mut UnixStream, words: &[u32]) -> io::Result<()> {
    let length = words.len() as u32 * 4;
    let bytes: Vec<u8> = std::iter::once(&length).chain(words).flat_map(|word| word.to_be_bytes()).collect();
    stream.write_all(&bytes)
}

fn hear(stream: &mut UnixStream) -> io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length).min(1 << 16);
    stream.read_exact(&mut vec![0; length as usize])
}
