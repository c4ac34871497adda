//! Printing as Python prints: the form in which playbooks, tests and people know their values.

use std::fmt::Write;

use crate::Value;

/// Returns Python's `repr(value)`.
///
/// ```
/// use playbook_api::{Value, map, python::repr};
/// assert_eq!(repr(&map! { "a" => vec![1.0, 1e16], "it's" => Value::Null }.into()),
///            r#"{'a': [1.0, 1e+16], "it's": None}"#);
/// ```
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(n) => {
            let _ = write!(out, "{n}");
        }
        Value::BigInt(n) => {
            let _ = write!(out, "{n}");
        }
        Value::Float(n) => out.push_str(&float(*n)),
        Value::Str(text) => write_str(out, text),
        Value::Bytes(bytes) => {
            out.push_str("b'");
            for b in bytes.iter() {
                for c in std::ascii::escape_default(*b) {
                    out.push(c as char);
                }
            }
            out.push('\'');
        }
        Value::List(items) => write_items(out, '[', items, ']'),
        Value::Tuple(items) if items.len() == 1 => {
            out.push('(');
            write_repr(out, &items[0]);
            out.push_str(",)");
        }
        Value::Tuple(items) => write_items(out, '(', items, ')'),
        Value::Map(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_repr(out, key);
                out.push_str(": ");
                write_repr(out, value);
            }
            out.push('}');
        }
        Value::Undefined(reason) => {
            let _ = write!(out, "<undefined: {reason}>");
        }
        Value::Unknown(reason) => {
            let _ = write!(out, "(known after: {reason})");
        }
        Value::Omit => out.push_str("<omit>"),
        Value::Object(object) => match object.force() {
            Some(Ok(value)) => write_repr(out, &value),
            _ => match object.text() {
                Some(text) => out.push_str(&text),
                None => {
                    let _ = write!(out, "<{}>", object.type_name());
                }
            },
        },
    }
}

fn write_items(out: &mut String, open: char, items: &[Value], close: char) {
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_repr(out, item);
    }
    out.push(close);
}

/// Single quotes unless that needs escapes and double quotes do not.
fn write_str(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..=0xa0).contains(&(c as u32)) || c == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// Returns Python's `repr(float)`: the shortest digits that read back, `e` notation from 1e16 up and below 1e-4.
pub fn float(n: f64) -> String {
    if n.is_nan() {
        return "nan".into();
    }
    if n.is_infinite() {
        return if n > 0.0 { "inf" } else { "-inf" }.into();
    }
    let text = format!("{n:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if n != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let text = format!("{n}");
    if text.contains('.') { text } else { text + ".0" }
}

/// Returns the text that `json.dumps` writes for a key that is not text.
pub fn json_key(key: &Value) -> String {
    match key {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        other => other.to_text().into_owned(),
    }
}

/// The options of [`json`].
#[derive(Clone, Copy, Debug)]
pub struct JsonStyle {
    /// The number of spaces per level; `None` prints one line.
    pub indent: Option<usize>,
    /// Whether keys are sorted.
    pub sort_keys: bool,
    /// Whether characters outside of ASCII are escaped.
    pub ensure_ascii: bool,
}

/// Returns Python's `json.dumps(value)`.
///
/// ```
/// use playbook_api::{map, python::{JsonStyle, json}};
/// let style = JsonStyle { indent: None, sort_keys: true, ensure_ascii: true };
/// assert_eq!(json(&map! { "b" => 1, "a" => "é" }.into(), style), r#"{"a": "\u00e9", "b": 1}"#);
/// ```
pub fn json(value: &Value, style: JsonStyle) -> String {
    let mut out = String::new();
    write_json(&mut out, value, style, 0);
    out
}

fn write_json(out: &mut String, value: &Value, style: JsonStyle, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        if let Some(indent) = style.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    let separator = if style.indent.is_some() { "," } else { ", " };
    match value {
        Value::Null | Value::Undefined(_) | Value::Omit => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(_) | Value::BigInt(_) => write_repr(out, value),
        Value::Float(n) if n.is_nan() => out.push_str("NaN"),
        Value::Float(n) if n.is_infinite() => out.push_str(if *n > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Float(n) => out.push_str(&float(*n)),
        Value::Str(text) => write_json_str(out, text, style.ensure_ascii),
        Value::Bytes(_) | Value::Unknown(_) => write_json_str(out, &value.to_text(), style.ensure_ascii),
        Value::List(items) | Value::Tuple(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(separator);
                }
                line(out, depth + 1);
                write_json(out, item, style, depth + 1);
            }
            if !items.is_empty() {
                line(out, depth);
            }
            out.push(']');
        }
        Value::Map(map) => {
            let mut entries: Vec<(String, &Value)> = map.iter().map(|(k, v)| (json_key(k), v)).collect();
            if style.sort_keys {
                entries.sort_by(|a, b| a.0.cmp(&b.0));
            }
            out.push('{');
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push_str(separator);
                }
                line(out, depth + 1);
                write_json_str(out, key, style.ensure_ascii);
                out.push_str(": ");
                write_json(out, item, style, depth + 1);
            }
            if !entries.is_empty() {
                line(out, depth);
            }
            out.push('}');
        }
        Value::Object(object) => match object.force() {
            Some(Ok(value)) => write_json(out, &value, style, depth),
            _ => match object.text() {
                Some(text) => write_json_str(out, &text, style.ensure_ascii),
                None => out.push_str("null"),
            },
        },
    }
}

fn write_json_str(out: &mut String, text: &str, ensure_ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (ensure_ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        for (n, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(float(n), text);
        }
    }

    #[test]
    fn strings_choose_their_quotes() {
        assert_eq!(repr(&"a'b".into()), "\"a'b\"");
        assert_eq!(repr(&"a'b\"c".into()), "'a\\'b\"c'");
        assert_eq!(repr(&"a\n\u{1}".into()), "'a\\n\\x01'");
    }
}
