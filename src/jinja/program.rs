//! The owned syntax tree.

/// A compiled template or expression.
#[derive(Debug)]
pub struct Program {}
