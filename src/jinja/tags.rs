//! The inside of tags: names, numbers, strings and operators.

use std::borrow::Cow;

use num_bigint::BigInt;
use playbook_api::Value;

use super::escape::unescape;
use super::lexer::{Lexer, Tag};
use super::token::{Fault, Token};

const OPERATORS: [&str; 24] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|",
];

impl Lexer<'_> {
    /// The inside of a tag, with its end.
    pub(super) fn tag(&mut self, tag: Tag) -> Result<(), Fault> {
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
