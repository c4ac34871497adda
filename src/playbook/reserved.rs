//! Names that mean something to playbooks or templates, and so should not be variables'.

use super::read::fields::{self, Shape};

/// Functions that templates have.
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
    let shapes: [&Shape; 3] = [&fields::PLAY, &fields::BLOCK, &fields::TASK_SHAPE];
    let known = FUNCTIONS.contains(&name) || shapes.iter().any(|shape| shape.has(name));
    known && !matches!(name, "vars" | "gather_subset" | "user")
}
