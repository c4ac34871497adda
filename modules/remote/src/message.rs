//! The messages of controller and helper.

use std::path::PathBuf;

use playbook_api::stream::Endpoint;
use playbook_api::{Error, Failure, Map, Outcome};

use crate::wire::{Input, Wire, broken, get_all, put_all};

/// The version of the messages. A helper is only ever used by the controller that it was built with; this makes sure
/// of it.
pub const PROTOCOL: u64 = 2;

/// The number of bytes of a stream that may be under way before its reader asks for more.
pub const WINDOW: usize = 4 << 20;

/// The largest content, in bytes, that travels with the call that may need it.
pub const SMALL: u64 = 32 << 10;

/// The largest number of bytes in one piece of a stream.
pub const CHUNK: usize = 64 << 10;

/// The kind of [`Message::Data`].
pub(crate) const DATA: u8 = 9;

/// What controller or helper says about one call.
#[derive(Debug)]
pub enum Message {
    /// The helper is ready.
    Hello(Hello),
    /// The controller asks for a module's run.
    Call(Box<Call>),
    /// The helper returns a module's result.
    Reply(Box<Result<Outcome, Failure>>),
    /// The helper tells in words what a module waits for.
    Progress(String),
    /// The controller cancels a call; either end breaks off a byte stream.
    Cancel,
    /// The helper asks for the SHA-1 of the call's source.
    AskSum,
    /// The controller returns the SHA-1, or why there is none.
    Sum(Result<String, String>),
    /// The helper asks for the content of the call's source, from its beginning.
    Pull,
    /// The helper announces content for the call's sink.
    Push,
    /// A piece of a stream.
    Data(Vec<u8>),
    /// The end of a stream, or why it is incomplete.
    End(Option<String>),
    /// The reader of a stream has used this number of bytes.
    Credit(u64),
    /// The reader of a stream needs no more of it, but for its end.
    Enough,
    /// The controller asks for a byte stream to a service.
    Open(Open),
    /// The helper has opened the stream, or could not.
    Opened(Result<(), Error>),
    /// The controller asks for a sign of life.
    Ping,
    /// The helper gives it.
    Pong,
}

/// How the helper introduces itself.
#[derive(Debug)]
pub struct Hello {
    /// Its [`PROTOCOL`].
    pub protocol: u64,
}

/// A request for a module's run.
#[derive(Debug, Default)]
pub struct Call {
    /// The module's full name.
    pub module: String,
    /// Its arguments.
    pub args: Map,
    /// Whether to change nothing.
    pub check: bool,
    /// Whether to return differences.
    pub diff: bool,
    /// The number of `-v` flags.
    pub verbosity: u64,
    /// The task's environment variables.
    pub environment: Vec<(String, String)>,
    /// The directory that relative paths start from.
    pub directory: Option<String>,
    /// The directory for temporary files.
    pub temporary: Option<String>,
    /// The controller's file that the module may ask for.
    pub source: Option<SourceInfo>,
    /// Whether the controller takes a file from the module.
    pub has_sink: bool,
}

/// What the helper knows of a call's source beforehand.
#[derive(Debug)]
pub struct SourceInfo {
    /// Its size in bytes.
    pub size: u64,
    /// The content, if it is small.
    pub content: Option<Vec<u8>>,
}

/// A request for a byte stream.
#[derive(Debug)]
pub struct Open {
    /// Where it leads.
    pub endpoint: Endpoint,
    /// The number of milliseconds that connecting to one address may take.
    pub timeout: u64,
}

impl Message {
    /// Returns the number that stands for the kind of message.
    pub fn kind(&self) -> u8 {
        match self {
            Message::Hello(_) => 0,
            Message::Call(_) => 1,
            Message::Reply(_) => 2,
            Message::Progress(_) => 3,
            Message::Cancel => 4,
            Message::AskSum => 5,
            Message::Sum(_) => 6,
            Message::Pull => 7,
            Message::Push => 8,
            Message::Data(_) => DATA,
            Message::End(_) => 10,
            Message::Credit(_) => 11,
            Message::Enough => 12,
            Message::Open(_) => 13,
            Message::Opened(_) => 14,
            Message::Ping => 15,
            Message::Pong => 16,
        }
    }

