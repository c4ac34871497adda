//! Text that must be rendered, and bare expressions: types of their own, so that text is never taken for either.

use std::sync::{Arc, OnceLock};

use playbook_api::{Error, ErrorKind, Place};

use super::program::Position;
use super::token::Fault;
use super::{Program, lexer, parser};

/// Text from a trusted document that holds Jinja. It is compiled once, at first use: a broken template that
/// is not used does no harm, and one that is used fails with its place.
#[derive(Debug)]
pub struct Template {
    source: Arc<str>,
    place: Place,
    syntax: Arc<Syntax>,
    program: OnceLock<Result<Program, Error>>,
}

/// Delimiters and whitespace rules; a template file's `#jinja2:` header and the `template` module's arguments
/// change them.
#[derive(Clone, Debug, PartialEq)]
pub struct Syntax {
    /// `{%` and `%}`.
    pub block: (String, String),
    /// `{{` and `}}`.
    pub variable: (String, String),
    /// `{#` and `#}`.
    pub comment: (String, String),
    /// What starts a line that is a statement.
    pub line_statement: Option<String>,
    /// What starts a comment that reaches to the end of the line.
    pub line_comment: Option<String>,
    /// Whether the newline behind a block tag is left out.
    pub trim_blocks: bool,
    /// Whether the blanks before a block tag at the start of a line are left out.
    pub lstrip_blocks: bool,
    /// Jinja's own option: whether the last newline is part of the text. Where it is not, a text that a
    /// template renders to still ends with as many newlines as the template does.
    pub keep_trailing_newline: bool,
    /// What ends the lines of the output.
    pub newline: String,
    /// Whether backslashes in the string constants of `{{ … }}` stand for themselves, as they do in YAML (which
    /// has its own escapes); template files read them as Python does.
    pub escape_backslashes: bool,
}

impl Default for Syntax {
    fn default() -> Self {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        Syntax {
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            line_statement: None,
            line_comment: None,
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline: "\n".into(),
            escape_backslashes: true,
        }
    }
}

impl Syntax {
    /// The default, shared by all templates of documents.
    pub fn shared_default() -> Arc<Syntax> {
        static DEFAULT: OnceLock<Arc<Syntax>> = OnceLock::new();
        DEFAULT.get_or_init(Arc::default).clone()
    }

    /// How template files are read.
    pub fn file() -> Self {
        Syntax { escape_backslashes: false, ..Syntax::default() }
    }

    /// Takes the delimiters that options ask for, by the names that `template` has for them.
    pub fn with_delimiters(mut self, option: impl Fn(&str) -> Option<String>) -> Self {
        for (name, delimiter) in [
            ("variable_start_string", &mut self.variable.0),
            ("variable_end_string", &mut self.variable.1),
            ("block_start_string", &mut self.block.0),
            ("block_end_string", &mut self.block.1),
            ("comment_start_string", &mut self.comment.0),
            ("comment_end_string", &mut self.comment.1),
        ] {
            if let Some(text) = option(name) {
                *delimiter = text;
            }
        }
        self
    }
}

impl Template {
    /// Creates a template with the default syntax.
    pub fn new(source: impl Into<Arc<str>>, place: Place) -> Self {
        Template::with_shared_syntax(source, place, Syntax::shared_default())
    }

    /// Creates a template with its own syntax.
    pub fn with_syntax(source: impl Into<Arc<str>>, place: Place, syntax: Syntax) -> Self {
        Template::with_shared_syntax(source, place, Arc::new(syntax))
    }

    /// Creates a template with a syntax that others have too.
    pub fn with_shared_syntax(source: impl Into<Arc<str>>, place: Place, syntax: Arc<Syntax>) -> Self {
        Template { source: source.into(), place, syntax, program: OnceLock::new() }
    }

    /// Whether text from a trusted document is a template.
    ///
    /// ```
    /// use playbook::jinja::Template;
    /// assert!(Template::is_template("hello {{ name }}"));
    /// assert!(!Template::is_template("{ json: true }"));
    /// ```
    pub fn is_template(text: &str) -> bool {
        text.match_indices('{').any(|(i, _)| matches!(text.as_bytes().get(i + 1), Some(b'{' | b'%' | b'#')))
            || text.starts_with("#jinja2:")
    }

    /// Returns the text.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Returns the place of the text.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the syntax.
    pub fn syntax(&self) -> &Arc<Syntax> {
        &self.syntax
    }

    /// The syntax tree, or what is wrong with the text.
    pub fn program(&self) -> Result<&Program, Error> {
        let program = self.program.get_or_init(|| {
            let (text, syntax) = self
                .syntax
                .header(&self.source)
                .map_err(|message| syntax_error("Syntax error in template", message).at(&self.place))?;
            let first_line = if text.len() == self.source.len() { 1 } else { 2 };
            lexer::template(text, &syntax, first_line)
                .and_then(|tokens| parser::template(tokens, &self.place))
                .map_err(|fault| self.fault(fault))
        });
        program.as_ref().map_err(Error::clone)
    }

    fn fault(&self, fault: Fault) -> Error {
        let place = place_of(&self.place, fault.position);
        syntax_error("Syntax error in template", fault.message).at(&place)
    }
}

fn syntax_error(what: &str, message: String) -> Error {
    Error::new(what).with_kind(ErrorKind::Syntax).caused_by(Error::new(message).with_kind(ErrorKind::Syntax))
}

/// Returns the place in the document of a position inside a text.
pub fn place_of(place: &Place, position: Position) -> Place {
    place.inside(position.line, position.column)
}

/// A bare expression, as `when`, `until` and `assert.that` hold it.
#[derive(Debug)]
pub struct Expression {
    source: Arc<str>,
    place: Place,
    program: OnceLock<Result<Program, Error>>,
}

impl Expression {
    /// Creates an expression.
    pub fn new(source: impl Into<Arc<str>>, place: Place) -> Self {
        Expression { source: source.into(), place, program: OnceLock::new() }
    }

    /// Returns the text.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Returns the place of the text.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The syntax tree, or what is wrong with the text.
    pub fn program(&self) -> Result<&Program, Error> {
        let program = self.program.get_or_init(|| {
            lexer::expression(&self.source)
                .and_then(|tokens| parser::expression(tokens, &self.place))
                .map_err(|fault| self.fault(fault))
        });
        program.as_ref().map_err(Error::clone)
    }

    fn fault(&self, fault: Fault) -> Error {
        let what = match Template::is_template(&self.source) {
            true => "Syntax error in expression. Template delimiters are not supported in expressions",
            false => "Syntax error in expression",
        };
        syntax_error(what, fault.message).at(&place_of(&self.place, fault.position))
    }
}
