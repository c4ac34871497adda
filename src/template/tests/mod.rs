//! Jinja tests, with one family per file.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Function;
use super::filters::{index, short_name};

/// Creates the table entry of a test that uses only its input, or, after `outside`, not even the input's members.
macro_rules! test {
    (outside $name:literal, $check:expr) => {
        test!($name, $check).needing($crate::template::Computed::Outside)
    };
    ($name:literal, $check:expr) => {
        $crate::template::Function::new($name, |call| {
            let [] = call.bind([], 0)?;
            let check: fn(&playbook_api::Value) -> bool = $check;
            Ok(playbook_api::Value::Bool(check(&call.input)))
        })
    };
}

mod comparisons;
mod files;
mod matching;
mod results;
mod types;
mod uri;
mod version;

pub(crate) use version::loose as loose_order;

const FAMILIES: &[&[Function]] = &[
    comparisons::TESTS,
    files::TESTS,
    matching::TESTS,
    results::TESTS,
    types::TESTS,
    uri::TESTS,
    version::TESTS,
];

/// Returns the test of a short or full name (`version`, `ansible.builtin.version`).
pub fn find(name: &str) -> Option<&'static Function> {
    static INDEX: OnceLock<HashMap<&str, &Function>> = OnceLock::new();
    INDEX.get_or_init(|| index(FAMILIES)).get(short_name(name)).copied()
}

/// Returns all short names, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|function| function.name)
}

/// Returns all tests.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().flat_map(|family| family.iter())
}
