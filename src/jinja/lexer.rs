//! Text to tokens, with Jinja's whitespace rules.

use std::borrow::Cow;
use std::sync::Arc;

use super::Syntax;
use super::program::Position;
use super::token::{Fault, Token};

/// The tokens of a template whose text starts on a line of its file.
pub(super) fn template(
    source: &str,
    syntax: &Syntax,
    first_line: u32,
) -> Result<Vec<(Token, Position)>, Fault> {
    let normalized = normalize(source, syntax);
    let mut lexer = Lexer::new(&normalized, syntax);
    lexer.position.line = first_line;
    lexer.root()?;
    Ok(lexer.finish())
}

/// The tokens of a bare expression.
pub(super) fn expression(source: &str) -> Result<Vec<(Token, Position)>, Fault> {
    let syntax = Syntax { escape_backslashes: false, ..Syntax::default() };
    let normalized = normalize(source, &syntax);
    let mut lexer = Lexer::new(&normalized, &syntax);
    lexer.tag(Tag::Expression)?;
    Ok(lexer.finish())
}

fn normalize<'s>(source: &'s str, syntax: &Syntax) -> Cow<'s, str> {
    let text = if source.contains('\r') {
        Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(source)
    };
    if syntax.keep_trailing_newline || !text.ends_with('\n') {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Cow::Owned(mut text) => {
            text.pop();
            Cow::Owned(text)
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tag {
    Variable,
    Block,
    LineStatement,
    Expression,
}

#[derive(Clone, Copy, PartialEq)]
enum Marker {
    Variable,
    Block,
    Comment,
    LineStatement,
    LineComment,
}

pub(super) struct Lexer<'s> {
    pub(super) source: &'s str,
    pub(super) syntax: &'s Syntax,
    pub(super) at: usize,
    /// The position of the byte `mark`, from which the next position is counted on.
    mark: usize,
    position: Position,
    tokens: Vec<(Token, Position)>,
}

impl<'s> Lexer<'s> {
    fn new(source: &'s str, syntax: &'s Syntax) -> Self {
        let position = Position { line: 1, column: 1 };
        Lexer { source, syntax, at: 0, mark: 0, position, tokens: Vec::new() }
    }

    fn finish(mut self) -> Vec<(Token, Position)> {
        let end = self.position_of(self.source.len());
        self.tokens.push((Token::End, end));
        self.tokens
    }

    pub(super) fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn position_of(&mut self, offset: usize) -> Position {
        for c in self.source.get(self.mark..offset).unwrap_or("").chars() {
            if c == '\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        self.mark = self.mark.max(offset);
        self.position
    }

    pub(super) fn push(&mut self, token: Token, offset: usize) {
        let position = self.position_of(offset);
        self.tokens.push((token, position));
    }

    pub(super) fn fault<T>(&mut self, message: impl Into<String>, offset: usize) -> Result<T, Fault> {
        let position = self.position_of(offset);
        Err(Fault { message: message.into(), position })
    }

    fn data(&mut self, text: &str, offset: usize) {
        if text.is_empty() {
            return;
        }
        let text: Arc<str> = match self.syntax.newline.as_str() {
            "\n" => text.into(),
            newline => text.replace('\n', newline).into(),
        };
        self.push(Token::Data(text), offset);
    }

    /// Text and tags, to the end.
    fn root(&mut self) -> Result<(), Fault> {
        let mut line_starting = true;
        loop {
            let start = self.at;
            let Some((offset, marker, length)) = self.next_marker() else {
                self.data(self.rest(), start);
                self.at = self.source.len();
                return Ok(());
            };
            let text = &self.source[start..offset];
            self.at = offset + length;
            let sign = self.take_sign();
            let text = match marker {
                Marker::LineStatement | Marker::LineComment => text,
                _ => self.strip_before(text, sign, marker != Marker::Variable, line_starting),
            };
            self.data(text, start);
            match marker {
                Marker::Comment => self.comment(offset)?,
                Marker::LineComment => {
                    let end = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at += end;
                }
                Marker::Variable => {
                    self.push(Token::VariableBegin, offset);
                    self.tag(Tag::Variable)?;
                }
                Marker::LineStatement => {
                    self.push(Token::BlockBegin, offset);
                    self.tag(Tag::LineStatement)?;
                }
                Marker::Block => {
                    if !self.raw(offset)? {
                        self.push(Token::BlockBegin, offset);
                        self.tag(Tag::Block)?;
                    }
                }
            }
            line_starting = self.source[..self.at].ends_with('\n');
        }
    }

    fn take_sign(&mut self) -> Option<char> {
        let sign = self.rest().chars().next().filter(|c| matches!(c, '-' | '+'))?;
        self.at += 1;
        Some(sign)
    }

    /// The text before a tag, as `-` and `lstrip_blocks` leave it.
    fn strip_before<'t>(
        &self,
        text: &'t str,
        sign: Option<char>,
        lstrip: bool,
        line_starting: bool,
    ) -> &'t str {
        if sign == Some('-') {
            return text.trim_end();
        }
        if sign.is_none() && lstrip && self.syntax.lstrip_blocks {
            let line = text.rfind('\n').map_or(0, |i| i + 1);
            if (line > 0 || line_starting) && text[line..].chars().all(char::is_whitespace) {
                return &text[..line];
            }
        }
        text
    }

    /// The nearest opening of a tag: its offset, kind and length. Where several open at one place, the longest
    /// delimiter wins.
    fn next_marker(&self) -> Option<(usize, Marker, usize)> {
        let rest = self.rest();
        let mut found: Option<(usize, Marker, usize)> = None;
        for (start, marker) in [
            (&self.syntax.block.0, Marker::Block),
            (&self.syntax.variable.0, Marker::Variable),
            (&self.syntax.comment.0, Marker::Comment),
        ] {
            if start.is_empty() {
                continue;
            }
            if let Some(i) = rest.find(start.as_str()) {
                let offset = self.at + i;
                if found.is_none_or(|(o, _, l)| offset < o || (offset == o && start.len() > l)) {
                    found = Some((offset, marker, start.len()));
                }
            }
        }
        if let Some(prefix) = &self.syntax.line_statement
            && let Some((offset, length)) = self.line_marker(prefix, true)
            && found.is_none_or(|(o, ..)| offset <= o)
        {
            found = Some((offset, Marker::LineStatement, length));
        }
        if let Some(prefix) = &self.syntax.line_comment
            && let Some((offset, length)) = self.line_marker(prefix, false)
            && found.is_none_or(|(o, ..)| offset <= o)
        {
            found = Some((offset, Marker::LineComment, length));
        }
        found
    }

    /// The nearest line prefix, with the blanks before it: at a line's start, or (comments) anywhere after text.
    fn line_marker(&self, prefix: &str, at_line_start: bool) -> Option<(usize, usize)> {
        for (i, _) in self.rest().match_indices(prefix) {
            let before = &self.source[..self.at + i];
            let blank = before.trim_end_matches([' ', '\t', '\u{b}']).len();
            let starts_line = blank == 0 || before[..blank].ends_with('\n');
            if (starts_line || !at_line_start) && blank >= self.at {
                return Some((blank, self.at + i + prefix.len() - blank));
            }
        }
        None
    }

    fn comment(&mut self, offset: usize) -> Result<(), Fault> {
        let end = self.syntax.comment.1.as_str();
        let Some(i) = self.rest().find(end) else {
            return self.fault("Missing end of comment tag", offset);
        };
        let sign = self.rest()[..i].chars().next_back();
        self.at += i + end.len();
        self.after_block_end(sign);
        Ok(())
    }

    /// What follows a closed block or comment: `-` takes all whitespace, `trim_blocks` one newline.
    pub(super) fn after_block_end(&mut self, sign: Option<char>) {
        match sign {
            Some('-') => self.at += self.rest().len() - self.rest().trim_start().len(),
            Some('+') => {}
            _ if self.syntax.trim_blocks && self.rest().starts_with('\n') => self.at += 1,
            _ => {}
        }
    }

    /// `{% raw %}`, if that is what was opened.
    fn raw(&mut self, offset: usize) -> Result<bool, Fault> {
        let Some((length, sign)) = self.named_tag(self.rest(), "raw") else {
            return Ok(false);
        };
        if sign == Some('+') {
            return Ok(false);
        }
        self.at += length;
        if sign == Some('-') {
            self.after_block_end(sign);
        }
        let start = self.at;
        let open = self.syntax.block.0.as_str();
        let mut from = 0;
        while let Some(i) = self.rest()[from..].find(open) {
            let before = from + i;
            let inside = &self.rest()[before + open.len()..];
            let sign = inside.chars().next().filter(|c| matches!(c, '-' | '+'));
            let body = &inside[sign.map_or(0, char::len_utf8)..];
            if let Some((length, end_sign)) = self.named_tag(body, "endraw") {
                let text = &self.rest()[..before];
                let line_starting = self.source[..start].ends_with('\n');
                let text = self.strip_before(text, sign, true, line_starting);
                self.data(text, start);
                self.at += before + open.len() + (inside.len() - body.len()) + length;
                self.after_block_end(end_sign);
                return Ok(true);
            }
            from = before + open.len();
        }
        self.fault("Missing end of raw directive", offset)
    }

    /// Whether the inside of a block tag is one name alone: its length with the closing delimiter, and its sign.
    fn named_tag(&self, inside: &str, name: &str) -> Option<(usize, Option<char>)> {
        let rest = inside.trim_start().strip_prefix(name)?.trim_start();
        let sign = rest.chars().next().filter(|c| matches!(c, '-' | '+'));
        let rest = &rest[sign.map_or(0, char::len_utf8)..];
        let rest = rest.strip_prefix(self.syntax.block.1.as_str())?;
        Some((inside.len() - rest.len(), sign))
    }
}
