//! Python's regular expressions on fancy-regex.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use fancy_regex::{Captures, Regex};
use playbook_api::{Error, sync};

use super::budget;

mod dialect;

/// The flags of a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// Whether case is ignored.
    pub ignore_case: bool,
    /// Whether `^` and `$` match at every line.
    pub multiline: bool,
}

/// A compiled Python pattern. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Regex>);

/// Compiles a pattern, or returns it from the cache.
pub fn compile(pattern: &str, flags: Flags) -> Result<Pattern, Error> {
    static CACHE: OnceLock<Mutex<HashMap<(String, Flags), Pattern>>> = OnceLock::new();
    const MOST: usize = 1000;
    let cache = CACHE.get_or_init(Mutex::default);
    let key = (pattern.to_owned(), flags);
    if let Some(found) = sync::lock(cache).get(&key) {
        return Ok(found.clone());
    }
    let regex =
        Regex::new(&dialect::translate(pattern, flags)).map_err(|e| explain(pattern, &e.to_string()))?;
    let compiled = Pattern(Arc::new(regex));
    let mut cache = sync::lock(cache);
    if cache.len() >= MOST {
        cache.clear();
    }
    cache.insert(key, compiled.clone());
    Ok(compiled)
}

/// Returns the error message: Python's for the most common errors, the library's for others.
fn explain(pattern: &str, message: &str) -> Error {
    let fault = |what: &str, at: usize| Error::new(format!("{what} at position {at}"));
    let mut open = Vec::new();
    let mut class = None;
    let mut escaped = false;
    let mut repeatable = false;
    for (at, c) in pattern.chars().enumerate() {
        let starts_item = !matches!(c, '(' | '|' | '*' | '+' | '?');
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if class.is_some_and(|start| at > start + 1) => class = None,
            _ if class.is_some() => {}
            '[' => class = Some(at),
            '(' => open.push(at),
            ')' if open.pop().is_none() => return fault("unbalanced parenthesis", at),
            '*' | '+' if !repeatable => return fault("nothing to repeat", at),
            '?' if !repeatable
                && !pattern.chars().nth(at.wrapping_sub(1)).is_some_and(|c| "(*+?".contains(c)) =>
            {
                return fault("nothing to repeat", at);
            }
            _ => {}
        }
        repeatable = starts_item;
    }
    match (class, open.first()) {
        (Some(at), _) => fault("unterminated character set", at),
        (None, Some(at)) => fault("missing ), unterminated subpattern", *at),
        _ if escaped => fault("bad escape (end of pattern)", pattern.chars().count().saturating_sub(1)),
        _ => Error::new(format!("invalid regular expression '{pattern}': {message}")),
    }
}

