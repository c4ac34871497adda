//! Jinja's syntax: what a template says, not yet what it means.
//!
//! A lexer and a parser of our own, since no crate reads all of what Jinja2 reads (neighbouring strings,
//! `without context`, tuples without parentheses, numbers of any size) nor words its errors the way playbook
//! authors know them. The tree they make, [`Program`], owns its text; `template` evaluates it.

mod escape;
mod expression;
mod header;
mod lexer;
mod parser;
mod plugins;
mod postfix;
pub mod program;
mod statements;
mod tags;
mod template;
mod token;

pub use escape::unescape;
pub use plugins::{Named, PluginKind};
pub use program::{Position, Program};
pub use template::{Expression, Syntax, Template, place_of};

/// How deeply expressions and blocks may be nested.
const MAX_DEPTH: usize = 500;

/// Goes on with a new piece of stack where the old one is nearly used up.
pub(crate) fn with_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, run)
}

/// How many operators, filters or attributes one value may go through.
const MAX_CHAIN: usize = 2000;
