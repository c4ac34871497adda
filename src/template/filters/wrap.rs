//! Breaks text into lines, as Python's `textwrap` does.

use std::sync::OnceLock;

use fancy_regex::Regex;

#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub width: usize,
    pub break_long_words: bool,
    pub on_hyphens: bool,
}

/// Python's `str.splitlines()`.
pub(super) fn lines(text: &str) -> Vec<&str> {
    const BREAKS: &[char] =
        &['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(BREAKS) else {
            lines.push(rest);
            break;
        };
        let (line, end) = rest.split_at(at);
        lines.push(line);
        let mut after = end.chars();
        after.next();
        rest = end.strip_prefix("\r\n").unwrap_or(after.as_str());
    }
    lines
}

/// Breaks one line at spaces and hyphens.
pub(super) fn wrap(line: &str, style: Style) -> Vec<String> {
    let mut chunks = chunks(line, style.on_hyphens);
    chunks.reverse();
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            chunks.pop();
        }
        let (mut current, mut length): (Vec<String>, usize) = (Vec::new(), 0);
        while let Some(chunk) = chunks.last() {
            let size = chunk.chars().count();
            if length + size > style.width {
                break;
            }
            length += size;
            current.extend(chunks.pop());
        }
        if chunks.last().is_some_and(|chunk| chunk.chars().count() > style.width) {
            break_long(&mut chunks, &mut current, style.width.saturating_sub(length).max(1), style);
        }
        if current.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// Splits a word that is longer than a line.
fn break_long(chunks: &mut Vec<String>, current: &mut Vec<String>, room: usize, style: Style) {
    if !style.break_long_words {
        if current.is_empty() {
            current.extend(chunks.pop());
        }
        return;
    }
    let Some(chunk) = chunks.pop() else { return };
    let characters: Vec<char> = chunk.chars().collect();
    let mut end = room.min(characters.len());
    if style.on_hyphens
        && let Some(hyphen) = characters[..end].iter().rposition(|c| *c == '-')
        && hyphen > 0
        && characters[..hyphen].iter().any(|c| *c != '-')
    {
        end = hyphen + 1;
    }
    current.push(characters[..end].iter().collect());
    chunks.push(characters[end..].iter().collect());
}

fn chunks(line: &str, on_hyphens: bool) -> Vec<String> {
    static HYPHENS: OnceLock<Option<Regex>> = OnceLock::new();
    static SPACES: OnceLock<Option<Regex>> = OnceLock::new();
    let regex = if on_hyphens {
        HYPHENS.get_or_init(|| {
            let (ws, wp, lt) = (r"[\t\n\x0b\x0c\r ]", r#"[\w!"'&.,?]"#, r"[^\d\W]");
            Regex::new(&format!(
                r"{ws}+|(?<={wp})-{{2,}}(?=\w)|[^\t\n\x0b\x0c\r ]+?(?:-(?:(?<={lt}{{2}}-)|(?<={lt}-{lt}-))(?={lt}-?{lt})|(?={ws}|\z)|(?<={wp})(?=-{{2,}}\w))"
            ))
            .ok()
        })
    } else {
        SPACES.get_or_init(|| Regex::new(r"[\t\n\x0b\x0c\r ]+|[^\t\n\x0b\x0c\r ]+").ok())
    };
    let found = regex.iter().flat_map(|regex| regex.find_iter(line)).filter_map(Result::ok);
    found.map(|found| found.as_str().to_owned()).collect()
}
