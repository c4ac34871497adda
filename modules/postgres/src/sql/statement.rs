//! Splits SQL text into statements, as psql does.

use playbook_api::Error;

use super::scan::{Kind, Scanner, Token, line_of};

/// One statement, without its semicolon and the comments before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a str,
    /// The line it begins on, counted from one.
    pub(crate) line: usize,
    /// The rows that follow a `COPY … FROM stdin`, up to the line `\.`.
    pub(crate) rows: Option<&'a str>,
}

/// A part of an SQL text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    Statement(Statement<'a>),
    /// A comment alone on its line that the caller recognizes as a marker.
    Marker {
        text: &'a str,
        line: usize,
    },
    /// A command of psql, with the rest of its line.
    Command {
        text: &'a str,
        line: usize,
    },
}

impl Statement<'_> {
    /// Returns its first words in upper case, such as `CREATE TABLE`, without those in parentheses, quotes or comments.
    pub(crate) fn words(&self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        let mut scanner = Scanner::new(self.text, true);
        let mut parentheses = 0usize;
        while words.len() < count
            && let Ok(Some(token)) = scanner.next()
        {
            match token.kind {
                Kind::Word if parentheses == 0 => words.push(token.of(self.text).to_ascii_uppercase()),
                Kind::Open => parentheses += 1,
                Kind::Close => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
        }
        words
    }
}

/// Splits a text that is only SQL. `conforming` is the server's `standard_conforming_strings`.
///
/// # Errors
///
/// Fails if something is never closed (a string, quoted name, dollar quote, comment or the rows of a COPY), or at a
/// command of psql. The error has the line.
pub(crate) fn split(sql: &str, conforming: bool) -> Result<Vec<Statement<'_>>, Error> {
    let mut statements = Vec::new();
    for piece in pieces(sql, conforming, |_| None)? {
        match piece {
            Piece::Statement(statement) => statements.push(statement),
            Piece::Command { text, .. } if super::psql::is_harmless(text) => {}
            Piece::Command { text, line } => {
                let command = super::psql::name(text);
                return Err(Error::new(format!("line {line}: {command} is a command of psql, not SQL"))
                    .with_help(super::psql::advice(text)));
            }
            Piece::Marker { .. } => {}
        }
    }
    Ok(statements)
}

/// Whether a marker ends the statement before it, which depends on the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Statement,
    Nothing,
}

/// Splits a text into its pieces, including the comments alone on their lines that `marker` recognizes.
pub(crate) fn pieces(
    sql: &str,
    conforming: bool,
    marker: impl Fn(&str) -> Option<Ends>,
) -> Result<Vec<Piece<'_>>, Error> {
    let mut cutter =
        Cutter { sql, pieces: Vec::new(), lines: Lines::default(), start: None, state: State::default() };
    let mut scanner = Scanner::new(sql, conforming);
    while let Some(token) = scanner.next()? {
        match token.kind {
            Kind::Comment if is_alone(sql, &token) => {
                if let Some(ends) = marker(token.of(sql)) {
                    cutter.marker(&token, ends)?;
                }
            }
            Kind::Space | Kind::Comment => {}
            Kind::Backslash => {
                // It cannot be inside a statement: the text before it belongs to psql's command too.
                cutter.start = None;
                cutter.state = State::default();
                let line = cutter.lines.at(sql, token.start);
                cutter.pieces.push(Piece::Command { text: token.of(sql).trim_end(), line });
            }
            Kind::Semicolon if cutter.state.is_outside() => {
                if let Some(from) = cutter.start.take() {
                    let state = std::mem::take(&mut cutter.state);
                    let line = cutter.lines.at(sql, from);
                    let text = sql[from..token.start].trim_end();
                    let rows = match state.copies_from_stdin() {
                        true => Some(rows_of_copy(sql, &mut scanner, line)?),
                        false => None,
                    };
                    if let Some(conforming) = state.conforming_strings() {
                        scanner.conforming = conforming;
                    }
                    cutter.pieces.push(Piece::Statement(Statement { text, line, rows }));
                }
            }
            _ => {
                cutter.start.get_or_insert(token.start);
                cutter.state.take(token.kind, token.of(sql));
            }
        }
    }
    cutter.finish(sql.len())?;
    Ok(cutter.pieces)
}

/// The state while a text is split.
struct Cutter<'a> {
    sql: &'a str,
    pieces: Vec<Piece<'a>>,
    lines: Lines,
    /// The start of the current statement.
    start: Option<usize>,
    state: State,
}

