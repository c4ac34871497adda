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
    /// Where the characters of the text that starts here are, if not simply one after the other.
    layout: Option<Arc<Layout>>,
}

/// How a text is laid out in its document: which of its characters are where. Quotes, indentation, folded lines and
/// escapes make the two differ. Each piece reaches to the next one, or to the end of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layout(Vec<Piece>);

/// A part of a text that stands in its document as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// The line and column in the text, counted from one.
    pub inside: (u32, u32),
    /// The number of lines below the place of the text.
    pub below: u32,
    /// The column in the document; on the line of the place itself, the distance to the right of it.
    pub column: u32,
}

impl Layout {
    /// Creates a layout. The pieces are in the order of the text.
    pub fn new(pieces: Vec<Piece>) -> Self {
        Layout(pieces)
    }
}

impl Place {
    /// Creates a place.
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Place { file: file.into(), line, column, layout: None }
    }

    /// The same place, with the layout of the text that starts there.
    #[must_use]
    pub fn with_layout(mut self, layout: Arc<Layout>) -> Self {
        self.layout = Some(layout);
        self
    }

    /// Returns the place of a line and column (counted from one) of the text that starts here.
    ///
    /// ```
    /// use playbook_api::Place;
    /// assert_eq!(Place::new("site.yml", 3, 10).inside(1, 5).to_string(), "site.yml:3:14");
    /// ```
    pub fn inside(&self, line: u32, column: u32) -> Place {
        if self.line == 0 || line == 0 {
            return self.clone();
        }
        let pieces = self.layout.as_ref().map_or(&[] as &[Piece], |layout| layout.0.as_slice());
        let before = pieces.partition_point(|piece| piece.inside <= (line, column));
        let piece = before.checked_sub(1).and_then(|index| pieces.get(index)).copied();
        let Some(Piece { inside, below, column: start }) = piece else {
            let first = if line == 1 { self.column.saturating_sub(1) } else { 0 };
            let column = if self.column == 0 && line == 1 { 0 } else { first + column };
            return Place::new(self.file.clone(), self.line + line - 1, column);
        };
        let start = if below == 0 { self.column + start } else { start };
        let column = if inside.0 == line { start + column - inside.1 } else { start };
        Place::new(self.file.clone(), self.line + below, column)
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
