//! YAML as PyYAML writes it, for `result_format = yaml`.

use playbook_api::Value;
use playbook_api::python::{float, json_key};

use crate::document::plain_scalar;

/// Lines are folded behind this column.
const WIDEST: usize = 80;

/// A value as YAML, keys sorted. `lossy` lets text of several lines stand as a block, whatever spaces at line ends
/// that costs.
pub fn dump(value: &Value, indent: usize, lossy: bool) -> String {
    let mut out = String::new();
    let writer = Writer { indent: indent.max(2), lossy };
    writer.node(&mut out, value, 0);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

struct Writer {
    indent: usize,
    lossy: bool,
}

impl Writer {
    /// Writes a value at the end of the line so far, its further lines indented to `column`.
    fn node(&self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::Map(map) if !map.is_empty() => {
                let mut entries: Vec<(String, &Value)> = map.iter().map(|(k, v)| (json_key(k), v)).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        line(out, column);
                    }
                    if key.contains('\n') {
                        out.push_str("? ");
                        out.push_str(&self.text(key, column + self.indent, column + 2, false));
                        line(out, column);
                    } else {
                        out.push_str(&self.text(key, column, 0, true));
                    }
                    out.push(':');
                    self.member(out, value, column);
                }
            }
            Value::List(items) | Value::Tuple(items) if !items.is_empty() => self.items(out, items, column),
            other => {
                let start = out.rsplit('\n').next().map_or(0, |line| line.chars().count());
                out.push_str(&self.scalar(other, column, start));
            }
        }
    }

    fn items(&self, out: &mut String, items: &[Value], column: usize) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                line(out, column);
            }
            out.push('-');
            // What has lines of its own starts where they will.
            let gap = if is_block(item) { self.indent - 1 } else { 1 };
            out.extend(std::iter::repeat_n(' ', gap));
            self.node(out, item, column + self.indent);
        }
    }

    fn member(&self, out: &mut String, value: &Value, column: usize) {
        match value {
            // A list in a map is not indented.
            Value::List(items) | Value::Tuple(items) if !items.is_empty() => {
                line(out, column);
                self.items(out, items, column);
            }
            value if is_block(value) => {
                line(out, column + self.indent);
                self.node(out, value, column + self.indent);
            }
            other => {
                out.push(' ');
                self.node(out, other, column + self.indent);
            }
        }
    }

    fn scalar(&self, value: &Value, column: usize, start: usize) -> String {
        match value {
            Value::Null | Value::Undefined(_) | Value::Omit => "null".into(),
            Value::Bool(b) => b.to_string(),
            Value::Int(_) | Value::BigInt(_) => value.to_text().into_owned(),
            Value::Float(n) if n.is_nan() => ".nan".into(),
            Value::Float(n) if n.is_infinite() => if *n > 0.0 { ".inf" } else { "-.inf" }.into(),
            Value::Float(n) => {
                let text = float(*n);
                if text.contains('e') && !text.contains('.') { text.replacen('e', ".0e", 1) } else { text }
            }
            Value::Map(_) => "{}".into(),
            Value::List(_) | Value::Tuple(_) => "[]".into(),
            other => self.text(&other.to_text(), column, start, false),
        }
    }

    fn text(&self, text: &str, column: usize, start: usize, key: bool) -> String {
        let lines = text.contains(['\n', '\u{85}', '\u{2028}', '\u{2029}']);
        if lines && !key {
            let munged = if self.lossy { munge(text) } else { text.to_owned() };
            if munged.is_empty() {
                return "\"\"".into();
            }
            if can_be_block(&munged) {
                return self.block(&munged, column);
            }
            return double_quoted(text, column, start);
        }
        if text.chars().any(|c| !printable(c)) {
            return double_quoted(text, column, start);
        }
        if is_plain(text)
            && !matches!(
                plain_scalar(text),
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_)
            )
            && !looks_typed(text)
        {
            return fold(text, column, start, key);
        }
        format!("'{}'", fold(&text.replace('\'', "''"), column, start + 1, key))
    }

    fn block(&self, text: &str, column: usize) -> String {
        let hint = if text.starts_with([' ', '\n']) { self.indent.to_string() } else { String::new() };
        let chomp = match text.strip_suffix('\n') {
            None => "-",
            Some(rest) if rest.ends_with('\n') || rest.is_empty() => "+",
            Some(_) => "",
        };
        let mut out = format!("|{hint}{chomp}");
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            out.push('\n');
            if !line.is_empty() {
                out.extend(std::iter::repeat_n(' ', column));
                out.push_str(line);
            }
        }
        out
    }
}

/// Whether a value is written on lines of its own.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Map(map) => !map.is_empty(),
        Value::List(items) | Value::Tuple(items) => !items.is_empty(),
        _ => false,
    }
}

fn line(out: &mut String, column: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', column));
}

fn printable(c: char) -> bool {
    matches!(c as u32, 0x0a | 0x20..=0x7e | 0x85 | 0xa0..=0xd7ff | 0xe000..=0xfefe | 0xff00..=0xfffd | 0x10000..)
}

