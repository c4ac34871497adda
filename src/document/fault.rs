//! What is wrong with a broken document, in words that help.

use std::sync::{Arc, LazyLock};

use fancy_regex::Regex;
use playbook_api::{Error, ErrorKind, Place};

/// A parser's error, with its place.
pub(super) fn syntax(file: &Arc<str>, error: &libyaml_safer::Error) -> Error {
    let place = match error.problem_mark() {
        Some(mark) => Place::new(file.clone(), mark.line as u32 + 1, mark.column as u32 + 1),
        None => Place::file_only(file.clone()),
    };
    let message = match error.context() {
        Some(context) => format!("{context} {}", error.problem()),
        None => error.problem().to_owned(),
    };
    Error::new(sentence(&message)).with_kind(ErrorKind::Syntax).at(&place)
}

/// `YAML parsing failed: While scanning a simple key could not find expected ':'.`
pub(super) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("YAML parsing failed: {first}{}.", chars.as_str())
}

/// Searches the line of an error for common mistakes, and names the one that is found.
pub(super) fn explain(text: &str, error: Error) -> Error {
    let Some(place) = error.place() else { return error };
    // In JSON, these mistakes look like what is right.
    let start = text.trim_start();
    let is_json = start.starts_with('[') || start.starts_with('{') && !start.starts_with("{{");
    if error.help().is_some() || is_json {
        return error;
    }
    let line_at = |number: u32| text.lines().nth(number.checked_sub(1)? as usize);
    let mistake = line_at(place.line).and_then(Mistake::find).map(|(m, at)| (m, at, place.line));
    // A parser often notices on the next line only.
    let before = || {
        let line = (1..place.line).rev().find(|n| line_at(*n).is_some_and(|l| !l.trim().is_empty()))?;
        let (mistake, at) = Mistake::find(line_at(line)?)?;
        (mistake == Mistake::Template).then_some((mistake, at, line))
    };
    let Some((mistake, column, line)) = mistake.or_else(before) else { return error };
    let place = Place::new(place.file.clone(), line, column as u32);
    let (message, help) = mistake.words();
    Error::new(sentence(message)).with_kind(ErrorKind::Syntax).at(&place).with_help(help)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    Tab,
    Template,
    Colon,
    /// `"foo" in bar`
    QuoteAround,
    /// `"foo" in "bar"`
    QuoteInside,
}

static TEMPLATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\s*(?:-\s+)*(?:[\w\s]+:\s+)?(\{\{.*\}\})").ok());
static VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\s*(?:-\s+)*(?:[\w\s\[\]{}]+:\s+)?(.*)$").ok());
static QUOTED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^\s*(?:-\s+)*(?:[\w\s]+:\s+)?(["'].*)$"#).ok());

fn capture<'a>(regex: &LazyLock<Option<Regex>>, line: &'a str) -> Option<(&'a str, usize)> {
    let found = regex.as_ref()?.captures(line).ok()??.get(1)?;
    Some((found.as_str(), line[..found.start()].chars().count() + 1))
}

impl Mistake {
    /// The mistake in a line, and its column.
    fn find(line: &str) -> Option<(Mistake, usize)> {
        if let Some(at) = line.find('\t') {
            return Some((Mistake::Tab, line[..at].chars().count() + 1));
        }
        if let Some((_, column)) = capture(&TEMPLATE, line) {
            return Some((Mistake::Template, column));
        }
        if let Some((value, column)) = capture(&VALUE, line)
            && !line.trim_start().starts_with(':')
            && !is_quoted_whole(value)
        {
            let colon = value.find(": ").or_else(|| value.ends_with(':').then(|| value.len() - 1));
            if let Some(at) = colon {
                return Some((Mistake::Colon, column + value[..at].chars().count()));
            }
        }
        let (value, column) = capture(&QUOTED, line)?;
        let (first, last) = (value.chars().next()?, value.chars().next_back()?);
        if first != last {
            Some((Mistake::QuoteAround, column))
        } else {
            (line.matches(first).count() > 2).then_some((Mistake::QuoteInside, column))
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Mistake::Tab => {
                ("Tabs are usually invalid in YAML", "Indent with spaces; no tab may stand before a value.")
            }
            Mistake::Template => (
                "This may be an issue with missing quotes around a template block",
                "Put quotes around a value that starts with a template: name: \"{{ variable }}\"",
            ),
            Mistake::Colon => (
                "Colons in unquoted values must be followed by a non-space character",
                "Put quotes around a value that holds a colon and a space: msg: \"note: done\"",
            ),
            Mistake::QuoteAround => (
                "Values starting with a quote must end with the same quote",
                "Put quotes of the other kind around the whole value: when: '\"text\" in list'",
            ),
            Mistake::QuoteInside => (
                "Values starting with a quote must end with the same quote, and not contain that quote",
                "Put quotes of the other kind around the whole value: when: '\"a\" in \"abc\"'",
            ),
        }
    }
}

fn is_quoted_whole(value: &str) -> bool {
    let value = value.trim();
    ['\'', '"'].into_iter().any(|q| {
        value.len() > 1 && value.starts_with(q) && value.ends_with(q) && value.matches(q).count() == 2
    })
}

#[cfg(test)]
mod tests {
    use crate::document::{Trust, parse};

    #[test]
    fn a_mistake_in_json_is_where_the_parser_finds_it() {
        for (text, line, column) in
            [("{\"a\": 1, \"b\" 2}", 1, 14), ("{\"a\": 1,\n \"b\": [1, }", 2, 11), ("{\"a\": 1}}", 1, 9)]
        {
            let error = parse(text, "a.json", Trust::Templates).unwrap_err();
            let place = error.place().unwrap();
            assert_eq!((place.line, place.column), (line, column), "{text}: {error}");
        }
    }

    /// Places and mistakes as ansible-core 2.19 reports them.
    #[test]
    fn common_mistakes_are_named_where_they_are() {
        let start = "- hosts: localhost\n  tasks:\n  - debug:\n";
        for (end, line, column, words) in [
            ("\tmsg: x\n", 4, 1, "Tabs"),
            ("      msg: \"x\" y\n", 4, 12, "must end with the same quote."),
            ("      msg: \"x\" in \"y\"\n", 4, 12, "not contain that quote."),
            ("      msg: foo: bar\n", 4, 15, "Colons"),
            ("     msg: {{ foo }}\n", 4, 11, "template block"),
            ("     msg: {{ foo }}/x\n     y: z\n", 4, 11, "template block"),
            ("     msg: @foo\n", 4, 11, ""),
            ("     msg: *foo\n", 4, 11, "Found undefined alias"),
            (
                "     msg: foo\n    name: x\n   bad: y\n",
                6,
                4,
                "While parsing a block mapping did not find expected key.",
            ),
            ("     msg: \"foo\n", 5, 1, "While scanning a quoted scalar found unexpected end of stream."),
        ] {
            let error = parse(&format!("{start}{end}"), "b.yml", Trust::Templates).unwrap_err();
            let place = error.place().unwrap();
            assert_eq!((place.line, place.column), (line, column), "{end}: {error}");
            assert!(error.message().contains(words), "{end}: {error}");
            assert!(error.message().starts_with("YAML parsing failed: "));
        }
    }
}
