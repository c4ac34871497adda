//! How many columns a text takes on a terminal.

use unicode_width::UnicodeWidthChar;

/// The columns of its characters, each by itself, as the terminal draws them.
pub fn width(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}
