//! Text to tokens, with Jinja's whitespace rules.

use std::borrow::Cow;
use std::sync::Arc;

use num_bigint::BigInt;
use playbook_api::Value;

use super::Syntax;
use super::escape::unescape;
use super::program::Position;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Data(Arc<str>),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(Arc<str>),
    Str(String),
    Integer(Value),
    Float(f64),
    Op(&'static str),
    End,
}

impl Token {
    /// As Jinja's messages name it.
    pub(super) fn describe(&self) -> &str {
        match self {
            Token::Data(_) => "template data / text",
            Token::VariableBegin => "begin of print statement",
            Token::VariableEnd => "end of print statement",
            Token::BlockBegin => "begin of statement block",
            Token::BlockEnd => "end of statement block",
            Token::Name(name) => name,
            Token::Str(_) => "string",
            Token::Integer(_) => "integer",
            Token::Float(_) => "float",
            Token::Op(sign) => sign,
            Token::End => "end of template",
        }
    }
}

/// What is wrong with a template's text, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub message: String,
    pub position: Position,
}

/// The tokens of a template.
pub(super) fn template(source: &str, syntax: &Syntax) -> Result<Vec<(Token, Position)>, Fault> {
    let normalized = normalize(source, syntax);
    let mut lexer = Lexer::new(&normalized, syntax);
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
enum Tag {
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

struct Lexer<'s> {
    source: &'s str,
    syntax: &'s Syntax,
    at: usize,
    /// The position of the byte `mark`, from which the next position is counted on.
    mark: usize,
    position: Position,
    tokens: Vec<(Token, Position)>,
}

const OPERATORS: [&str; 24] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|",
];

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

    fn rest(&self) -> &'s str {
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

    fn push(&mut self, token: Token, offset: usize) {
        let position = self.position_of(offset);
        self.tokens.push((token, position));
    }

    fn fault<T>(&mut self, message: impl Into<String>, offset: usize) -> Result<T, Fault> {
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
    fn after_block_end(&mut self, sign: Option<char>) {
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

    /// The inside of a tag, with its end.
    fn tag(&mut self, tag: Tag) -> Result<(), Fault> {
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            if open.is_empty() && self.tag_end(tag) {
                return Ok(());
            }
            let rest = self.rest();
            let Some(first) = rest.chars().next() else {
                return Ok(());
            };
            let start = self.at;
            if first.is_whitespace() {
                self.at += first.len_utf8();
            } else if first.is_ascii_digit() {
                self.number();
            } else if first == '_' || first.is_alphanumeric() {
                let length = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
                self.at += length;
                self.push(Token::Name(rest[..length].into()), start);
            } else if matches!(first, '\'' | '"') {
                self.string(first, tag)?;
            } else {
                self.operator(&mut open)?;
            }
        }
    }

    fn tag_end(&mut self, tag: Tag) -> bool {
        let start = self.at;
        let rest = self.rest();
        let (end, token) = match tag {
            Tag::Variable => (self.syntax.variable.1.as_str(), Token::VariableEnd),
            Tag::Block => (self.syntax.block.1.as_str(), Token::BlockEnd),
            Tag::Expression => return false,
            Tag::LineStatement => {
                let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
                let done = rest[blank..].is_empty() || rest[blank..].starts_with('\n');
                if done {
                    self.at = (self.at + blank + 1).min(self.source.len());
                    self.push(Token::BlockEnd, start);
                }
                return done;
            }
        };
        let sign = rest.chars().next().filter(|c| *c == '-' || (*c == '+' && tag == Tag::Block));
        let signed = sign.filter(|_| rest[1..].starts_with(end));
        if signed.is_none() && !rest.starts_with(end) {
            return false;
        }
        self.at += end.len() + usize::from(signed.is_some());
        self.push(token, start);
        match tag {
            Tag::Block => self.after_block_end(signed),
            _ if signed.is_some() => self.after_block_end(signed),
            _ => {}
        }
        true
    }

    fn number(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let after_dot = self.source[..start].ends_with('.');
        if !after_dot && let Some(length) = float_length(rest) {
            self.at += length;
            let value = rest[..length].replace('_', "").parse().unwrap_or(f64::INFINITY);
            return self.push(Token::Float(value), start);
        }
        let (radix, length) = integer_length(rest);
        self.at += length;
        let digits = rest[if radix == 10 { 0 } else { 2 }..length].replace('_', "");
        let value = BigInt::parse_bytes(digits.as_bytes(), radix).unwrap_or_default();
        self.push(Token::Integer(Value::big(value)), start);
    }

    fn string(&mut self, quote: char, tag: Tag) -> Result<(), Fault> {
        let start = self.at;
        let rest = self.rest();
        let mut escaped = false;
        let end = rest[1..].find(|c: char| {
            let closes = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let Some(end) = end else {
            return self.fault(format!("unexpected char {} at {start}", quoted(quote)), start);
        };
        let text = &rest[1..1 + end];
        self.at += end + 2;
        let text = match self.syntax.newline.as_str() {
            "\n" => Cow::Borrowed(text),
            newline => Cow::Owned(text.replace('\n', newline)),
        };
        let literal = tag == Tag::Variable && self.syntax.escape_backslashes;
        let text = if literal { text.into_owned() } else { unescape(&text) };
        self.push(Token::Str(text), start);
        Ok(())
    }

    fn operator(&mut self, open: &mut Vec<&'static str>) -> Result<(), Fault> {
        let start = self.at;
        let rest = self.rest();
        let Some(sign) = OPERATORS.iter().chain(&[",", ";"]).find(|sign| rest.starts_with(**sign)) else {
            let c = rest.chars().next().unwrap_or(' ');
            return self.fault(format!("unexpected char {} at {start}", quoted(c)), start);
        };
        match *sign {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" => match open.pop() {
                Some(expected) if expected == *sign => {}
                Some(expected) => {
                    return self.fault(format!("unexpected '{sign}', expected '{expected}'"), start);
                }
                None => return self.fault(format!("unexpected '{sign}'"), start),
            },
            _ => {}
        }
        self.at += sign.len();
        self.push(Token::Op(sign), start);
        Ok(())
    }
}

fn quoted(c: char) -> String {
    playbook_api::python::repr(&Value::from(c.to_string()))
}

/// The length of a run of digits that single underscores may part.
fn digits(text: &str, radix: u32) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(&b) = bytes.get(length) {
        let digit = |b: u8| (b as char).is_digit(radix);
        if digit(b) || (b == b'_' && length > 0 && bytes.get(length + 1).is_some_and(|b| digit(*b))) {
            length += 1;
        } else {
            break;
        }
    }
    length
}

fn float_length(text: &str) -> Option<usize> {
    let mut length = digits(text, 10);
    let mut float = false;
    if text[length..].starts_with('.') {
        let fraction = digits(&text[length + 1..], 10);
        if fraction > 0 {
            length += 1 + fraction;
            float = true;
        }
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[length + 1 + sign..], 10);
        if exponent > 0 {
            length += 1 + sign + exponent;
            float = true;
        }
    }
    float.then_some(length)
}

fn integer_length(text: &str) -> (u32, usize) {
    let radix = match text.as_bytes().get(..2) {
        Some(b"0x" | b"0X") => 16,
        Some(b"0o" | b"0O") => 8,
        Some(b"0b" | b"0B") => 2,
        _ => 10,
    };
    if radix != 10 {
        let length = digits(&text[2..], radix);
        if length > 0 {
            return (radix, length + 2);
        }
    }
    if text.starts_with('0') {
        let zeros = text.len() - text.trim_start_matches('0').len();
        return (10, zeros);
    }
    (10, digits(text, 10))
}
