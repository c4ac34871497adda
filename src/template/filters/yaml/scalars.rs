//! Writing a scalar in each of the five styles, folded at the width.

use super::analysis::{is_break, is_printable};
use super::emitter::Emitter;

impl Emitter {
    pub(super) fn plain(&mut self, text: &str, may_break: bool, in_flow: bool) {
        if !self.whitespace && (!text.is_empty() || in_flow) {
            self.put(' ');
        }
        self.lines(text, may_break, false);
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, may_break: bool) {
        self.indicator("'", true, false, false);
        self.lines(text, may_break, true);
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// Text whose line breaks are doubled, and that is folded at single spaces.
    fn lines(&mut self, text: &str, may_break: bool, quoted: bool) {
        let characters: Vec<char> = text.chars().collect();
        let (mut spaces, mut breaks) = (false, false);
        for (at, c) in characters.iter().copied().enumerate() {
            let next_is_space = characters.get(at + 1) == Some(&' ');
            if c == ' ' {
                let inside = !quoted || (at > 0 && at + 1 < characters.len());
                if may_break && !spaces && self.is_wide() && inside && !next_is_space {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break('\n');
                }
                self.put_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quoted && c == '\'' {
                    self.put(c);
                }
                self.put(c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
        if breaks && quoted {
            self.write_indent();
        }
    }

    pub(super) fn double_quoted(&mut self, text: &str, may_break: bool) {
        self.indicator("\"", true, false, false);
        let characters: Vec<char> = text.chars().collect();
        let mut spaces = false;
        for (at, c) in characters.iter().copied().enumerate() {
            if !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                escape(c).chars().for_each(|c| self.put(c));
                spaces = false;
            } else if c == ' ' {
                let inside = at > 0 && at + 1 < characters.len();
                if may_break && !spaces && self.is_wide() && inside {
                    self.write_indent();
                    if characters.get(at + 1) == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// The indentation, where the text begins with white space, and what becomes of the last line breaks.
    fn block_hints(&mut self, text: &str) {
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            let hint = self.options.indent.to_string();
            self.indicator(&hint, false, false, false);
        }
        let mut last = text.chars().rev();
        self.open_ended = false;
        match (last.next(), last.next()) {
            (Some(end), before) if is_break(end) => {
                if before.is_none_or(is_break) {
                    self.indicator("+", false, false, false);
                    self.open_ended = true;
                }
            }
            _ => self.indicator("-", false, false, false),
        }
    }

    fn block_start(&mut self, indicator: &str, text: &str) {
        self.indicator(indicator, true, false, false);
        self.block_hints(text);
        self.put_break('\n');
        self.indention = true;
        self.whitespace = true;
    }

    pub(super) fn literal(&mut self, text: &str) {
        self.block_start("|", text);
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.put_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }

    pub(super) fn folded(&mut self, text: &str) {
        self.block_start(">", text);
        let characters: Vec<char> = text.chars().collect();
        let (mut breaks, mut leading_spaces) = (true, true);
        for (at, c) in characters.iter().copied().enumerate() {
            if is_break(c) {
                if !breaks && !leading_spaces && c == '\n' {
                    let after = characters[at..].iter().find(|c| !is_break(**c));
                    if after.is_some_and(|c| *c != ' ' && *c != '\t') {
                        self.put_break('\n');
                    }
                }
                self.put_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                    leading_spaces = c == ' ' || c == '\t';
                }
                let next_is_space = characters.get(at + 1) == Some(&' ');
                if !breaks && c == ' ' && !next_is_space && self.is_wide() {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                self.indention = false;
                breaks = false;
            }
        }
    }
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            let code = other as u32;
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
