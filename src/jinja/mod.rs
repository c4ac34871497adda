//! Jinja's syntax: what a template says, not yet what it means.
//!
//! minijinja lexes and parses; its borrowed syntax tree is turned once into an owned [`Program`], which
//! `template` evaluates with Ansible's semantics.

mod program;
mod template;

pub use program::Program;
pub use template::{Expression, Syntax, Template};
