//! Where the characters of a scalar are in its document.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::{Arc, LazyLock};

use libyaml_safer::{Mark, ScalarStyle};
use playbook_api::Place;
use playbook_api::place::{Layout, Piece};

use crate::jinja::Template;

/// The longest text without a template whose layout is worth knowing: it may be a condition.
const LONGEST_CONDITION: usize = 2000;

/// The layout of a quoted text on one line, without escapes.
static QUOTED: LazyLock<Arc<Layout>> =
    LazyLock::new(|| Arc::new(Layout::new(vec![Piece { inside: (1, 1), below: 0, column: 1 }])));

/// The lines of a document.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lines { text, starts: Vec::new() }
    }

    /// The text from the beginning of a line (counted from zero) on. The lines are found at the first call.
    fn from(&mut self, line: usize) -> Option<&'t str> {
        if self.starts.is_empty() {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            self.starts = std::iter::once(0).chain(ends).collect();
        }
        self.text.get(*self.starts.get(line)?..)
    }
}

/// The layout of a quoted text that is on one line and has no escapes.
pub(super) fn quoted() -> Arc<Layout> {
    QUOTED.clone()
}

/// Finds out where the characters of a scalar are, which may have an anchor or a tag in front of it. Nothing where they stand one after the other from the scalar's
/// start on, or where no place inside the text can be asked for.
pub(super) fn of_scalar(
    lines: &mut Lines,
    value: &str,
    style: ScalarStyle,
    start: Mark,
    end: Mark,
    has_properties: bool,
) -> Option<Arc<Layout>> {
    let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let one_line = start.line == end.line;
    let direct = one_line && !quoted && !has_properties;
    if direct || value.len() > LONGEST_CONDITION && !Template::is_template(value) {
        return None;
    }
    if one_line && !has_properties && (end.column - start.column) as usize == value.chars().count() + 2 {
        return Some(QUOTED.clone());
    }
    let text = lines.from(start.line as usize)?;
    let mut source = Source::new(text, style);
    source.skip_to(start.column as u32);
    source.skip_introduction();
    align(value, &mut source).map(|pieces| Arc::new(Layout::new(pieces)))
}

/// The pieces of a value in its source: white space aside, both have the same characters in the same order.
fn align(value: &str, source: &mut Source) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut line, mut column) = (1, 1);
    for c in value.chars() {
        if !c.is_whitespace() {
            let (found, below, at) = source.next_visible()?;
            if found != c {
                return None;
            }
            let at = if below == 0 { at - source.start } else { at };
            push(&mut pieces, Piece { inside: (line, column), below, column: at });
        }
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    Some(pieces)
}

/// Adds a piece, unless the last one reaches to it.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    let reaches = pieces.last().is_some_and(|last| {
        last.inside.0 == piece.inside.0
            && last.below == piece.below
            && last.column + (piece.inside.1 - last.inside.1) == piece.column
    });
    if !reaches {
        pieces.push(piece);
    }
}

/// The place of a text that was taken out of another one (`msg` out of `msg={{ x }} level=1`). It is the place of the
/// whole, and knows where the part's own characters are.
pub(super) fn of_part(place: &Place, whole: &str, part: &str) -> Place {
    if place.line == 0 || !Template::is_template(part) {
        return place.clone();
    }
    let mut around: Vec<(char, u32, u32)> = Vec::new();
    let (mut line, mut column) = (1, 1);
    for c in whole.chars() {
        if !c.is_whitespace() {
            around.push((c, line, column));
        }
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    let visible: Vec<char> = part.chars().filter(|c| !c.is_whitespace()).collect();
    let starts = around.windows(visible.len().max(1));
    let same = |window: &&[(char, u32, u32)]| window.iter().zip(&visible).all(|(a, b)| a.0 == *b);
    let Some(found) = starts.into_iter().find(same) else { return place.clone() };
    let mut found = found.iter();
    let mut pieces = Vec::new();
    let (mut line, mut column) = (1, 1);
    for c in part.chars() {
        if !c.is_whitespace()
            && let Some((_, l, c)) = found.next()
        {
            let at = place.inside(*l, *c);
            let below = at.line.saturating_sub(place.line);
            let start = if below == 0 { at.column.saturating_sub(place.column) } else { at.column };
            push(&mut pieces, Piece { inside: (line, column), below, column: start });
        }
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    place.clone().with_layout(Arc::new(Layout::new(pieces)))
}

/// A scalar's source, read character by character.
struct Source<'t> {
    chars: Peekable<Chars<'t>>,
    style: ScalarStyle,
    /// The column of the scalar, counted from one.
    start: u32,
    /// The number of lines below the scalar's first.
    below: u32,
    /// The column of the next character, counted from one.
    column: u32,
}

impl<'t> Source<'t> {
    fn new(text: &'t str, style: ScalarStyle) -> Self {
        Source { chars: text.chars().peekable(), style, start: 1, below: 0, column: 1 }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            (self.below, self.column) = (self.below + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    /// Goes to the scalar's column, counted from zero.
    fn skip_to(&mut self, column: u32) {
        while self.column <= column && self.next().is_some() {}
        self.start = self.column;
    }

    /// Passes over what stands before the text: anchor and tag, the opening quote, or the line with `|` or `>`.
    fn skip_introduction(&mut self) {
        while matches!(self.chars.peek(), Some('&' | '!')) {
            while self.chars.peek().is_some_and(|c| !c.is_whitespace()) {
                self.next();
            }
            while self.chars.peek().is_some_and(|c| c.is_whitespace()) {
                self.next();
            }
        }
        match self.style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                self.next();
            }
            ScalarStyle::Literal | ScalarStyle::Folded => while self.next().is_some_and(|c| c != '\n') {},
            _ => {}
        }
    }

    /// The next character that is not white space, with its line and column.
    fn next_visible(&mut self) -> Option<(char, u32, u32)> {
        loop {
            let (below, column) = (self.below, self.column);
            let c = match (self.next()?, self.style) {
                ('\'', ScalarStyle::SingleQuoted) => {
                    self.chars.next_if_eq(&'\'')?;
                    self.column += 1;
                    '\''
                }
                ('\\', ScalarStyle::DoubleQuoted) => self.escaped()?,
                (c, _) => c,
            };
            if !c.is_whitespace() {
                return Some((c, below, column));
            }
        }
    }

    /// What a backslash and the characters behind it stand for.
    fn escaped(&mut self) -> Option<char> {
        let digits = match self.next()? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '0' => return Some('\0'),
            'a' => return Some('\u{7}'),
            'b' => return Some('\u{8}'),
            'e' => return Some('\u{1b}'),
            't' | 'n' | 'v' | 'f' | 'r' | 'N' | '_' | 'L' | 'P' | '\n' => return Some(' '),
            c => return Some(c),
        };
        let code = (0..digits).try_fold(0, |code, _| Some(code * 16 + self.next()?.to_digit(16)?))?;
        char::from_u32(code)
    }
}

