//! Cuts a text of SQL into its statements, the way psql does.

use playbook_api::Error;

/// One statement, without its semicolon and the comments before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statement<'a> {
    pub text: &'a str,
    /// The line it begins on, counted from one.
    pub line: usize,
}

impl Statement<'_> {
    /// Its first words in capitals, comments left out: `CREATE TABLE`.
    pub fn words(&self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        let mut scanner = Scanner::new(self.text);
        while words.len() < count {
            match scanner.next() {
                Ok(Some(Token::Word(start))) => words.push(self.text[start..scanner.at].to_ascii_uppercase()),
                Ok(Some(Token::Space)) => {}
                _ => break,
            }
        }
        words
    }
}

/// The statements of a text. Errors (an unclosed string, quoted name, dollar quote or comment) say the line.
pub fn split(sql: &str) -> Result<Vec<Statement<'_>>, Error> {
    let mut statements = Vec::new();
    let mut scanner = Scanner::new(sql);
    let mut start = None;
    let mut parentheses = 0usize;
    let mut body = Body::default();
    let mut lines = Lines::default();
    while let Some(token) = scanner.next()? {
        let token_start = scanner.started;
        if !matches!(token, Token::Space | Token::End) {
            start.get_or_insert(token_start);
        }
        match token {
            Token::Open => parentheses += 1,
            Token::Close => parentheses = parentheses.saturating_sub(1),
            Token::Word(from) if parentheses == 0 => body.word(&sql[from..scanner.at]),
            Token::End if parentheses == 0 && body.depth == 0 => {
                statements.extend(start.take().map(|from| lines.statement(sql, from, token_start)));
                body = Body::default();
            }
            _ => {}
        }
    }
    statements.extend(start.map(|from| lines.statement(sql, from, sql.len())));
    Ok(statements)
}

/// Counts the lines up to each statement once, however long the text is.
#[derive(Default)]
struct Lines {
    seen: usize,
    breaks: usize,
}

impl Lines {
    fn statement<'a>(&mut self, sql: &'a str, from: usize, to: usize) -> Statement<'a> {
        self.breaks += sql[self.seen..from].matches('\n').count();
        self.seen = from;
        Statement { text: sql[from..to].trim_end(), line: self.breaks + 1 }
    }
}