/// What a block can hold: no trailing spaces, no special characters.
fn munge(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.trim_end().chars() {
        match c {
            '\t' => {
                let spaces = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' => {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                column = 0;
            }
            c if printable(c) => {
                out.push(c);
                column += 1;
            }
            _ => {}
        }
    }
    out
}

fn can_be_block(text: &str) -> bool {
    !text.contains(" \n") && !text.ends_with(' ') && text.chars().all(printable)
}

fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    if text.starts_with("---") || text.starts_with("...") {
        return false;
    }
    let space_follows = |i: usize| text[i..].chars().nth(1).is_none_or(|c| c == ' ');
    let bad_start = match first {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
            true
        }
        '?' | ':' | '-' => space_follows(0),
        _ => false,
    };
    let bad_inside = text.contains(": ") || text.ends_with(':') || text.contains(" #");
    !bad_start && !bad_inside && !text.starts_with(' ') && !text.ends_with(' ')
}

/// Text that YAML 1.1 reads as a date, a merge key or a number in base 60.
fn looks_typed(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let date = text.get(..10).is_some_and(|d| {
        let parts: Vec<&str> = d.split('-').collect();
        parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(|p| digits(p))
    });
    let unsigned = text.trim_start_matches(['-', '+']);
    let sixty = unsigned.contains(':')
        && unsigned.split(':').enumerate().all(|(i, p)| digits(p) && (i == 0 || p.len() <= 2))
        && !unsigned.starts_with('0');
    date || sixty || matches!(text, "=" | "<<")
}

/// Breaks a text between words behind column 80; never a key.
fn fold(text: &str, column: usize, start: usize, key: bool) -> String {
    if key || start + text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut at = start;
    let words: Vec<&str> = text.split(' ').collect();
    for (i, word) in words.iter().enumerate() {
        let length = word.chars().count();
        let single = i > 0 && !word.is_empty() && !words[i - 1].is_empty();
        if single && at > WIDEST {
            line(&mut out, column);
            at = column;
        } else if i > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += length;
    }
    out
}

fn double_quoted(text: &str, column: usize, start: usize) -> String {
    let mut out = String::from("\"");
    let mut at = start + 1;
    let chars: Vec<char> = text.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        let piece = match c {
            '\0' => "\\0".into(),
            '\u{7}' => "\\a".into(),
            '\u{8}' => "\\b".into(),
            '\t' => "\\t".into(),
            '\n' => "\\n".into(),
            '\u{b}' => "\\v".into(),
            '\u{c}' => "\\f".into(),
            '\r' => "\\r".into(),
            '\u{1b}' => "\\e".into(),
            '"' => "\\\"".into(),
            '\\' => "\\\\".into(),
            '\u{85}' => "\\N".into(),
            '\u{a0}' => "\\_".into(),
            '\u{2028}' => "\\L".into(),
            '\u{2029}' => "\\P".into(),
            c if printable(c) => c.to_string(),
            c if (c as u32) < 0x100 => format!("\\x{:02X}", c as u32),
            c if (c as u32) < 0x10000 => format!("\\u{:04X}", c as u32),
            c => format!("\\U{:08X}", c as u32),
        };
        if c == ' ' && at > WIDEST && i > 0 && i + 1 < chars.len() {
            out.push('\\');
            line(&mut out, column);
            if chars[i + 1] == ' ' {
                out.push('\\');
            }
            at = column;
            if chars[i + 1] != ' ' {
                out.push_str("\\ ");
                at += 2;
            }
            continue;
        }
        at += piece.chars().count();
        out.push_str(&piece);
    }
    out.push('"');
    out
}
#[cfg(test)]
mod tests {
    use playbook_api::map;

    use super::*;

    #[test]
    fn writes_as_pyyaml_does() {
        let value = map! {
            "date" => "2026-11-21 11:43:19", "time" => "0:00:00.01", "yes" => "yes", "n" => "12", "colon" => "a: b",
            "quote" => "it's", "bell" => "a\u{7}b", "tab" => "a\tb", "lines" => "a  \nb\n", "lead" => " a\nb",
            "empty" => "", "none" => Value::Null, "big" => 1e20, "a\nb" => 4, "long" => "word ".repeat(18) + "end",
            "list" => vec![
                Value::from(1), vec![3, 4].into(), map! { "a" => 1, "b" => vec![1] }.into(), Value::from(Vec::<i64>::new()),
            ],
            "deep" => map! { "x" => map! { "y" => true }, "e" => map! {} },
        };
        let expected = "\
? |-
    a
    b
: 4
bell: \"a\\ab\"
big: 1.0e+20
colon: 'a: b'
date: '2026-11-21 11:43:19'
deep:
    e: {}
    x:
        y: true
empty: ''
lead: |4-
     a
    b
lines: |-
    a
    b
list:
- 1
-   - 3
    - 4
-   a: 1
    b:
    - 1
- []
long: word word word word word word word word word word word word word word word word
    word word end
n: '12'
none: null
quote: it's
tab: \"a\\tb\"
time: '0:00:00.01'
'yes': 'yes'
";
        assert_eq!(dump(&value.into(), 4, true), expected);
    }
}