#[cfg(test)]
mod tests {
    use crate::document::{Node, Trust, parse};

    /// The place of `{{` in the scalar that is the value of `k`.
    fn place(document: &str) -> (u32, u32) {
        let loaded = parse(document, "x.yml", Trust::Templates).unwrap();
        let node = loaded.node.get("k").unwrap();
        let text = Node::source(node).unwrap();
        let before = &text[..text.find("{{").unwrap()];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() as u32 + 1;
        let place = node.place().inside(line, column);
        (place.line, place.column)
    }

    #[test]
    fn places_inside_scalars_of_every_style_are_those_in_the_document() {
        for (document, expected) in [
            ("k: a {{ b }}\n", (1, 6)),
            ("k: 'a {{ b }}'\n", (1, 7)),
            ("k: 'it''s {{ b }}'\n", (1, 11)),
            ("k: \"a\\t\\\"é {{ b }}\"\n", (1, 12)),
            ("k: \"\\x41 {{ b }}\"\n", (1, 10)),
            ("k: |\n  one\n  two {{ b }}\n", (3, 7)),
            ("k: |\n\n  one\n\n    two {{ b }}\n", (5, 9)),
            ("k: |2-\n    one\n   two {{ b }}\n", (3, 8)),
            ("k: |+ # note\n    one\n    {{ b }}\n\n", (3, 5)),
            ("k: >\n  one\n  two\n  three {{ b }}\n", (4, 9)),
            ("k: >-\n  one\n\n  two\n    more {{ b }}\n", (5, 10)),
            ("k: \"one\n  two\n\n  three {{ b }}\"\n", (4, 9)),
            ("k: \"one \\\n  two {{ b }}\"\n", (2, 7)),
            ("k: 'one\n  two {{ b }}'\n", (2, 7)),
            ("k: one\n  two\n  three {{ b }}\n", (3, 9)),
            ("a: 1\nk:\n    - x\nb: 2\nk: |\n   x {{ b }}\n", (6, 6)),
            ("k: |\r\n  one\r\n  two {{ b }}\r\n", (3, 7)),
            ("{\"k\": \"x {{ b }}\"}", (1, 10)),
            ("k: &a !!str \"x {{ b }}\"\n", (1, 16)),
            ("k: &a x {{ b }}\n", (1, 9)),
        ] {
            assert_eq!(place(document), expected, "{document}");
        }
    }

    #[test]
    fn places_inside_arguments_on_one_line_are_those_in_the_document() {
        let document = "k: |\n  a=1\n  msg=\"x {{ b }}\" echo  {{ c }}\n";
        let loaded = parse(document, "x.yml", Trust::Templates).unwrap();
        let node = loaded.node.get("k").unwrap();
        let text = node.source().unwrap();
        let arguments = crate::document::parse_kv(text, node.place(), Trust::Templates, false).unwrap();
        assert_eq!(arguments["msg"].place().inside(1, 3).to_string(), "x.yml:3:10");
        assert_eq!(arguments["_raw_params"].source(), Some("echo  {{ c }}\n"));
        assert_eq!(arguments["_raw_params"].place().inside(1, 7).to_string(), "x.yml:3:25");
    }
}
