//! Regular expressions in Python's syntax.

use fancy_regex::{Captures, Regex, RegexBuilder};
use playbook_api::Error;

/// Compiles a Python pattern. `flags` are letters as in `(?ms)`.
pub(crate) fn compile(pattern: &str, flags: &str) -> Result<Regex, Error> {
    let mut translated = translate(pattern, flags.contains('m') || has_multiline(pattern));
    if !flags.is_empty() {
        translated = format!("(?{flags}){translated}");
    }
    RegexBuilder::new(&translated).backtrack_limit(10_000_000).build().map_err(|e| {
        Error::new(format!("invalid regular expression '{pattern}'")).caused_by(Error::new(e.to_string()))
    })
}

/// Compiles a pattern that matches only at the beginning of the text, as with `re.match`.
pub(crate) fn compile_match(pattern: &str) -> Result<Regex, Error> {
    compile(&format!("\\A(?:{pattern})"), "")
}

/// Returns whether a pattern sets the flag with which `$` matches at the end of each line.
fn has_multiline(pattern: &str) -> bool {
    pattern.match_indices("(?").any(|(at, _)| {
        let letters = pattern[at + 2..].chars().take_while(char::is_ascii_lowercase);
        letters.into_iter().any(|c| c == 'm')
    })
}

/// Translates the differences of Python's syntax: `\Z`, `$` before the last newline, and literal braces and brackets.
fn translate(pattern: &str, multiline: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let chars: Vec<char> = pattern.chars().collect();
    let (mut i, mut class_start) = (0, None::<usize>);
    while let Some(&c) = chars.get(i) {
        let next = chars.get(i + 1).copied();
        match (c, class_start) {
            ('\\', _) => {
                match next {
                    Some('Z') => out.push_str("\\z"),
                    Some(c @ ('<' | '>')) => out.push(c),
                    // Escapes that are the character itself in Python.
                    Some(c) if !c.is_ascii() => out.push(c),
                    Some(c) => out.extend(['\\', c]),
                    None => out.push('\\'),
                }
                i += 1;
            }
            ('[', None) => {
                out.push('[');
                if next == Some('^') {
                    out.push('^');
                    i += 1;
                }
                class_start = Some(i + 1);
                // A bracket at the start of a class is literal.
                if chars.get(i + 1) == Some(&']') {
                    out.push_str("\\]");
                    i += 1;
                }
            }
            ('[', Some(_)) => out.push_str("\\["),
            (']', Some(_)) => {
                out.push(']');
                class_start = None;
            }
            ('$', None) if !multiline => out.push_str("(?=\\n?\\z)"),
            ('&' | '~', Some(_)) => out.extend(['\\', c]),
            ('{', None) if !is_quantifier(&chars[i..]) => out.push_str("\\{"),
            ('}', None) if !closes_quantifier(&chars[..i]) => out.push_str("\\}"),
            _ => out.push(c),
        }
        i += 1;
    }
    out
}

/// Recognizes `{2}`, `{2,}`, `{,3}` and `{2,3}`. Any other brace is literal.
fn is_quantifier(chars: &[char]) -> bool {
    let Some(end) = chars.iter().position(|c| *c == '}') else { return false };
    let inside = &chars[1..end];
    inside.iter().any(char::is_ascii_digit)
        && inside.iter().all(|c| c.is_ascii_digit() || *c == ',')
        && inside.iter().filter(|c| **c == ',').count() <= 1
}

fn closes_quantifier(before: &[char]) -> bool {
    let Some(open) = before.iter().rposition(|c| *c == '{') else { return false };
    let mut whole = before[open..].to_vec();
    whole.push('}');
    // `\p{…}` and `\x{…}` too.
    is_quantifier(&whole) || open >= 2 && before[open - 2] == '\\'
}

/// Checks the syntax of a replacement.
pub(crate) fn check_template(template: &str) -> Result<(), Error> {
    fill(template, None).map(drop)
}

/// Expands a replacement (`\1`, `\g<name>`, `\n`) for a match, as `re.sub` and `Match.expand` do.
pub(crate) fn expand(template: &str, found: &Captures<str>) -> Result<String, Error> {
    fill(template, Some(found))
}

fn fill(template: &str, found: Option<&Captures<str>>) -> Result<String, Error> {
    let group = |index: usize| found.and_then(|f| f.get(index)).map_or("", |m| m.as_str());
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        let mut length = c.len_utf8();
        match c {
            '1'..='9' => {
                length = if rest[1..].starts_with(|c: char| c.is_ascii_digit()) { 2 } else { 1 };
                out.push_str(group(rest[..length].parse().unwrap_or(0)));
            }
            'g' => match rest[1..].strip_prefix('<').and_then(|r| Some((r.find('>')?, r))) {
                Some((end, inner)) => {
                    let name = &inner[..end];
                    length = end + 3;
                    match name.parse() {
                        Ok(index) => out.push_str(group(index)),
                        Err(_) => out.push_str(found.and_then(|f| f.name(name)).map_or("", |m| m.as_str())),
                    }
                }
                None => out.push_str("\\g"),
            },
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '\\' => out.push('\\'),
            '0' => out.push('\0'),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'v' => out.push('\x0b'),
            c if c.is_ascii_alphabetic() => {
                let position = template.len() - rest.len() - 1;
                return Err(Error::new(format!("bad escape \\{c} at position {position}")));
            }
            c => out.extend(['\\', c]),
        }
        rest = &rest[length..];
    }
    Ok(out + rest)
}