impl Pattern {
    /// Returns the first match at or after a byte position.
    pub fn search<'t>(&self, text: &'t str, from: usize) -> Result<Option<Captures<'t, str>>, Error> {
        self.0
            .captures_from_pos(text, from)
            .map_err(|e| Error::new(format!("the regular expression failed: {e}")))
    }

    /// Returns the number of groups, without the whole match.
    pub fn groups(&self) -> usize {
        self.0.captures_len().saturating_sub(1)
    }

    /// Returns the number of the group with a name.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.0.capture_names().position(|group| group == Some(name))
    }

    /// Returns all matches in the manner of Python's `finditer`: an empty match may directly follow another one.
    pub fn matches<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t, str>>, Error> {
        let mut found = Vec::new();
        let mut from = 0;
        let mut after_empty = false;
        while from <= text.len() {
            let Some(captures) = self.search(text, from)? else { break };
            let Some((start, end)) = captures.get(0).map(|whole| (whole.start(), whole.end())) else { break };
            if start == end && start == from && after_empty {
                from += text[from..].chars().next().map_or(1, char::len_utf8);
                after_empty = false;
                continue;
            }
            after_empty = start == end;
            from = end;
            found.push(captures);
        }
        Ok(found)
    }

    /// Python's `subn`: makes at most `count` replacements (zero means all), and returns their number.
    pub fn replace(&self, text: &str, replacement: &str, count: usize) -> Result<(String, usize), Error> {
        let parts = self.replacement(replacement)?;
        let mut out = String::new();
        let (mut last, mut done) = (0, 0);
        for captures in self.matches(text)? {
            if count != 0 && done == count {
                break;
            }
            let Some(whole) = captures.get(0) else { break };
            let before = out.len();
            out.push_str(&text[last..whole.start()]);
            for part in &parts {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::Group(number) => {
                        out.push_str(captures.get(*number).map_or("", |group| group.as_str()))
                    }
                }
            }
            last = whole.end();
            done += 1;
            budget::grown(before, out.len())?;
        }
        out.push_str(&text[last..]);
        Ok((out, done))
    }

    /// Reads `\1`, `\g<name>` and character escapes in a replacement.
    fn replacement(&self, text: &str) -> Result<Vec<Part>, Error> {
        let characters: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        let group = |number: usize, at: usize| {
            if number > self.groups() {
                return Err(Error::new(format!("invalid group reference {number} at position {at}")));
            }
            Ok(Part::Group(number))
        };
        while let Some(c) = characters.get(at).copied() {
            let start = at;
            at += 1;
            if c != '\\' {
                literal.push(c);
                continue;
            }
            let Some(escape) = characters.get(at).copied() else {
                return Err(Error::new(format!("bad escape (end of pattern) at position {start}")));
            };
            at += 1;
            let digit = |at: usize, radix: u32| characters.get(at).and_then(|c| c.to_digit(radix));
            let part = match escape {
                'g' => {
                    let close = characters[at..].iter().position(|c| *c == '>').map(|close| close + at);
                    let (Some('<'), Some(close)) = (characters.get(at), close) else {
                        return Err(Error::new(format!("missing < at position {at}")));
                    };
                    let name: String = characters[at + 1..close].iter().collect();
                    let number = match name.parse() {
                        Ok(number) => number,
                        Err(_) => self
                            .group(&name)
                            .ok_or_else(|| Error::new(format!("unknown group name '{name}'")))?,
                    };
                    at = close + 1;
                    Some(group(number, start + 1)?)
                }
                '0' => {
                    let mut code = 0;
                    while at < start + 4
                        && let Some(value) = digit(at, 8)
                    {
                        code = code * 8 + value;
                        at += 1;
                    }
                    literal.extend(char::from_u32(code));
                    None
                }
                '1'..='9' => {
                    let mut number = escape.to_digit(10).unwrap_or(0) as usize;
                    if let Some(second) = digit(at, 10) {
                        number = number * 10 + second as usize;
                        at += 1;
                    }
                    Some(group(number, start + 1)?)
                }
                'n' | 't' | 'r' | 'a' | 'f' | 'v' | 'b' | '\\' => {
                    literal.push(match escape {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'a' => '\u{7}',
                        'f' => '\u{c}',
                        'v' => '\u{b}',
                        'b' => '\u{8}',
                        other => other,
                    });
                    None
                }
                letter if letter.is_ascii_alphabetic() => {
                    return Err(Error::new(format!("bad escape \\{letter} at position {start}")));
                }
                other => {
                    literal.extend(['\\', other]);
                    None
                }
            };
            if let Some(part) = part {
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(part);
            }
        }
        parts.push(Part::Text(literal));
        Ok(parts)
    }
}

enum Part {
    Text(String),
    Group(usize),
}

/// Python's `re.escape`.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, text: &str) -> Vec<String> {
        let pattern = compile(pattern, Flags::default()).expect(pattern);
        let found = pattern.matches(text).expect("matches");
        found.iter().map(|captures| captures[0].to_owned()).collect()
    }

    #[test]
    fn python_dialect() {
        assert_eq!(find(r"a$", "a\n"), ["a"]);
        assert_eq!(find(r"a\Z", "a\n"), [""; 0]);
        assert_eq!(find(r"[[]x[]]", "[x]"), ["[x]"]);
        assert_eq!(find(r"[]a-]+", "]a-b"), ["]a-"]);
        assert_eq!(find(r"{{.*}}", "a {{ b }}"), ["{{ b }}"]);
        assert_eq!(find(r"a{,2}b", "aab"), ["aab"]);
        assert_eq!(find(r"(?P<q>['\x22]).*?(?P=q)", r#"x "y" z"#), ["\"y\""]);
        assert_eq!(find(r"\<\/\-\ \#", "</- #"), ["</- #"]);
        assert_eq!(find(r"(?<=a)b(?!c)", "abc ab"), ["b"]);
        assert_eq!(find(r"(?i)HELLO(?#greeting)", "hello"), ["hello"]);
        assert_eq!(find(r"x*", "axb"), ["", "x", "", ""]);
        assert_eq!(find(r"[a&&b]", "&"), ["&"]);
        assert_eq!(find(r"(?m)^b$", "a\nb\nc"), ["b"]);
    }

    #[test]
    fn replacements() {
        let replace = |pattern, replacement, text| {
            compile(pattern, Flags::default())
                .and_then(|pattern| pattern.replace(text, replacement, 0))
                .map_or_else(|e| e.to_string(), |(text, _)| text)
        };
        assert_eq!(replace("(a)(?P<n>b)?", r"<\1\g<n>\g<2>>", "ab a"), "<abb> <a>");
        assert_eq!(replace("x*", "-", "abxd"), "-a-b--d-");
        assert_eq!(replace("a", r"\2", "a"), "invalid group reference 2 at position 1");
        assert_eq!(replace("a", r"\q", "a"), r"bad escape \q at position 0");
        assert_eq!(replace("a", r"\.\n", "a"), "\\.\n");
        assert_eq!(replace("(", "", "a"), "missing ), unterminated subpattern at position 0");
        assert_eq!(replace("*", "", "a"), "nothing to repeat at position 0");
        assert_eq!(replace("[a", "", "a"), "unterminated character set at position 0");
    }
}
