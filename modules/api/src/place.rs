//! Positions in documents.

use std::fmt;
use std::sync::Arc;

/// A position in a document a user wrote: file, line and column, both counted from one.
///
/// Line zero means that only the file is known (a value given with `-e` has the file `<command line>`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The path, as it is shown to users.
    pub file: Arc<str>,
    /// The line, counted from one; zero if only the file is known.
    pub line: u32,
    /// The column, counted from one; zero if only the line is known.
    pub column: u32,
}

impl Place {
    /// Creates a place.
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Place { file: file.into(), line, column }
    }

    /// The same file, without a position in it.
    pub fn file_only(file: impl Into<Arc<str>>) -> Self {
        Place::new(file, 0, 0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}
