//! Tokens to statements.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use playbook_api::Place;

use super::lexer::{Fault, Token};
use super::program::{Block, Body, Expr, For, MacroCode, Position, Program, Statement, Target};

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
    blocks: HashMap<Arc<str>, Arc<Block>>,
    /// The names each macro around this point asks for.
    names: Vec<HashSet<Arc<str>>>,
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

    fn expected<T>(&self, what: &str) -> Result<T, Fault> {
        match self.token() {
            Token::End => self.fault(format!("unexpected end of template, expected '{what}'.")),
            token => self.fault(format!("expected token '{what}', got '{}'", token.describe())),
        }
    }

    pub(super) fn expect_op(&mut self, sign: &str) -> Result<(), Fault> {
        if self.skip_op(sign) { Ok(()) } else { self.expected(sign) }
    }

    fn expect_name(&mut self, name: &str) -> Result<(), Fault> {
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
    fn block(&mut self, ends: &'static [&'static str]) -> Result<(Vec<Statement>, Arc<str>), Fault> {
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

    fn body(&mut self, end: &'static [&'static str]) -> Result<Vec<Statement>, Fault> {
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
                    self.statement(&mut body)?;
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

    fn parse_for(&mut self, position: Position) -> Result<Statement, Fault> {
        let target = self.target(&["in"], false)?;
        self.expect_name("in")?;
        let iterable = self.tuple(false, &["recursive"], false)?;
        let condition = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        let (body, end) = self.block(&["endfor", "else"])?;
        let otherwise = if &*end == "else" { self.body(&["endfor"])? } else { Vec::new() };
        Ok(Statement::For(Box::new(For {
            target,
            iterable,
            condition,
            recursive,
            body,
            otherwise,
            position,
        })))
    }

    fn parse_if(&mut self) -> Result<Statement, Fault> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let condition = self.tuple(false, &[], false)?;
            let (body, end) = self.block(&["elif", "else", "endif"])?;
            branches.push((condition, body));
            match &*end {
                "elif" => {}
                "else" => {
                    otherwise = self.body(&["endif"])?;
                    break;
                }
                _ => break,
            }
        }
        Ok(Statement::If { branches, otherwise })
    }

    fn parse_set(&mut self) -> Result<Statement, Fault> {
        let target = self.target(&[], true)?;
        if self.skip_op("=") {
            return Ok(Statement::Set { target, value: self.tuple(true, &[], false)? });
        }
        let filter = if self.is_op("|") { Some(self.filters(Expr::Captured)?) } else { None };
        Ok(Statement::SetBlock { target, filter, body: self.body(&["endset"])? })
    }

    fn parse_with(&mut self) -> Result<Statement, Fault> {
        let mut assignments = Vec::new();
        while self.token() != &Token::BlockEnd {
            if !assignments.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.target(&[], false)?;
            self.expect_op("=")?;
            assignments.push((target, self.expression()?));
        }
        Ok(Statement::With { assignments, body: self.body(&["endwith"])? })
    }

    fn parse_block(&mut self, position: Position) -> Result<Statement, Fault> {
        let name = self.any_name()?;
        self.skip_name("scoped");
        let required = self.skip_name("required");
        if self.is_op("-") {
            return self.fault(
                "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an \
                 underscore instead.",
            );
        }
        let body = self.body(&["endblock"])?;
        self.skip_name(&name);
        if required && !body.iter().all(is_blank) {
            return self.fault("Required blocks can only contain comments or whitespace");
        }
        let block = Arc::new(Block { name: name.clone(), required, body });
        if self.blocks.insert(name.clone(), block.clone()).is_some() {
            return self.fault(format!("block '{name}' defined twice"));
        }
        Ok(Statement::Block(block, position))
    }

    fn parse_macro(&mut self) -> Result<Arc<MacroCode>, Fault> {
        let name = self.any_name()?;
        self.names.push(HashSet::new());
        let parameters = self.signature()?;
        self.macro_code(name, parameters, &["endmacro"])
    }

    fn macro_code(
        &mut self,
        name: Arc<str>,
        parameters: Vec<(Arc<str>, Option<Expr>)>,
        end: &'static [&'static str],
    ) -> Result<Arc<MacroCode>, Fault> {
        let body = self.body(end)?;
        let names = self.names.pop().unwrap_or_default();
        Ok(Arc::new(MacroCode {
            name,
            body,
            uses_varargs: names.contains("varargs"),
            uses_kwargs: names.contains("kwargs"),
            uses_caller: names.contains("caller") && !parameters.iter().any(|(name, _)| &**name == "caller"),
            parameters,
        }))
    }

    fn signature(&mut self) -> Result<Vec<(Arc<str>, Option<Expr>)>, Fault> {
        let mut parameters: Vec<(Arc<str>, Option<Expr>)> = Vec::new();
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !parameters.is_empty() {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            let name = self.any_name()?;
            if self.skip_op("=") {
                let default = self.expression()?;
                parameters.push((name, Some(default)));
            } else if parameters.iter().any(|(_, default)| default.is_some()) {
                return self.fault("non-default argument follows default argument");
            } else {
                parameters.push((name, None));
            }
        }
        self.expect_op(")")?;
        Ok(parameters)
    }

    fn parse_call(&mut self) -> Result<Statement, Fault> {
        let parameters = if self.is_op("(") { self.signature()? } else { Vec::new() };
        let call = self.expression()?;
        if !matches!(call, Expr::Call(..)) {
            return self.fault("expected call");
        }
        self.names.push(HashSet::new());
        let code = self.macro_code("caller".into(), parameters, &["endcall"])?;
        Ok(Statement::Call { call, code })
    }

    fn parse_filter_block(&mut self) -> Result<Statement, Fault> {
        let first = self.filter(Expr::Captured)?;
        let filter = self.filters(first)?;
        Ok(Statement::Filter { filter, body: self.body(&["endfilter"])? })
    }

    /// `with context` or `without context`, if it stands here.
    fn context(&mut self) -> Option<bool> {
        let follows = matches!(self.look(), Token::Name(name) if &**name == "context");
        if !follows || !(self.is_name("with") || self.is_name("without")) {
            return None;
        }
        let with = self.is_name("with");
        self.advance();
        self.advance();
        Some(with)
    }

    fn parse_include(&mut self, position: Position) -> Result<Statement, Fault> {
        let template = self.expression()?;
        let follows = matches!(self.look(), Token::Name(name) if &**name == "missing");
        let ignore_missing = follows && self.skip_name("ignore") && self.skip_name("missing");
        let context = self.context().unwrap_or(true);
        Ok(Statement::Include { template, ignore_missing, context, position })
    }

    fn parse_import(&mut self, position: Position) -> Result<Statement, Fault> {
        let template = self.expression()?;
        self.expect_name("as")?;
        let name = self.any_name()?;
        let context = self.context().unwrap_or(false);
        Ok(Statement::Import { template, name, context, position })
    }

    fn parse_from(&mut self, position: Position) -> Result<Statement, Fault> {
        let template = self.expression()?;
        self.expect_name("import")?;
        let mut names: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        let mut context;
        loop {
            if !names.is_empty() {
                self.expect_op(",")?;
            }
            context = self.context();
            if context.is_some() {
                break;
            }
            let name = self.any_name()?;
            if name.starts_with('_') {
                return self.fault("names starting with an underline can not be imported");
            }
            let alias = if self.skip_name("as") { self.any_name()? } else { name.clone() };
            names.push((name, alias));
            context = self.context();
            if context.is_some() || !self.is_op(",") {
                break;
            }
        }
        Ok(Statement::FromImport { template, names, context: context.unwrap_or(false), position })
    }

    /// What stands left of `=` or `in`.
    fn target(&mut self, ends: &[&str], namespace: bool) -> Result<Target, Fault> {
        let position = self.position();
        let mut targets = Vec::new();
        let mut tuple = false;
        loop {
            let ended = matches!(self.token(), Token::Name(name) if ends.contains(&&**name))
                || matches!(self.token(), Token::BlockEnd)
                || self.is_op("=")
                || self.is_op(")");
            if ended && !targets.is_empty() {
                break;
            }
            targets.push(self.single_target(namespace)?);
            if !self.skip_op(",") {
                break;
            }
            tuple = true;
        }
        match targets.pop() {
            Some(only) if !tuple && targets.is_empty() => Ok(only),
            Some(last) => {
                targets.push(last);
                Ok(Target::Tuple(targets, position))
            }
            None => self.expected("name"),
        }
    }

    fn single_target(&mut self, namespace: bool) -> Result<Target, Fault> {
        let position = self.position();
        if self.skip_op("(") || self.is_op("[") {
            let close = if self.skip_op("[") { "]" } else { ")" };
            let mut targets = Vec::new();
            let mut tuple = close == "]";
            while !self.is_op(close) {
                targets.push(self.single_target(namespace)?);
                if !self.skip_op(",") {
                    break;
                }
                tuple = true;
            }
            self.expect_op(close)?;
            return match targets.pop() {
                Some(only) if !tuple => Ok(only),
                Some(last) => {
                    targets.push(last);
                    Ok(Target::Tuple(targets, position))
                }
                None => Ok(Target::Tuple(targets, position)),
            };
        }
        let Token::Name(name) = self.token().clone() else {
            return match self.token() {
                Token::Str(_) | Token::Integer(_) | Token::Float(_) => self.fault("can't assign to 'const'"),
                token @ Token::BlockEnd => {
                    self.fault(format!("Expected an expression, got '{}'", token.describe()))
                }
                token => self.fault(format!("unexpected '{}'", token.describe())),
            };
        };
        if matches!(&*name, "true" | "false" | "none" | "True" | "False" | "None") {
            return self.fault("can't assign to 'const'");
        }
        self.advance();
        if namespace && self.skip_op(".") {
            let attribute = self.any_name()?;
            return Ok(Target::Attribute(name, attribute, position));
        }
        Ok(Target::Name(name))
    }
}

fn is_blank(statement: &Statement) -> bool {
    matches!(statement, Statement::Text(text) if text.to_text().trim().is_empty())
}
