//! The words of a template.

use std::sync::Arc;

use playbook_api::Value;

use super::program::Position;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Data(Arc<str>),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(Arc<str>),
    Str(String),
    Integer(Value),
    Float(f64),
    Op(&'static str),
    End,
}

impl Token {
    /// As Jinja's messages name it.
    pub(super) fn describe(&self) -> &str {
        match self {
            Token::Data(_) => "template data / text",
            Token::VariableBegin => "begin of print statement",
            Token::VariableEnd => "end of print statement",
            Token::BlockBegin => "begin of statement block",
            Token::BlockEnd => "end of statement block",
            Token::Name(name) => name,
            Token::Str(_) => "string",
            Token::Integer(_) => "integer",
            Token::Float(_) => "float",
            Token::Op(sign) => sign,
            Token::End => "end of template",
        }
    }
}

/// What is wrong with a template's text, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub message: String,
    pub position: Position,
}
