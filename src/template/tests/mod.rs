//! Jinja tests, one family a file.

use super::Function;

/// The test of a short or full name (`version`, `ansible.builtin.version`).
pub fn find(_name: &str) -> Option<&'static Function> {
    None
}
