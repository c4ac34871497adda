//! Tokens to statements.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use playbook_api::Place;

use super::program::{Block, Body, Position, Program, Statement};
use super::token::{Fault, Token};
use super::with_stack;

/// Reads a template's tokens.
pub(super) fn template(tokens: Vec<(Token, Position)>, place: &Place) -> Result<Program, Fault> {
    let mut parser = Parser::new(tokens, place);
    let body = parser.statements_until(&[])?;
    Ok(Program { body: Body::Template(body), blocks: parser.blocks })
}

/// Reads a bare expression's tokens.
pub(super) fn expression(tokens: Vec<(Token, Position)>, place: &Place) -> Result<Program, Fault> {
    let mut parser = Parser::new(tokens, place);
    let expr = parser.expression()?;
    if parser.token() != &Token::End {
        return parser.fault("chunk after expression");
    }
    Ok(Program { body: Body::Expression(expr), blocks: HashMap::new() })
}

pub(super) struct Parser<'p> {
    tokens: Vec<(Token, Position)>,
    at: usize,
    pub(super) place: &'p Place,
    /// The tags that are open, and what would close each of them.
    open: Vec<Arc<str>>,
    ends: Vec<&'static [&'static str]>,
    pub(super) blocks: HashMap<Arc<str>, Arc<Block>>,
    /// The names each macro around this point asks for.
    pub(super) names: Vec<HashSet<Arc<str>>>,
    pub(super) depth: usize,
}

impl<'p> Parser<'p> {
    fn new(tokens: Vec<(Token, Position)>, place: &'p Place) -> Self {
        Parser {
            tokens,
            at: 0,
            place,
            open: Vec::new(),
            ends: Vec::new(),
            blocks: HashMap::new(),
            names: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |t| &t.0)
    }

    pub(super) fn look(&self) -> &Token {
        self.tokens.get(self.at + 1).map_or(&Token::End, |t| &t.0)
    }

    pub(super) fn position(&self) -> Position {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(Position::default(), |t| t.1)
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.token().clone();
        self.at = (self.at + 1).min(self.tokens.len());
        token
    }

    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { message: message.into(), position: self.position() })
    }

    pub(super) fn is_op(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Op(op) if *op == sign)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.token(), Token::Name(n) if &**n == name)
    }

    pub(super) fn skip_op(&mut self, sign: &str) -> bool {
        let found = self.is_op(sign);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expected<T>(&self, what: &str) -> Result<T, Fault> {
        match self.token() {
            Token::End => self.fault(format!("unexpected end of template, expected '{what}'.")),
            token => self.fault(format!("expected token '{what}', got '{}'", token.describe())),
        }
    }

    pub(super) fn expect_op(&mut self, sign: &str) -> Result<(), Fault> {
        if self.skip_op(sign) { Ok(()) } else { self.expected(sign) }
    }

    pub(super) fn expect_name(&mut self, name: &str) -> Result<(), Fault> {
        if self.skip_name(name) { Ok(()) } else { self.expected(name) }
    }

    pub(super) fn any_name(&mut self) -> Result<Arc<str>, Fault> {
        match self.token() {
            Token::Name(_) => match self.advance() {
                Token::Name(name) => Ok(name),
                _ => self.expected("name"),
            },
            _ => self.expected("name"),
        }
    }

    fn expect_end(&mut self, token: &Token) -> Result<(), Fault> {
        if self.token() == token {
            self.advance();
            return Ok(());
        }
        self.expected(token.describe())
    }

    /// Notes that the macros around here ask for a name.
    pub(super) fn note_name(&mut self, name: &Arc<str>) {
        for names in &mut self.names {
            names.insert(name.clone());
        }
    }

    /// A tag's body: to the end of the opening tag, then statements up to one of `ends`, whose name is taken.
    pub(super) fn block(
        &mut self,
        ends: &'static [&'static str],
    ) -> Result<(Vec<Statement>, Arc<str>), Fault> {
        self.skip_op(":");
        self.expect_end(&Token::BlockEnd)?;
        self.ends.push(ends);
        let body = self.statements_until(ends)?;
        if self.token() == &Token::End {
            return self.unknown_tag(None);
        }
        self.ends.pop();
        Ok((body, self.any_name()?))
    }

    pub(super) fn body(&mut self, end: &'static [&'static str]) -> Result<Vec<Statement>, Fault> {
        Ok(self.block(end)?.0)
    }

    fn statements_until(&mut self, ends: &[&str]) -> Result<Vec<Statement>, Fault> {
        let mut body = Vec::new();
        loop {
            match self.token() {
                Token::End => return Ok(body),
                Token::Data(text) => {
                    body.push(Statement::Text(text.clone().into()));
                    self.advance();
                }
                Token::VariableBegin => {
                    self.advance();
                    body.push(Statement::Emit(self.tuple(true, &[], false)?));
                    self.expect_end(&Token::VariableEnd)?;
                }
                Token::BlockBegin => {
                    self.advance();
                    if matches!(self.token(), Token::Name(name) if ends.contains(&&**name)) {
                        return Ok(body);
                    }
                    with_stack(|| self.statement(&mut body))?;
                    self.expect_end(&Token::BlockEnd)?;
                }
                token => return self.fault(format!("unexpected '{}'", token.describe())),
            }
        }
    }

    fn unknown_tag<T>(&self, name: Option<&str>) -> Result<T, Fault> {
        let mut message = match name {
            Some(name) => format!("Encountered unknown tag '{name}'."),
            None => "Unexpected end of template.".to_owned(),
        };
        if let Some(ends) = self.ends.last() {
            let looking: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
            let looking = looking.join(" or ");
            let nested = name.is_some_and(|name| self.ends.iter().any(|ends| ends.contains(&name)));
            message += &if nested {
                format!(
                    " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking \
                     for {looking}."
                )
            } else {
                format!(" Jinja was looking for the following tags: {looking}.")
            };
        }
        if let Some(open) = self.open.last() {
            message += &format!(" The innermost block that needs to be closed is '{open}'.");
        }
        self.fault(message)
    }

    fn statement(&mut self, body: &mut Vec<Statement>) -> Result<(), Fault> {
        let position = self.position();
        let Token::Name(tag) = self.token().clone() else {
            return self.fault("tag name expected");
        };
        self.depth += 1;
        if self.depth > super::MAX_DEPTH {
            return self.fault("the template is nested too deeply");
        }
        self.advance();
        self.open.push(tag.clone());
        body.push(match &*tag {
            "for" => self.parse_for(position)?,
            "if" => self.parse_if()?,
            "set" => self.parse_set()?,
            "with" => self.parse_with()?,
            "block" => self.parse_block(position)?,
            "macro" => Statement::Macro(self.parse_macro()?),
            "call" => self.parse_call()?,
            "filter" => self.parse_filter_block()?,
            "include" => self.parse_include(position)?,
            "import" => self.parse_import(position)?,
            "from" => self.parse_from(position)?,
            "extends" => Statement::Extends(self.expression()?, position),
            "do" => Statement::Do(self.tuple(true, &[], false)?),
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "autoescape" => {
                self.expression()?;
                Statement::Scope(self.body(&["endautoescape"])?)
            }
            "print" => {
                let mut printed = Vec::new();
                while self.token() != &Token::BlockEnd {
                    printed.push(Statement::Emit(self.expression()?));
                    if !self.skip_op(",") {
                        break;
                    }
                }
                Statement::Scope(printed)
            }
            _ => {
                self.open.pop();
                self.at -= 1;
                return self.unknown_tag(Some(&tag));
            }
        });
        self.open.pop();
        self.depth -= 1;
        Ok(())
    }
}