impl Cutter<'_> {
    /// Ends a statement that has no semicolon.
    fn finish(&mut self, to: usize) -> Result<(), Error> {
        let state = std::mem::take(&mut self.state);
        let Some(from) = self.start.take() else { return Ok(()) };
        let line = self.lines.at(self.sql, from);
        if state.copies_from_stdin() {
            return Err(no_rows(line));
        }
        let text = self.sql[from..to].trim_end();
        self.pieces.push(Piece::Statement(Statement { text, line, rows: None }));
        Ok(())
    }

    fn marker(&mut self, token: &Token, ends: Ends) -> Result<(), Error> {
        let text = token.of(self.sql).trim_end();
        if ends == Ends::Nothing {
            let line = line_of(self.sql, token.start);
            self.pieces.push(Piece::Marker { text, line });
            return Ok(());
        }
        // Play writes `# --- !Ups`.
        if self.start.is_some_and(|from| self.sql[from..token.start].trim() == "#") {
            self.start = None;
            self.state = State::default();
        }
        if self.start.is_some() && !self.state.is_outside() {
            let line = line_of(self.sql, token.start);
            return Err(Error::new(format!("line {line}: the marker `{text}` stands inside a statement"))
                .with_help("End the statement before it."));
        }
        // The comments between the statement and the marker are not part of it.
        self.finish(token.start)?;
        let line = self.lines.at(self.sql, token.start);
        self.pieces.push(Piece::Marker { text, line });
        Ok(())
    }
}

/// Returns whether a comment is the first thing on its line. Play writes `# --- !Ups`.
fn is_alone(sql: &str, token: &Token) -> bool {
    let before = &sql[..token.start];
    let line = before.rfind('\n').map_or(before, |i| &before[i + 1..]);
    line.chars().all(|c| c.is_whitespace() || c == '#' || c == '\u{feff}')
}

/// Reads the rows that follow a `COPY … FROM stdin`, and moves the scanner past them.
fn rows_of_copy<'a>(sql: &'a str, scanner: &mut Scanner, line: usize) -> Result<&'a str, Error> {
    let rest = &sql[scanner.at()..];
    let Some(end_of_line) = rest.find('\n') else { return Err(no_rows(line)) };
    let after = rest[..end_of_line].trim();
    if !after.is_empty() && !after.starts_with("--") {
        return Err(Error::new(format!("line {line}: text follows COPY … FROM stdin on its line"))
            .with_help("Begin the rows on the next line, and move the rest after them."));
    }
    let begin = scanner.at() + end_of_line + 1;
    let mut at = begin;
    for row in sql[begin..].split_inclusive('\n') {
        if row.trim_end_matches(['\n', '\r']) == "\\." {
            scanner.skip_to(at + row.len());
            return Ok(&sql[begin..at]);
        }
        at += row.len();
    }
    Err(no_rows(line))
}

fn no_rows(line: usize) -> Error {
    Error::new(format!("line {line}: the rows of COPY … FROM stdin have no end"))
        .with_help("Write the rows after it, followed by the line `\\.`, as pg_dump does.")
}

/// Counts lines incrementally, so that a long text is scanned only once.
#[derive(Default)]
struct Lines {
    seen: usize,
    breaks: usize,
}

impl Lines {
    /// Returns the line of a position, which must not be before the previous one.
    fn at(&mut self, sql: &str, place: usize) -> usize {
        self.breaks += sql.as_bytes()[self.seen..place].iter().filter(|b| **b == b'\n').count();
        self.seen = place;
        self.breaks + 1
    }
}

/// The words of a statement so far, which decide where it ends and what follows it.
#[derive(Default)]
struct State {
    parentheses: usize,
    /// The first words outside of parentheses, in lower case.
    first: Vec<String>,
    last: String,
    /// The depth in `BEGIN ATOMIC … END`.
    body: usize,
    stdin: bool,
}

impl State {
    fn take(&mut self, kind: Kind, text: &str) {
        match kind {
            Kind::Open => self.parentheses += 1,
            Kind::Close => self.parentheses = self.parentheses.saturating_sub(1),
            Kind::Word if self.parentheses == 0 => self.word(text.to_ascii_lowercase()),
            Kind::Text if self.first.len() < 6 => {
                self.first.push(text.trim_matches('\'').to_ascii_lowercase())
            }
            _ => {}
        }
    }

    fn word(&mut self, word: String) {
        let routine = self.first.first().is_some_and(|w| w == "create")
            && self.first.iter().take(4).any(|w| w == "function" || w == "procedure");
        match word.as_str() {
            "atomic" if routine && self.last == "begin" => self.body += 1,
            "case" if self.body > 0 => self.body += 1,
            "end" => self.body = self.body.saturating_sub(1),
            "stdin" if self.last == "from" => self.stdin = true,
            _ => {}
        }
        if self.first.len() < 6 {
            self.first.push(word.clone());
        }
        self.last = word;
    }

    /// Returns whether a semicolon here ends the statement.
    fn is_outside(&self) -> bool {
        self.parentheses == 0 && self.body == 0
    }

    fn copies_from_stdin(&self) -> bool {
        self.stdin && self.first.first().is_some_and(|w| w == "copy")
    }

