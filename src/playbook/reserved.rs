//! Names that have a meaning in playbooks or templates and should not be used for variables.

use super::shape::{self, Shape};

/// The functions of templates.
const FUNCTIONS: &[&str] = &[
    "cycler",
    "dict",
    "joiner",
    "lipsum",
    "lookup",
    "namespace",
    "now",
    "omit",
    "q",
    "query",
    "range",
    "undef",
];

/// Whether a keyword or a function of templates has this name.
pub fn is_reserved_name(name: &str) -> bool {
    let shapes: [&Shape; 3] = [&shape::PLAY, &shape::BLOCK, &shape::TASK];
    let known = FUNCTIONS.contains(&name) || shapes.iter().any(|shape| shape.has(name));
    known && !matches!(name, "vars" | "gather_subset" | "user")
}
