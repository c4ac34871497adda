//! Runs a module over a channel, with the files that it requests or sends.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use playbook_api::context::{Cancel, Source};
use playbook_api::{Arguments, Context, Error, Failure, ModuleEntry, Outcome};
use playbook_remote::frame::Piece;
use playbook_remote::message::{CHUNK, Call, Message, SMALL, SourceInfo, WINDOW};

use super::channel::{Channel, Line};

/// The interval at which a call that waits checks for cancellation.
const INTERVAL: Duration = Duration::from_millis(100);

/// The time that a canceled module has to clean up.
const GRACE: Duration = Duration::from_secs(12);

/// The reason why a call has no result.
pub(crate) enum Lost {
    /// The channel closed before the helper received the call.
    Unsent(Error),
    /// The channel broke while the module ran.
    Broken(Error),
}

/// Runs a module in the helper at the other end of a channel.
pub(crate) fn call(
    channel: &Arc<Channel>,
    module: &Arc<ModuleEntry>,
    args: &Arguments,
    context: &Context,
) -> Result<Result<Outcome, Failure>, Lost> {
    let message = match request(module, args, context, SMALL) {
        Ok(call) => Message::Call(Box::new(call)),
        Err(e) => return Ok(Err(Error::io(&e, "cannot read the file to send").into())),
    };
    let running = Running { line: channel.begin(), cancel: &context.cancel };
    running.line.say(&message).map_err(Lost::Unsent)?;
    drop(message);
    running.result(context).map_err(Lost::Broken)
}

/// Returns the request for a module's run. It includes a source of at most `largest` bytes.
pub(crate) fn request(
    module: &ModuleEntry,
    args: &Arguments,
    context: &Context,
    largest: u64,
) -> io::Result<Call> {
    let text = |path: &std::path::PathBuf| path.to_string_lossy().into_owned();
    Ok(Call {
        module: module.doc.full_name(),
        args: args.values.clone(),
        check: context.check,
        diff: context.diff,
        verbosity: context.verbosity.into(),
        environment: context.environment.clone(),
        directory: context.directory.as_ref().map(text),
        temporary: context.temporary.as_ref().map(text),
        source: context.source.as_deref().map(|source| info(source, largest)).transpose()?,
        has_sink: context.sink.is_some(),
    })
}

fn info(source: &dyn Source, largest: u64) -> io::Result<SourceInfo> {
    let size = source.size();
    let content = if size <= largest {
        let mut content = Vec::new();
        // If a file grows in the meantime, only the announced size is sent.
        source.open()?.take(size).read_to_end(&mut content)?;
        Some(content)
    } else {
        None
    };
    Ok(SourceInfo { size: content.as_ref().map_or(size, |c| c.len() as u64), content })
}

struct Running<'a> {
    line: Line,
    cancel: &'a Cancel,
}