    /// Returns the new value after `SET standard_conforming_strings = …`, which applies to the following strings.
    fn conforming_strings(&self) -> Option<bool> {
        let words: Vec<&str> = self.first.iter().map(String::as_str).filter(|w| *w != "to").collect();
        match words.as_slice() {
            ["set", "standard_conforming_strings", value, ..]
            | ["set", "session" | "local", "standard_conforming_strings", value, ..] => {
                Some(!matches!(*value, "off" | "false" | "no" | "0" | "f" | "n"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        split(sql, true).unwrap().into_iter().map(|s| (s.line, s.text)).collect()
    }

    #[test]
    fn semicolons_in_strings_names_quotes_and_comments_do_not_count() {
        let sql = "-- one; two\nSELECT ';', \"a;b\", E'it\\'s;', 'it''s;' ; /* ; /* ; */ ; */\n\n\
            SELECT $$;$$, $x$ ; $$ ; $x$, $1;\n;;";
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
            split("SELECT 1;\nSELECT 'x", true).unwrap_err().to_string(),
            "line 2: this string is never closed"
        );
        assert_eq!(split("\n/* x", true).unwrap_err().to_string(), "line 2: this comment is never closed");
        assert!(split("DO $a$ x", true).unwrap_err().to_string().contains("$a$"));
        assert!(split("SELECT E'\\", true).is_err());
        assert_eq!(texts("SELECT 'ü'; -- ü"), [(1, "SELECT 'ü'")]);
    }

    #[test]
    fn first_words() {
        let statement = split("/* x */ create  -- y\n index Concurrently i on t(a)", true).unwrap()[0];
        assert_eq!(statement.words(3), ["CREATE", "INDEX", "CONCURRENTLY"]);
    }

    #[test]
    fn rows_of_copy_are_data_and_not_sql() {
        let sql = "CREATE TABLE t (a text);\nCOPY t FROM stdin; -- rows\nO'Brien\n\"\t/* $$ ;\n\\.\n\
            SELECT 1;\ncopy public.t (a) from STDIN with (format csv);\n\\.\nSELECT 2";
        let found: Vec<_> = split(sql, true).unwrap().into_iter().map(|s| (s.line, s.text, s.rows)).collect();
        assert_eq!(
            found,
            [
                (1, "CREATE TABLE t (a text)", None),
                (2, "COPY t FROM stdin", Some("O'Brien\n\"\t/* $$ ;\n")),
                (6, "SELECT 1", None),
                (7, "copy public.t (a) from STDIN with (format csv)", Some("")),
                (9, "SELECT 2", None),
            ]
        );
        for sql in ["COPY t FROM stdin;\n1\n", "COPY t FROM stdin;", "COPY t FROM stdin"] {
            let error = split(sql, true).unwrap_err().to_string();
            assert_eq!(error, "line 1: the rows of COPY … FROM stdin have no end", "{sql}");
        }
        let error = split("COPY t FROM stdin; SELECT 1;\n\\.\n", true).unwrap_err().to_string();
        assert_eq!(error, "line 1: text follows COPY … FROM stdin on its line");
        // A file of that name, a query's own words and the way out are not meant.
        for sql in [
            "COPY t FROM 'stdin';",
            "COPY t TO stdout;",
            "SELECT a FROM stdin;",
            "COPY (SELECT 1 FROM stdin) TO stdout;",
        ] {
            assert_eq!(split(sql, true).unwrap().len(), 1, "{sql}");
        }
    }

    #[test]
    fn commands_of_psql_are_named() {
        let dump = "\\restrict a'b\n\nSELECT 1;\n\\unrestrict a'b\n";
        assert_eq!(texts(dump), [(3, "SELECT 1")]);
        let error = split("SELECT 1;\n\\set x 'it''s", true).unwrap_err();
        assert_eq!(error.to_string(), "line 2: \\set is a command of psql, not SQL");
        assert!(split("SELECT 1 \\gexec\nSELECT 2;", true).unwrap_err().to_string().contains("\\gexec"));
    }

    #[test]
    fn strings_follow_standard_conforming_strings() {
        assert_eq!(texts("SELECT 'a\\'; SELECT 1").len(), 2);
        assert_eq!(split("SELECT 'a\\'; SELECT 1'", false).unwrap().len(), 1);
        let off = "SET standard_conforming_strings = off;\nSELECT 'it\\'s;';\n\
            SET standard_conforming_strings TO 'on';\nSELECT 'a\\';";
        assert_eq!(texts(off).len(), 4);
    }

    #[test]
    fn markers_end_a_statement_and_stand_alone_on_their_line() {
        let cut = |sql: &'static str| pieces(sql, true, |c| c.contains("down").then_some(Ends::Statement));
        let found = cut("CREATE TABLE t (a int)\n-- down\nDROP TABLE t;").unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], Piece::Marker { text: "-- down", line: 2 });
        assert_eq!(cut("SELECT 1, -- down\n 2;").unwrap().len(), 1);
        assert_eq!(cut("SELECT $$\n-- down\n$$, '\n-- down\n';").unwrap().len(), 1);
        let error = cut("CREATE TABLE t (\n-- down\na int);").unwrap_err().to_string();
        assert_eq!(error, "line 2: the marker `-- down` stands inside a statement");
    }
}
