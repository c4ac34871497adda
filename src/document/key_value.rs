//! `key=value` text: task arguments on one line, `-e`, inventory host lines.

use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind, Place};

use super::layout::of_part;
use super::{Node, Trust};

/// The parameters that stay parameters where everything else is free text (`command: ls creates=/tmp/x`).
const COMMAND_PARAMETERS: [&str; 8] =
    ["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Takes `key=value` text apart. Words without `=` together become `_raw_params`; with `check_raw` so does
/// everything that is not a parameter of the command family.
///
/// ```
/// use playbook::document::{Trust, parse_kv};
/// use playbook_api::Place;
/// let place = Place::file_only("<command line>");
/// let args = parse_kv("src=a.txt dest='/tmp/b c' {{ rest }}", &place, Trust::Templates, false)?;
/// assert_eq!(args["dest"].as_str(), Some("/tmp/b c"));
/// assert_eq!(args["_raw_params"].source(), Some("{{ rest }}"));
/// # Ok::<(), playbook_api::Error>(())
/// ```
pub fn parse_kv(
    text: &str,
    place: &Place,
    trust: Trust,
    check_raw: bool,
) -> Result<IndexMap<Arc<str>, Node>, Error> {
    let mut options = IndexMap::new();
    let mut raw = Vec::new();
    for word in split_args(text).map_err(|e| e.at(place))? {
        let decoded = decode_escapes(&word);
        if !decoded.contains('=') {
            raw.push(word);
            continue;
        }
        let Some(at) = unescaped_equals(&decoded) else {
            raw.push(decoded.replace("\\=", "="));
            continue;
        };
        let (key, value) = (&decoded[..at], &decoded[at + 1..]);
        if check_raw && !COMMAND_PARAMETERS.contains(&key) {
            raw.push(word);
        } else {
            let value = unquote(value.trim());
            let node = Node::text(of_part(place, text, value), value.to_owned(), trust);
            options.insert(Arc::from(key.trim()), node);
        }
    }
    if !raw.is_empty() {
        let raw = join_args(&raw);
        options.insert(Arc::from("_raw_params"), Node::text(of_part(place, text, &raw), raw, trust));
    }
    Ok(options)
}

/// The first `=` that is neither the first character nor behind a backslash.
fn unescaped_equals(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len()).find(|&i| bytes[i] == b'=' && bytes[i - 1] != b'\\')
}

/// Removes the quotes around a text, if it starts and ends with the same.
pub fn unquote(text: &str) -> &str {
    let bytes = text.as_bytes();
    match bytes {
        [first @ (b'"' | b'\''), .., before, last] if first == last && *before != b'\\' => {
            &text[1..text.len() - 1]
        }
        [first @ (b'"' | b'\''), last] if first == last => "",
        _ => text,
    }
}

fn join_args(words: &[String]) -> String {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `\n`, `\t`, `\xHH`, `\uHHHH`, `\UHHHHHHHH`, `\\` and the like; anything else stays as it is.
fn decode_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let hex = |length: usize| {
            let digits = rest.get(2..2 + length).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?).map(|c| (c, 2 + length))
        };
        let decoded = match rest.as_bytes().get(1) {
            Some(b'n') => Some(('\n', 2)),
            Some(b't') => Some(('\t', 2)),
            Some(b'r') => Some(('\r', 2)),
            Some(b'a') => Some(('\u{7}', 2)),
            Some(b'b') => Some(('\u{8}', 2)),
            Some(b'f') => Some(('\u{c}', 2)),
            Some(b'v') => Some(('\u{b}', 2)),
            Some(c @ (b'\\' | b'\'' | b'"')) => Some((*c as char, 2)),
            Some(b'x') => hex(2),
            Some(b'u') => hex(4),
            Some(b'U') => hex(8),
            _ => None,
        };
        let (c, length) = decoded.unwrap_or(('\\', 1));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// Splits on white space, keeping together what stands in quotes or in a Jinja block; quotes stay, and so do
