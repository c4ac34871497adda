//! Splits SQL into tokens as PostgreSQL's and psql's own scanners do.

use playbook_api::Error;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// White space.
    Space,
    /// A comment: `-- …` without its line break, or `/* … */`.
    Comment,
    /// A keyword, name or number.
    Word,
    /// A quoted name.
    Name,
    /// A string, in any of its forms.
    Text,
    Open,
    Close,
    Semicolon,
    /// A backslash outside of quotes, with the rest of its line: a command of psql.
    Backslash,
    /// Any other character.
    Other,
}

/// A token and its position in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    /// Returns the token's text.
    pub(crate) fn of<'a>(&self, sql: &'a str) -> &'a str {
        sql.get(self.start..self.end).unwrap_or_default()
    }
}

/// Reads the tokens of a text one by one.
pub(crate) struct Scanner<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    start: usize,
    at: usize,
    /// `standard_conforming_strings`: whether a backslash in a plain string is an ordinary character.
    pub(crate) conforming: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(sql: &'a str, conforming: bool) -> Self {
        Scanner { sql, bytes: sql.as_bytes(), start: 0, at: 0, conforming }
    }

    /// Returns the position after the last token.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Continues at another position, which has to be a character boundary.
    pub(crate) fn skip_to(&mut self, at: usize) {
        self.at = at.min(self.bytes.len());
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Returns the next token, or `None` at the end. A quote or comment that is not closed is an error with its line.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, Error> {
        self.start = self.at;
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let kind = match (self.peek(0), self.peek(1)) {
            (b'-', b'-') => {
                self.skip_line();
                Kind::Comment
            }
            (b'/', b'*') => {
                self.comment()?;
                Kind::Comment
            }
            (b'\\', _) => {
                self.skip_line();
                Kind::Backslash
            }
            (b, _) if b.is_ascii_whitespace() => {
                self.at += 1;
                Kind::Space
            }
            (b'e' | b'E', b'\'') => {
                self.at += 1;
                self.quoted(b'\'', true, "string")?;
                Kind::Text
            }
            (b'\'', _) => {
                self.quoted(b'\'', !self.conforming, "string")?;
                Kind::Text
            }
            (b'"', _) => {
                self.quoted(b'"', false, "quoted name")?;
                Kind::Name
            }
            (b'$', _) => self.dollar()?,
            (b, _) if is_word(b) => {
                while is_word(self.peek(0)) || self.peek(0) == b'$' {
                    self.at += 1;
                }
                Kind::Word
            }
            (other, _) => {
                self.at += 1;
                match other {
                    b'(' => Kind::Open,
                    b')' => Kind::Close,
                    b';' => Kind::Semicolon,
                    _ => Kind::Other,
                }
            }
        };
        Ok(Some(Token { kind, start: self.start, end: self.at }))
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    }

    fn unclosed(&self, what: &str) -> Error {
        Error::new(format!("line {}: {what} is never closed", line_of(self.sql, self.start)))
    }

    /// Reads the rest of a block comment. Block comments nest.
    fn comment(&mut self) -> Result<(), Error> {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ if self.at >= self.bytes.len() => return Err(self.unclosed("this comment")),
                _ => self.at += 1,
            }
        }
    }

    /// Reads the rest of a string. A doubled quote closes it and opens another one, which has the same effect.
    fn quoted(&mut self, quote: u8, escapes: bool, what: &str) -> Result<(), Error> {
        self.at += 1;
        loop {
            match self.peek(0) {
                _ if self.at >= self.bytes.len() => {
                    self.at = self.bytes.len();
                    return Err(self.unclosed(&format!("this {what}")));
                }
                b'\\' if escapes => self.at += 2,
                b if b == quote => {
                    self.at += 1;
                    if self.peek(0) != quote {
                        return Ok(());
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    fn dollar(&mut self) -> Result<Kind, Error> {
        let rest = &self.sql[self.at + 1..];
        let length = rest.bytes().take_while(|b| is_word(*b)).count();
        let tag = &rest[..length];
        let parameter = tag.starts_with(|c: char| c.is_ascii_digit());
        if parameter || !rest[length..].starts_with('$') {
            self.at += 1;
            return Ok(Kind::Other);
        }
        let delimiter = &self.sql[self.at..self.at + length + 2];
        let inside = self.at + delimiter.len();
        match self.sql[inside..].find(delimiter) {
            Some(end) => {
                self.at = inside + end + delimiter.len();
                Ok(Kind::Text)
            }
            None => Err(self.unclosed(&format!("the text quoted with {delimiter}"))),
        }
    }
}

/// Returns the line of a position in the text, counted from one.
pub(crate) fn line_of(sql: &str, at: usize) -> usize {
    sql.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