impl Running<'_> {
    fn result(&self, context: &Context) -> Result<Result<Outcome, Failure>, Error> {
        let mut canceled: Option<Instant> = None;
        let mut broken: Option<io::Error> = None;
        loop {
            match self.line.hear(INTERVAL)? {
                Some(Message::Reply(reply)) => {
                    return Ok(match (*reply, broken) {
                        (Ok(_), Some(e)) => Err(Failure::new(format!("cannot receive the file: {e}"))),
                        (reply, _) => reply,
                    });
                }
                Some(Message::Progress(text)) => context.progress(text),
                Some(Message::AskSum) => {
                    let sum = context.source.as_ref().map_or_else(|| Err(no_file()), |s| s.sha1());
                    self.line.say(&Message::Sum(sum.map_err(|e| e.to_string())))?;
                }
                Some(Message::Pull) => self.push(context.source.as_deref())?,
                Some(Message::Push) => {
                    let mut incoming =
                        Incoming { running: self, piece: Vec::new(), at: 0, used: 0, ended: false };
                    let taken = match &context.sink {
                        Some(sink) => sink.take(&mut incoming),
                        None => Err(no_file()),
                    };
                    broken = incoming.finish().and(taken).err();
                }
                // The helper confirms the end of a stream that has already ended here.
                Some(_) => {}
                None if !self.cancel.is_set() => {}
                None => match canceled {
                    None => {
                        self.line.say(&Message::Cancel)?;
                        canceled = Some(Instant::now());
                    }
                    Some(since) if since.elapsed() > GRACE => {
                        return Ok(Err(Failure::new("the module was canceled, but did not end")));
                    }
                    Some(_) => {}
                },
            }
        }
    }

    /// Sends the source, until the module stops reading it.
    fn push(&self, source: Option<&dyn Source>) -> Result<(), Error> {
        let mut supply = match source.map_or_else(|| Err(no_file()), |source| self.supply(source)) {
            Ok(supply) => supply,
            Err(e) => return self.line.say(&Message::End(Some(e.to_string()))),
        };
        let mut credit = WINDOW;
        loop {
            let filled = match &mut supply {
                Supply::File { at, size, .. } => {
                    Ok(CHUNK.min(usize::try_from(size.saturating_sub(*at)).unwrap_or(CHUNK)))
                }
                Supply::Reader { reader, piece } => piece.fill(reader),
            };
            let count = match filled {
                Ok(0) => return self.line.say(&Message::End(None)),
                Ok(count) => count,
                Err(e) => return self.line.say(&Message::End(Some(e.to_string()))),
            };
            while credit < count && !self.cancel.is_set() {
                match self.line.hear(INTERVAL)? {
                    Some(Message::Credit(count)) => credit += usize::try_from(count).unwrap_or(0),
                    Some(Message::Enough) => return self.line.say(&Message::End(None)),
                    Some(_) | None => {}
                }
            }
            if self.cancel.is_set() {
                self.line.say(&Message::Cancel)?;
                return self.line.say(&Message::End(Some("canceled".into())));
            }
            credit -= count;
            match &mut supply {
                Supply::File { file, at, .. } => {
                    if !self.line.pass(file, *at, count)? {
                        let reason = "the file became shorter while it was sent";
                        return self.line.say(&Message::End(Some(reason.into())));
                    }
                    *at += count as u64;
                }
                Supply::Reader { piece, .. } => self.line.send(piece.as_bytes())?,
            }
        }
    }

    fn supply(&self, source: &dyn Source) -> io::Result<Supply> {
        if let Some(path) = source.path() {
            let file = File::open(path)?;
            return Ok(Supply::File { at: 0, size: file.metadata()?.len(), file });
        }
        Ok(Supply::Reader { reader: source.open()?, piece: self.line.piece() })
    }
}

/// The origin of a stream. A file goes to the channel without a copy in this process.
enum Supply {
    File { file: File, at: u64, size: u64 },
    Reader { reader: Box<dyn BufRead + Send>, piece: Piece },
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the task has no such file")
}

/// A file that the helper sends.
struct Incoming<'a> {
    running: &'a Running<'a>,
    piece: Vec<u8>,
    at: usize,
    used: usize,
    ended: bool,
}

impl Incoming<'_> {
    fn next(&mut self) -> io::Result<()> {
        let line = &self.running.line;
        let failed = |e: Error| io::Error::new(io::ErrorKind::BrokenPipe, e.to_string());
        if self.used >= WINDOW / 4 {
            line.say(&Message::Credit(self.used as u64)).map_err(failed)?;
            self.used = 0;
        }
        while !self.running.cancel.is_set() {
            match line.hear(INTERVAL).map_err(failed)? {
                Some(Message::Data(piece)) => {
                    self.used += piece.len();
                    (self.piece, self.at) = (piece, 0);
                    return Ok(());
                }
                Some(Message::End(error)) => {
                    self.ended = true;
                    return error.map_or(Ok(()), |e| Err(io::Error::other(e)));
                }
                Some(_) | None => {}
            }
        }
        line.say(&Message::Cancel).map_err(failed)?;
        Err(io::Error::new(io::ErrorKind::TimedOut, "canceled"))
    }

    /// Reads the rest of the stream from the channel.
    fn finish(mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        let failed = |e: Error| io::Error::new(io::ErrorKind::BrokenPipe, e.to_string());
        self.running.line.say(&Message::Enough).map_err(failed)?;
        while !self.ended && self.next().is_ok() {}
        Ok(())
    }
}

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            self.next()?;
        }
        let count = (&self.piece[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}