fn line_of(sql: &str, at: usize) -> usize {
    sql.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

/// Tells the semicolons inside `CREATE FUNCTION … BEGIN ATOMIC …; …; END` from those between statements.
#[derive(Default)]
struct Body {
    words: usize,
    create: bool,
    routine: bool,
    depth: usize,
}

impl Body {
    fn word(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        match self.words {
            0 => self.create = word == "create",
            1..=3 if self.create && matches!(word.as_str(), "function" | "procedure") => self.routine = true,
            _ => {}
        }
        self.words += 1;
        if self.routine {
            match word.as_str() {
                "begin" => self.depth += 1,
                "case" if self.depth > 0 => self.depth += 1,
                "end" => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}

enum Token {
    /// White space or a comment.
    Space,
    /// Where the keyword, name or number began.
    Word(usize),
    Open,
    Close,
    /// A semicolon.
    End,
    /// A string, a quoted name, an operator.
    Other,
}

struct Scanner<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    started: usize,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(sql: &'a str) -> Self {
        Scanner { sql, bytes: sql.as_bytes(), started: 0, at: 0 }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Result<Option<Token>, Error> {
        self.started = self.at;
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let token = match (self.peek(0), self.peek(1)) {
            (b'-', b'-') => {
                let rest = &self.bytes[self.at..];
                self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                Token::Space
            }
            (b'/', b'*') => {
                self.comment()?;
                Token::Space
            }
            (b, _) if b.is_ascii_whitespace() => {
                self.at += 1;
                Token::Space
            }
            (b'e' | b'E', b'\'') => {
                self.at += 1;
                self.quoted(b'\'', true, "string")?
            }
            (b'\'', _) => self.quoted(b'\'', false, "string")?,
            (b'"', _) => self.quoted(b'"', false, "quoted name")?,
            (b'$', _) => self.dollar()?,
            (b, _) if is_word(b) => {
                while is_word(self.peek(0)) || self.peek(0) == b'$' {
                    self.at += 1;
                }
                Token::Word(self.started)
            }
            (other, _) => {
                self.at += 1;
                match other {
                    b'(' => Token::Open,
                    b')' => Token::Close,
                    b';' => Token::End,
                    _ => Token::Other,
                }
            }
        };
        Ok(Some(token))
    }

    fn unclosed(&self, what: &str) -> Error {
        Error::new(format!("line {}: {what} is never closed", line_of(self.sql, self.started)))
    }

    /// Comments nest.
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

    /// A doubled quote inside just closes and opens again.
    fn quoted(&mut self, quote: u8, escapes: bool, what: &str) -> Result<Token, Error> {
        self.at += 1;
        loop {
            match self.peek(0) {
                _ if self.at >= self.bytes.len() => return Err(self.unclosed(&format!("this {what}"))),
                b'\\' if escapes => self.at += 2,
                b if b == quote => {
                    self.at += 1;
                    if self.peek(0) != quote {
                        return Ok(Token::Other);
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    fn dollar(&mut self) -> Result<Token, Error> {
        let rest = &self.sql[self.at + 1..];
        let length = rest.bytes().take_while(|b| is_word(*b)).count();
        let tag = &rest[..length];
        let parameter = tag.starts_with(|c: char| c.is_ascii_digit());
        if parameter || !rest[length..].starts_with('$') {
            self.at += 1;
            return Ok(Token::Other);
        }
        let delimiter = &self.sql[self.at..self.at + length + 2];
        let inside = self.at + delimiter.len();
        match self.sql[inside..].find(delimiter) {
            Some(end) => {
                self.at = inside + end + delimiter.len();
                Ok(Token::Other)
            }
            None => Err(self.unclosed(&format!("the text quoted with {delimiter}"))),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        split(sql).unwrap().into_iter().map(|s| (s.line, s.text)).collect()
    }

    #[test]
    fn semicolons_in_strings_names_quotes_and_comments_do_not_count() {
        let sql = "-- one; two\nSELECT ';', \"a;b\", E'it\\'s;', 'it''s;' ; /* ; /* ; */ ; */\n\nSELECT $$;$$, $x$ ; $$ ; $x$, $1;\n;;";
        assert_eq!(
            texts(sql),
            [(2, "SELECT ';', \"a;b\", E'it\\'s;', 'it''s;'"), (4, "SELECT $$;$$, $x$ ; $$ ; $x$, $1"),]
        );
    }

    #[test]
    fn bodies_and_rules_hold_together() {
        let sql = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END; SELECT 1;\nCREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); COMMIT";
        let found = texts(sql);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[1], (1, "SELECT 1"));
        assert_eq!(found[3], (2, "COMMIT"));
    }

    #[test]
    fn what_is_never_closed_has_its_line() {
        assert_eq!(
            split("SELECT 1;\nSELECT 'x").unwrap_err().to_string(),
            "line 2: this string is never closed"
        );
        assert_eq!(split("\n/* x").unwrap_err().to_string(), "line 2: this comment is never closed");
        assert!(split("DO $a$ x").unwrap_err().to_string().contains("$a$"));
        assert!(split("SELECT E'\\").is_err());
        assert_eq!(texts("SELECT 'ü'; -- ü"), [(1, "SELECT 'ü'")]);
    }

    #[test]
    fn first_words() {
        let statement = split("/* x */ create  -- y\n index Concurrently i on t(a)").unwrap()[0];
        assert_eq!(statement.words(3), ["CREATE", "INDEX", "CONCURRENTLY"]);
    }
}