/// A file's content as text, which can be converted back to the same bytes for any encoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Encoding {
    Utf8,
    /// Whether it is not UTF-8, so that each byte is one character.
    Bytes,
    /// The one that the task names.
    Named(&'static encoding_rs::Encoding),
}

impl Encoding {
    pub(crate) fn decode(bytes: Vec<u8>) -> (String, Encoding) {
        match String::from_utf8(bytes) {
            Ok(text) => (text, Encoding::Utf8),
            Err(e) => (e.into_bytes().into_iter().map(char::from).collect(), Encoding::Bytes),
        }
    }

    /// Decodes a file that is in the encoding of this name, which Python's or the web's names can be.
    pub(crate) fn decode_as(bytes: Vec<u8>, name: Option<&str>) -> Result<(String, Encoding), Error> {
        let Some(name) = name else { return Ok(Encoding::decode(bytes)) };
        let label = name.to_lowercase().replace('_', "-").replace("latin-", "latin");
        if matches!(label.as_str(), "utf-8" | "utf8") {
            return Ok(Encoding::decode(bytes));
        }
        // UTF-16 can only be read.
        let found = encoding_rs::Encoding::for_label(label.as_bytes());
        let encoding = found.filter(|encoding| encoding.output_encoding() == *encoding).ok_or_else(|| {
            let help = "Name an encoding of the WHATWG Encoding Standard, such as cp1252, latin-1 or gbk.";
            Error::new(format!("unsupported encoding: {name}")).with_help(help)
        })?;
        match encoding.decode_without_bom_handling_and_without_replacement(&bytes) {
            Some(text) => Ok((text.into_owned(), Encoding::Named(encoding))),
            None => Err(Error::new(format!("the file is not in the encoding {name}"))),
        }
    }

    /// Converts text from a task to the encoding of the file.
    pub(crate) fn adapt(self, text: &str) -> String {
        match self {
            Encoding::Utf8 | Encoding::Named(_) => text.to_owned(),
            Encoding::Bytes => text.bytes().map(char::from).collect(),
        }
    }

    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, Error> {
        match self {
            Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
            Encoding::Bytes => Ok(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()),
            Encoding::Named(encoding) => match encoding.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                (.., true) => {
                    let name = encoding.name();
                    Err(Error::new(format!("the text has characters that the encoding {name} lacks")))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_patterns_compile() {
        for (pattern, text) in [
            (r"a\Z", "ba"),
            ("{{ x }}", "{{ x }}"),
            ("a{2}", "aa"),
            ("[]x]", "]"),
            ("[[]", "["),
            (r"\<b\>", "<b>"),
            ("(?P<a>x)(?P=a)", "xx"),
            ("^(?!#)x", "x"),
            ("[&]&", "&&"),
            (r"foo\-bar\ \=", "foo-bar ="),
        ] {
            assert!(compile(pattern, "").unwrap().is_match(text).unwrap(), "{pattern}");
        }
        assert!(compile("(", "").is_err());
    }

    #[test]
    fn replacements_expand() {
        let regex = compile("(a)(?P<name>b)?", "").unwrap();
        let found = regex.captures("ab").unwrap().unwrap();
        assert_eq!(expand(r"\1-\g<name>-\g<0>\n\\\.", &found).unwrap(), "a-b-ab\n\\\\.");
        assert_eq!(expand(r"x\D", &found).unwrap_err().message(), r"bad escape \D at position 1");
    }

    #[test]
    fn bytes_come_back_as_they_were() {
        let (text, encoding) = Encoding::decode(vec![b'a', 0xff]);
        assert_eq!(encoding, Encoding::Bytes);
        assert_eq!(encoding.encode(&text).unwrap(), [b'a', 0xff]);
    }

    #[test]
    fn a_named_encoding_is_read_and_written() {
        let (text, encoding) = Encoding::decode_as(vec![0xfc, 0x80], Some("cp1252")).unwrap();
        assert_eq!(text, "ü€");
        assert_eq!(encoding.encode("€ß").unwrap(), [0x80, 0xdf]);
        assert!(encoding.encode("漢").unwrap_err().message().contains("windows-1252 lacks"));
        let (text, encoding) = Encoding::decode_as(vec![0xb9, 0xfa], Some("GBK")).unwrap();
        assert_eq!((text.as_str(), encoding.encode("国").unwrap()), ("国", vec![0xb9, 0xfa]));
        let refused =
            |bytes: Vec<u8>, name| Encoding::decode_as(bytes, Some(name)).unwrap_err().message().to_owned();
        assert_eq!(refused(vec![0xff, 0xff], "gbk"), "the file is not in the encoding gbk");
        assert_eq!(refused(Vec::new(), "cp273"), "unsupported encoding: cp273");
        assert_eq!(refused(Vec::new(), "utf-16"), "unsupported encoding: utf-16");
    }
}
