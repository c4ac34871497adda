//! Filters, one family a file.

use super::Function;

/// The filter of a short or full name (`to_json`, `ansible.builtin.to_json`).
pub fn find(_name: &str) -> Option<&'static Function> {
    None
}
