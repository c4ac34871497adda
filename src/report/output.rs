//! The one way to standard output and standard error: it remembers that something could not be written.

use std::io::{ErrorKind, Write};
use std::sync::{Mutex, OnceLock};

use playbook_api::{Error, sync};

/// The first failure to write.
static FAILURE: OnceLock<String> = OnceLock::new();

/// Writes text to a stream and flushes it. A reader that has gone away (`| head`) is not a failure.
pub fn write(stream: &Mutex<dyn Write + Send>, text: &str) {
    note(&mut *sync::lock(stream), text.as_bytes());
}

/// Writes text to standard output.
pub fn standard(text: &str) {
    standard_bytes(text.as_bytes());
}

/// Writes bytes to standard output.
pub fn standard_bytes(bytes: &[u8]) {
    note(&mut std::io::stdout().lock(), bytes);
}

/// Writes text to standard error.
pub fn error(text: &str) {
    note(&mut std::io::stderr().lock(), text.as_bytes());
}

fn note(stream: &mut (impl Write + ?Sized), bytes: &[u8]) {
    let written = stream.write_all(bytes).and_then(|()| stream.flush());
    if let Err(error) = written {
        failed(&error);
    }
}

/// Remembers that something could not be written.
pub fn failed(error: &std::io::Error) {
    if error.kind() != ErrorKind::BrokenPipe {
        FAILURE.get_or_init(|| error.to_string());
    }
}

/// Returns the first failure to write, such as a full disk.
pub fn failure() -> Option<Error> {
    FAILURE.get().map(|reason| Error::new(format!("cannot write the output: {reason}")))
}
