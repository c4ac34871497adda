//! The error a user reads: what went wrong, where, and what to do next.

use std::fmt;

use crate::Place;

/// What sort of error it is, where somebody up the stack decides by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Bad input of any kind; the default.
    Input,
    /// A document that cannot be parsed.
    Syntax,
    /// A name or attribute that does not exist: `is defined` and `default` may catch it.
    Undefined,
    /// A file that is not there.
    NotFound,
    /// A wrong or missing vault secret.
    Vault,
    /// A host that cannot be reached.
    Unreachable,
    /// A host that is there, and where nothing can be run: a wrong password, say.
    Connection,
    /// A fault of this program.
    Internal,
}

/// An error with the place it is about, what to do about it, and what caused it.
///
/// ```
/// use playbook_api::{Error, Place};
/// let cause = Error::new("'x' is undefined").at(&Place::new("site.yml", 5, 14));
/// let error = Error::new("Task failed").caused_by(cause).help("define x in group_vars");
/// assert_eq!(error.to_string(), "Task failed: 'x' is undefined");
/// ```
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Option<Place>,
    help: Option<String>,
    cause: Option<Error>,
}

impl Error {
    pub fn new(message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind: ErrorKind::Input,
            message: message.into(),
            place: None,
            help: None,
            cause: None,
        }))
    }

    pub fn undefined(message: impl Into<String>) -> Self {
        Error::new(message).kind(ErrorKind::Undefined)
    }

    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Says where; keeps a place that is already known, since the first is the nearest to the fault.
    pub fn at(mut self, place: &Place) -> Self {
        self.0.place.get_or_insert_with(|| place.clone());
        self
    }

    pub fn at_opt(self, place: Option<&Place>) -> Self {
        match place {
            Some(place) => self.at(place),
            None => self,
        }
    }

    /// What the reader can do next, one sentence.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    pub fn caused_by(mut self, cause: Error) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// Wraps this error in one that says what was being done.
    pub fn context(self, message: impl Into<String>) -> Error {
        let kind = self.0.kind;
        Error::new(message).kind(kind).caused_by(self)
    }

    pub fn is_undefined(&self) -> bool {
        self.0.kind == ErrorKind::Undefined
    }

    pub fn get_kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message of this error alone, without its causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    pub fn get_help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }
}

/// The whole chain on one line: `what: because: because`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.cause {
            Some(cause) => write!(f, "{}: {cause}", self.0.message.trim_end_matches('.')),
            None => f.write_str(&self.0.message),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        let kind =
            if e.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Input };
        Error::new(e.to_string()).kind(kind)
    }
}
