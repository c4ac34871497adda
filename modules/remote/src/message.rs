//! What controller and helper say to each other.

use playbook_api::{Error, Failure, Map, Outcome};

use crate::wire::{Input, Wire, get_all, put_all};

/// Changes whenever messages do; a helper is only ever used by the controller it was built with, and says so.
pub const PROTOCOL: u64 = 1;

/// How much of a stream may be on its way before the reader says that it wants more.
pub const WINDOW: usize = 4 << 20;

/// Content up to this size travels with the call that may want it.
pub const SMALL: u64 = 32 << 10;

/// A stream's content comes in pieces of at most this size.
pub const CHUNK: usize = 64 << 10;

/// The kind of [`Message::Data`].
pub(crate) const DATA: u8 = 9;

/// What one side says about one call.
#[derive(Debug)]
pub enum Message {
    /// The helper is there.
    Hello(Hello),
    /// Run a module.
    Call(Box<Call>),
    /// How it ended.
    Reply(Box<Result<Outcome, Failure>>),
    /// What it is waiting for, in words.
    Progress(String),
    /// End it.
    Cancel,
    /// What is the SHA-1 of the call's source?
    AskSum,
    Sum(Result<String, String>),
    /// Send the call's source from its beginning.
    Pull,
    /// Here comes content for the call's sink.
    Push,
    /// A piece of a stream.
    Data(Vec<u8>),
    /// The stream is complete, or why it cannot be.
    End(Option<String>),
    /// So many bytes of the stream have been used up.
    Credit(u64),
    /// No more of this stream is wanted; its end is.
    Enough,
}

/// How the helper introduces itself.
#[derive(Debug)]
pub struct Hello {
    pub protocol: u64,
}

/// A module's run.
#[derive(Debug, Default)]
pub struct Call {
    pub module: String,
    pub args: Map,
    pub check: bool,
    pub diff: bool,
    pub verbosity: u64,
    pub environment: Vec<(String, String)>,
    pub directory: Option<String>,
    pub temporary: Option<String>,
    pub source: Option<SourceInfo>,
    pub has_sink: bool,
}

/// What the helper knows of a call's source beforehand.
#[derive(Debug)]
pub struct SourceInfo {
    pub size: u64,
    /// All of it, where it is small.
    pub content: Option<Vec<u8>>,
}

impl Message {
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
        }
    }

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
            Message::Cancel | Message::AskSum | Message::Pull | Message::Push | Message::Enough => {}
        }
    }

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
