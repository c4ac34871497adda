//! The width of text on a terminal.

use unicode_width::UnicodeWidthChar;

/// Returns the number of columns that a text takes: the sum of the widths of its characters.
pub(super) fn width(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}