/// line breaks, at the end of the word before them. A lone backslash joins two lines.
pub fn split_args(text: &str) -> Result<Vec<String>, Error> {
    let mut words: Vec<String> = Vec::new();
    let mut quote: Option<char> = None;
    let mut depths = [0usize; 3];
    const BLOCKS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
    let append = |words: &mut Vec<String>, text: &str| match words.last_mut() {
        Some(last) => last.push_str(text),
        None => words.push(text.to_owned()),
    };
    if text.is_empty() {
        return Ok(words);
    }
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let mut continued = false;
        for (index, token) in line.split(' ').enumerate() {
            if token.is_empty() && index > 0 {
                append(&mut words, " ");
                continue;
            }
            let was_quoted = quote.is_some();
            if token == "\\" && !was_quoted {
                continued = true;
                continue;
            }
            quote = quote_after(token, quote);
            let in_block = depths.iter().any(|depth| *depth > 0);
            let mut placed = false;
            if quote.is_some() && !was_quoted && !in_block {
                words.push(token.to_owned());
                placed = true;
            } else if in_block || quote.is_some() || was_quoted {
                if index > 0 {
                    append(&mut words, " ");
                }
                append(&mut words, token);
                placed = true;
            }
            for (depth, (open, close)) in depths.iter_mut().zip(BLOCKS) {
                let (opened, closed) = (token.matches(open).count(), token.matches(close).count());
                let new = (*depth + opened).saturating_sub(closed);
                if new != *depth && opened != closed {
                    *depth = new;
                    if !placed {
                        words.push(token.to_owned());
                        placed = true;
                    }
                }
            }
            if !placed && quote.is_none() && depths == [0; 3] && !token.is_empty() {
                words.push(token.to_owned());
            }
        }
        if lines.peek().is_some() && !continued {
            append(&mut words, "\n");
        }
    }
    if quote.is_some() || depths != [0; 3] {
        let fault = "failed at splitting arguments, either an unbalanced jinja2 block or quotes";
        return Err(Error::new(format!("{fault}: {text}")).with_kind(ErrorKind::Syntax));
    }
    Ok(words)
}

/// The quote that is open after a token.
fn quote_after(token: &str, mut quote: Option<char>) -> Option<char> {
    let mut before = None;
    for c in token.chars() {
        if matches!(c, '"' | '\'') && before != Some('\\') {
            match quote {
                Some(open) if open == c => quote = None,
                Some(_) => {}
                None => quote = Some(c),
            }
        }
        before = Some(c);
    }
    quote
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ansible.parsing.splitter.split_args` answers.
    #[test]
    fn splits_as_ansible_does() {
        for (text, words) in [
            ("a", vec!["a"]),
            ("a=b c='foo bar'", vec!["a=b", "c='foo bar'"]),
            ("a=\"{{ x  | y }}\" b", vec!["a=\"{{ x  | y }}\"", "b"]),
            ("{{ a b }} c", vec!["{{ a b }}", "c"]),
            ("echo {% if x %} y {% endif %}", vec!["echo", "{% if x %}", "y", "{% endif %}"]),
            ("a b\nc d", vec!["a", "b\n", "c", "d"]),
            ("a \\\nb", vec!["a", "b"]),
            ("a  b", vec!["a ", "b"]),
            ("  a", vec![" ", "a"]),
            ("a='x\ny' b", vec!["a='x\ny'", "b"]),
            ("a={{ b }}c d", vec!["a={{ b }}c", "d"]),
        ] {
            assert_eq!(split_args(text).unwrap(), words, "{text}");
        }
        assert!(split_args("a='b").is_err());
        assert!(split_args("{{ a").is_err());
    }

    #[test]
    fn takes_pairs_apart() {
        let parse = |text, raw| {
            let args = parse_kv(text, &Place::file_only("x"), Trust::Templates, raw).unwrap();
            args.iter().map(|(k, v)| format!("{k}={}", v.source().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(parse("a=1 b=\"x y\" c", false), ["a=1", "b=x y", "_raw_params=c"]);
        assert_eq!(parse("echo a=b chdir=/tmp", true), ["chdir=/tmp", "_raw_params=echo a=b"]);
        assert_eq!(parse("a\\=b", false), ["_raw_params=a=b"]);
        assert_eq!(parse("a=x\\ny", false), ["a=x\ny"]);
        assert_eq!(parse("=x", false), ["_raw_params==x"]);
        assert_eq!(parse("a=", false), ["a="]);
    }
}