    /// Appends the message's body.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Message::Hello(hello) => hello.protocol.put(out),
            Message::Call(call) => call.put(out),
            Message::Reply(reply) => reply.put(out),
            Message::Progress(text) => text.put(out),
            Message::Sum(sum) => sum.put(out),
            Message::Data(bytes) => out.extend_from_slice(bytes),
            Message::End(error) => error.put(out),
            Message::Credit(count) => count.put(out),
            Message::Open(open) => open.put(out),
            Message::Opened(opened) => opened.put(out),
            Message::Cancel
            | Message::AskSum
            | Message::Pull
            | Message::Push
            | Message::Enough
            | Message::Ping
            | Message::Pong => {}
        }
    }

    /// Reads a message of a kind from its body.
    ///
    /// # Errors
    ///
    /// A kind that does not exist, and a body that is not one of this kind.
    pub fn get(kind: u8, body: &[u8]) -> Result<Message, Error> {
        Ok(match kind {
            0 => Message::Hello(Hello { protocol: Input::all(body)? }),
            1 => Message::Call(Box::new(Input::all(body)?)),
            2 => Message::Reply(Box::new(Input::all(body)?)),
            3 => Message::Progress(Input::all(body)?),
            4 => Message::Cancel,
            5 => Message::AskSum,
            6 => Message::Sum(Input::all(body)?),
            7 => Message::Pull,
            8 => Message::Push,
            DATA => Message::Data(body.to_vec()),
            10 => Message::End(Input::all(body)?),
            11 => Message::Credit(Input::all(body)?),
            12 => Message::Enough,
            13 => Message::Open(Input::all(body)?),
            14 => Message::Opened(Input::all(body)?),
            15 => Message::Ping,
            16 => Message::Pong,
            _ => {
                return Err(Error::new(format!(
                    "the connection carries a message of the unknown kind {kind}"
                )));
            }
        })
    }
}

impl Wire for Call {
    fn put(&self, out: &mut Vec<u8>) {
        self.module.put(out);
        self.args.put(out);
        self.check.put(out);
        self.diff.put(out);
        self.verbosity.put(out);
        put_all(&self.environment, out);
        self.directory.put(out);
        self.temporary.put(out);
        self.source.put(out);
        self.has_sink.put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(Call {
            module: Wire::get(input)?,
            args: Wire::get(input)?,
            check: Wire::get(input)?,
            diff: Wire::get(input)?,
            verbosity: Wire::get(input)?,
            environment: get_all(input)?,
            directory: Wire::get(input)?,
            temporary: Wire::get(input)?,
            source: Wire::get(input)?,
            has_sink: Wire::get(input)?,
        })
    }
}

impl Wire for SourceInfo {
    fn put(&self, out: &mut Vec<u8>) {
        self.size.put(out);
        self.content.put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(SourceInfo { size: Wire::get(input)?, content: Wire::get(input)? })
    }
}

impl Wire for Open {
    fn put(&self, out: &mut Vec<u8>) {
        match &self.endpoint {
            Endpoint::Tcp { host, port } => {
                out.push(0);
                host.put(out);
                u64::from(*port).put(out);
            }
            Endpoint::Unix(path) => {
                out.push(1);
                path.to_string_lossy().into_owned().put(out);
            }
        }
        self.timeout.put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        let endpoint = match input.byte()? {
            0 => {
                let host = Wire::get(input)?;
                let port = u16::try_from(u64::get(input)?).map_err(|_| broken())?;
                Endpoint::Tcp { host, port }
            }
            1 => Endpoint::Unix(PathBuf::from(String::get(input)?)),
            _ => return Err(broken()),
        };
        Ok(Open { endpoint, timeout: Wire::get(input)? })
    }
}

impl Wire for () {
    fn put(&self, _: &mut Vec<u8>) {}

    fn get(_: &mut Input) -> Result<Self, Error> {
        Ok(())
    }
}
