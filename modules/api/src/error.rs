//! Errors for users: what went wrong, where, and what to do next.

use std::fmt;

use crate::Place;

/// The kind of an error, for callers whose behavior depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Bad input of any kind; the default.
    Input,
    /// A document that cannot be parsed.
    Syntax,
    /// A name or attribute that does not exist: `is defined` and `default` may catch it.
    Undefined,
    /// A missing file.
    NotFound,
    /// A wrong or missing vault secret.
    Vault,
    /// A host that cannot be reached.
    Unreachable,
    /// A host that can be reached but not used, for example because of a wrong password.
    Connection,
    /// A bug in this program.
    Internal,
    /// Not an error: a deprecated feature that was used.
    Deprecation,
}

/// An error with its place, its cause, and what the user can do about it.
///
/// ```
/// use playbook_api::{Error, Place};
/// let cause = Error::new("'x' is undefined").at(&Place::new("site.yml", 5, 14));
/// let error = Error::new("Task failed").caused_by(cause).with_help("define x in group_vars");
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
    /// Creates a deprecation warning of a feature that a version of ansible-core removes.
    pub fn deprecated(message: &str, version: &str) -> Self {
        Error::new(format!("{message} This feature will be removed from ansible-core version {version}."))
            .with_kind(ErrorKind::Deprecation)
    }

    /// Creates an error of kind [`ErrorKind::Input`].
    pub fn new(message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind: ErrorKind::Input,
            message: message.into(),
            place: None,
            help: None,
            cause: None,
        }))
    }

    /// Creates an error of kind [`ErrorKind::Undefined`].
    pub fn undefined(message: impl Into<String>) -> Self {
        Error::new(message).with_kind(ErrorKind::Undefined)
    }

    /// Sets the kind.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds the place. A place that is already known is kept, since it is the closest to the cause.
    pub fn at(mut self, place: &Place) -> Self {
        self.0.place.get_or_insert_with(|| place.clone());
        self
    }

    /// Adds a place if there is one; see [`Error::at`].
    pub fn at_opt(self, place: Option<&Place>) -> Self {
        match place {
            Some(place) => self.at(place),
            None => self,
        }
    }

    /// Sets what the user can do next, one sentence.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds the cause.
    pub fn caused_by(mut self, cause: Error) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// Wraps this error in one that says which operation failed.
    pub fn context(self, message: impl Into<String>) -> Error {
        let kind = self.0.kind;
        Error::new(message).with_kind(kind).caused_by(self)
    }

    /// Creates an error for a failed file operation. `what` names the operation and its file: `cannot read /etc/a`.
    ///
    /// ```
    /// use playbook_api::{Error, ErrorKind};
    /// let error = Error::io(&std::io::ErrorKind::NotFound.into(), "cannot read /etc/a");
    /// assert_eq!(error.to_string(), "cannot read /etc/a: entity not found");
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// ```
    pub fn io(cause: &std::io::Error, what: impl Into<String>) -> Error {
        let is_missing = cause.kind() == std::io::ErrorKind::NotFound;
        let kind = if is_missing { ErrorKind::NotFound } else { ErrorKind::Input };
        Error::new(cause.to_string()).with_kind(kind).context(what)
    }

    /// Returns whether a name or an attribute does not exist.
    pub fn is_undefined(&self) -> bool {
        self.0.kind == ErrorKind::Undefined
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message of this error alone, without its causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the place, if it is known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Returns what the user can do next, if it is known.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Returns the cause, if there is one.
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}
