//! Each statement's own syntax, after its name.

use std::collections::HashSet;
use std::sync::Arc;

use super::parser::Parser;
use super::program::{Block, Expr, For, MacroCode, Parameter, Position, Statement, Target};
use super::token::{Fault, Token};

impl Parser<'_> {
    pub(super) fn parse_for(&mut self, position: Position) -> Result<Statement, Fault> {
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

    pub(super) fn parse_if(&mut self) -> Result<Statement, Fault> {
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

    pub(super) fn parse_set(&mut self) -> Result<Statement, Fault> {
        let target = self.target(&[], true)?;
        if self.skip_op("=") {
            return Ok(Statement::Set { target, value: self.tuple(true, &[], false)? });
        }
        let filter = if self.is_op("|") { Some(self.filters(Expr::Captured)?) } else { None };
        Ok(Statement::SetBlock { target, filter, body: self.body(&["endset"])? })
    }

    pub(super) fn parse_with(&mut self) -> Result<Statement, Fault> {
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

    pub(super) fn parse_block(&mut self, position: Position) -> Result<Statement, Fault> {
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

    pub(super) fn parse_macro(&mut self) -> Result<Arc<MacroCode>, Fault> {
        let name = self.any_name()?;
        self.names.push(HashSet::new());
        let parameters = self.signature()?;
        self.macro_code(name, parameters, &["endmacro"])
    }

    fn macro_code(
        &mut self,
        name: Arc<str>,
        parameters: Vec<Parameter>,
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

    fn signature(&mut self) -> Result<Vec<Parameter>, Fault> {
        let mut parameters: Vec<Parameter> = Vec::new();
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

    pub(super) fn parse_call(&mut self) -> Result<Statement, Fault> {
        let parameters = if self.is_op("(") { self.signature()? } else { Vec::new() };
        let call = self.expression()?;
        if !matches!(call, Expr::Call(..)) {
            return self.fault("expected call");
        }
        self.names.push(HashSet::new());
        let code = self.macro_code("caller".into(), parameters, &["endcall"])?;
        Ok(Statement::Call { call, code })
    }

    pub(super) fn parse_filter_block(&mut self) -> Result<Statement, Fault> {
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

    pub(super) fn parse_include(&mut self, position: Position) -> Result<Statement, Fault> {
        let template = self.expression()?;
        let follows = matches!(self.look(), Token::Name(name) if &**name == "missing");
        let ignore_missing = follows && self.skip_name("ignore") && self.skip_name("missing");
        let context = self.context().unwrap_or(true);
        Ok(Statement::Include { template, ignore_missing, context, position })
    }

    pub(super) fn parse_import(&mut self, position: Position) -> Result<Statement, Fault> {
        let template = self.expression()?;
        self.expect_name("as")?;
        let name = self.any_name()?;
        let context = self.context().unwrap_or(false);
        Ok(Statement::Import { template, name, context, position })
    }

    pub(super) fn parse_from(&mut self, position: Position) -> Result<Statement, Fault> {
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
