//! The part of HTTP/1.1 that a proxy between an AWS SDK and an emulator on the same machine needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A request or a response: its first line, headers and body.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The first line, without its line break.
    pub start: String,
    /// The headers; names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The decoded body.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one message; returns `None` if the peer has closed the connection.
    pub fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
        let mut message = Message { start: line(stream)?, ..Message::default() };
        if message.start.is_empty() {
            return Ok(None);
        }
        loop {
            let line = line(stream)?;
            let Some((name, value)) = line.split_once(':') else { break };
            message.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        let response = message.start.starts_with("HTTP/");
        if message.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            message.body = chunks(stream)?;
        } else if let Some(length) = message.header("content-length").and_then(|v| v.parse().ok()) {
            message.body = vec![0; length];
            stream.read_exact(&mut message.body)?;
        } else if response && message.status() != 204 {
            stream.read_to_end(&mut message.body)?;
        }
        Ok(Some(message))
    }

    /// Returns a header's value; `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Returns a response's status code, or 0 if it has none.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Parses the body as JSON; returns null if it is not valid JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Writes the message with new `content-length` and `connection` headers.
    pub fn write(&self, stream: &mut impl Write, keep_open: bool) -> io::Result<()> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            if !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection") {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        head.push_str(if keep_open { "connection: keep-alive\r\n\r\n" } else { "connection: close\r\n\r\n" });
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        stream.flush()
    }
}

/// Sends a request to a port of this machine and returns the response.
pub fn ask(port: u16, request: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    request.write(&mut stream, false)?;
    Message::read(&mut BufReader::new(stream))?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream)?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        let _ = line(stream)?;
        if size == 0 {
            return Ok(body);
        }
    }
}
