//! What follows a value: attributes, subscripts, calls, filters and tests.

use std::sync::Arc;

use super::parser::Parser;
use super::program::{Arguments, Expr, Plugin};
use super::token::{Fault, Token};

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Result<Expr, Fault> {
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let position = self.position();
            match self.token() {
                Token::Op(".") => {
                    self.advance();
                    expr = match self.advance() {
                        Token::Name(name) => Expr::Attribute(Box::new(expr), name, position),
                        Token::Integer(index) => {
                            Expr::Item(Box::new(expr), Box::new(Expr::Const(index)), position)
                        }
                        _ => return self.fault("expected name or number"),
                    };
                }
                Token::Op("[") => {
                    self.advance();
                    expr = self.subscript(expr)?;
                }
                Token::Op("(") => expr = Expr::Call(Box::new(expr), Box::new(self.arguments()?), position),
                _ => return Ok(expr),
            }
        }
    }

    /// What stands between brackets after a value.
    fn subscript(&mut self, expr: Expr) -> Result<Expr, Fault> {
        let position = self.position();
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            let first = if self.is_op(":") { None } else { Some(self.expression()?) };
            if !self.is_op(":") {
                items.extend(first);
                continue;
            }
            let mut bounds = [first, None, None];
            for bound in &mut bounds[1..] {
                if self.skip_op(":") && !self.is_op("]") && !self.is_op(":") {
                    *bound = Some(self.expression()?);
                }
            }
            if !items.is_empty() {
                return self.fault("slices of tuples are not supported");
            }
            self.expect_op("]")?;
            return Ok(Expr::Slice(Box::new((expr, bounds)), position));
        }
        self.expect_op("]")?;
        let item = match items.pop() {
            Some(only) if items.is_empty() => only,
            last => Expr::Tuple(items.into_iter().chain(last).collect()),
        };
        Ok(Expr::Item(Box::new(expr), Box::new(item), position))
    }

    pub(super) fn filters_and_tests(&mut self, mut expr: Expr) -> Result<Expr, Fault> {
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let position = self.position();
            match self.token() {
                Token::Op("|") => {
                    self.advance();
                    expr = self.filter(expr)?;
                }
                Token::Name(name) if &**name == "is" => {
                    self.advance();
                    expr = self.test(expr)?;
                }
                Token::Op("(") => expr = Expr::Call(Box::new(expr), Box::new(self.arguments()?), position),
                _ => return Ok(expr),
            }
        }
    }

    /// A chain of filters that starts with `|`.
    pub(super) fn filters(&mut self, mut input: Expr) -> Result<Expr, Fault> {
        let mut links = 0;
        while self.skip_op("|") {
            self.link(&mut links)?;
            input = self.filter(input)?;
        }
        Ok(input)
    }

    /// One filter, after its `|`.
    pub(super) fn filter(&mut self, input: Expr) -> Result<Expr, Fault> {
        let position = self.position();
        let name = self.dotted_name()?;
        let arguments = if self.is_op("(") { self.arguments()? } else { Arguments::default() };
        Ok(Expr::Filter(Box::new(input), Box::new(Plugin { name, arguments, position })))
    }

    fn test(&mut self, input: Expr) -> Result<Expr, Fault> {
        let negated = self.skip_name("not");
        let position = self.position();
        let name = self.dotted_name()?;
        let starts_argument = match self.token() {
            Token::Name(name) => !matches!(&**name, "else" | "or" | "and" | "if" | "is" | "in" | "not"),
            Token::Str(_) | Token::Integer(_) | Token::Float(_) | Token::Op("[" | "{") => true,
            _ => false,
        };
        let mut arguments = Arguments::default();
        if self.is_op("(") {
            arguments = self.arguments()?;
        } else if self.is_name("is") {
            return self.fault("You cannot chain multiple tests with is");
        } else if starts_argument {
            let argument = self.primary()?;
            arguments.positional.push(self.postfix(argument)?);
        }
        let test = Expr::Test(Box::new(input), Box::new(Plugin { name, arguments, position }));
        Ok(if negated { Expr::Not(Box::new(test)) } else { test })
    }

    fn dotted_name(&mut self) -> Result<Arc<str>, Fault> {
        let mut name = self.any_name()?;
        while self.skip_op(".") {
            name = format!("{name}.{}", self.any_name()?).into();
        }
        Ok(name)
    }

    fn arguments(&mut self) -> Result<Arguments, Fault> {
        let mut arguments = Arguments::default();
        self.expect_op("(")?;
        let mut first = true;
        while !self.is_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            first = false;
            let named = !arguments.named.is_empty() || arguments.named_splat.is_some();
            if self.skip_op("*") {
                arguments.splat = Some(self.expression()?);
            } else if self.skip_op("**") {
                arguments.named_splat = Some(self.expression()?);
            } else if matches!(self.token(), Token::Name(_)) && matches!(self.look(), Token::Op("=")) {
                let name = self.any_name()?;
                self.advance();
                if arguments.named.iter().any(|(known, _)| *known == name) {
                    return self.fault(format!("keyword argument repeated: {name}"));
                }
                arguments.named.push((name, self.expression()?));
            } else if named || arguments.splat.is_some() {
                return self.fault("invalid syntax for function call expression");
            } else {
                arguments.positional.push(self.expression()?);
            }
        }
        self.expect_op(")")?;
        Ok(arguments)
    }
}
