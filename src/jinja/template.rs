//! Text that must be rendered, and bare expressions: types of their own, so that text is never taken for either.

use std::sync::{Arc, OnceLock};

use playbook_api::{Error, Place};

use super::Program;

/// Text from a trusted document that holds Jinja. It is compiled once, at first use: a broken template that
/// nobody uses still loads, and one that is used fails with its place.
#[derive(Debug)]
pub struct Template {
    source: Arc<str>,
    place: Place,
    syntax: Syntax,
    program: OnceLock<Result<Program, Error>>,
}

/// Delimiters and whitespace rules; a template file's `#jinja2:` header and the `template` module's arguments
/// change them.
#[derive(Clone, Debug, PartialEq)]
pub struct Syntax {
    pub block: (String, String),
    pub variable: (String, String),
    pub comment: (String, String),
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    pub newline: String,
}

impl Default for Syntax {
    fn default() -> Self {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        Syntax {
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: true,
            newline: "\n".into(),
        }
    }
}

impl Template {
    pub fn new(source: impl Into<Arc<str>>, place: Place) -> Self {
        Template::with_syntax(source, place, Syntax::default())
    }

    pub fn with_syntax(source: impl Into<Arc<str>>, place: Place, syntax: Syntax) -> Self {
        Template { source: source.into(), place, syntax, program: OnceLock::new() }
    }

    /// Whether text from a trusted document is a template.
    pub fn is_template(text: &str) -> bool {
        text.contains("{{") || text.contains("{%") || text.contains("{#")
    }

    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    pub fn place(&self) -> &Place {
        &self.place
    }
}

/// A bare expression, as `when`, `until` and `assert.that` hold it.
#[derive(Debug)]
pub struct Expression {
    source: Arc<str>,
    place: Place,
    program: OnceLock<Result<Program, Error>>,
}

impl Expression {
    pub fn new(source: impl Into<Arc<str>>, place: Place) -> Self {
        Expression { source: source.into(), place, program: OnceLock::new() }
    }

    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    pub fn place(&self) -> &Place {
        &self.place
    }
}
