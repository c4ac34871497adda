//! Tokens to expressions.

use std::sync::Arc;

use playbook_api::Value;

use super::parser::Parser;
use super::program::{Comparison, Expr, Operator};
use super::token::{Fault, Token};
use super::{MAX_CHAIN, MAX_DEPTH, Template, with_stack};

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fault("the expression is nested too deeply");
        }
        let mut expr = with_stack(|| self.or())?;
        let mut links = 0;
        loop {
            let position = self.position();
            if !self.skip_name("if") {
                break;
            }
            self.link(&mut links)?;
            let condition = self.or()?;
            let otherwise = if self.skip_name("else") { Some(self.expression()?) } else { None };
            expr = Expr::If(Box::new((condition, expr, otherwise)), position);
        }
        self.depth -= 1;
        Ok(expr)
    }

    /// Counts the links of a chain: what is too long would be too deep a tree.
    pub(super) fn link(&self, links: &mut usize) -> Result<(), Fault> {
        *links += 1;
        if *links > MAX_CHAIN {
            return self.fault("the expression is too long");
        }
        Ok(())
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut left = self.and()?;
        let mut links = 0;
        while self.skip_name("or") {
            self.link(&mut links)?;
            left = Expr::Or(Box::new((left, self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut left = self.not()?;
        let mut links = 0;
        while self.skip_name("and") {
            self.link(&mut links)?;
            left = Expr::And(Box::new((left, self.not()?)));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        let mut negations = 0;
        while self.skip_name("not") {
            self.link(&mut negations)?;
        }
        let mut expr = self.compare()?;
        for _ in 0..negations {
            expr = Expr::Not(Box::new(expr));
        }
        Ok(expr)
    }

    fn compare(&mut self) -> Result<Expr, Fault> {
        let left = self.sum()?;
        let position = self.position();
        let mut operands = Vec::new();
        loop {
            let comparison = match self.token() {
                Token::Op("==") => Comparison::Equal,
                Token::Op("!=") => Comparison::NotEqual,
                Token::Op("<") => Comparison::Less,
                Token::Op("<=") => Comparison::LessOrEqual,
                Token::Op(">") => Comparison::Greater,
                Token::Op(">=") => Comparison::GreaterOrEqual,
                Token::Name(name) if &**name == "in" => Comparison::In,
                Token::Name(name)
                    if &**name == "not" && matches!(self.look(), Token::Name(n) if &**n == "in") =>
                {
                    self.advance();
                    Comparison::NotIn
                }
                _ => break,
            };
            self.advance();
            operands.push((comparison, self.sum()?));
        }
        if operands.is_empty() {
            return Ok(left);
        }
        Ok(Expr::Compare(Box::new(left), operands, position))
    }

    fn sum(&mut self) -> Result<Expr, Fault> {
        let mut left = self.concat()?;
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let operator = match self.token() {
                Token::Op("+") => Operator::Add,
                Token::Op("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            let position = self.position();
            self.advance();
            left = Expr::Binary(operator, Box::new((left, self.concat()?)), position);
        }
    }

    fn concat(&mut self) -> Result<Expr, Fault> {
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Ok(Expr::Concat(parts))
    }

    fn product(&mut self) -> Result<Expr, Fault> {
        let mut left = self.power()?;
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let operator = match self.token() {
                Token::Op("*") => Operator::Multiply,
                Token::Op("/") => Operator::Divide,
                Token::Op("//") => Operator::FloorDivide,
                Token::Op("%") => Operator::Remainder,
                _ => return Ok(left),
            };
            let position = self.position();
            self.advance();
            left = Expr::Binary(operator, Box::new((left, self.power()?)), position);
        }
    }

    fn power(&mut self) -> Result<Expr, Fault> {
        let mut left = self.unary(true)?;
        let mut links = 0;
        while self.is_op("**") {
            self.link(&mut links)?;
            let position = self.position();
            self.advance();
            left = Expr::Binary(Operator::Power, Box::new((left, self.unary(true)?)), position);
        }
        Ok(left)
    }

    fn unary(&mut self, with_filter: bool) -> Result<Expr, Fault> {
        let position = self.position();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fault("the expression is nested too deeply");
        }
        let expr = if self.skip_op("-") {
            Expr::Negative(Box::new(self.unary(false)?), position)
        } else if self.skip_op("+") {
            Expr::Positive(Box::new(self.unary(false)?), position)
        } else {
            self.primary()?
        };
        self.depth -= 1;
        let expr = self.postfix(expr)?;
        if with_filter { self.filters_and_tests(expr) } else { Ok(expr) }
    }

    pub(super) fn primary(&mut self) -> Result<Expr, Fault> {
        let position = self.position();
        match self.token().clone() {
            Token::Name(name) => {
                self.advance();
                Ok(match &*name {
                    "true" | "True" => Expr::Const(Value::Bool(true)),
                    "false" | "False" => Expr::Const(Value::Bool(false)),
                    "none" | "None" => Expr::Const(Value::Null),
                    _ => {
                        self.note_name(&name);
                        Expr::Name(name, position)
                    }
                })
            }
            Token::Str(mut text) => {
                self.advance();
                while let Token::Str(more) = self.token() {
                    text.push_str(more);
                    self.advance();
                }
                let text: Arc<str> = text.into();
                if Template::is_template(&text) {
                    let template = Template::new(text.clone(), self.place.clone());
                    return Ok(Expr::Embedded(text.into(), Arc::new(template)));
                }
                Ok(Expr::Const(text.into()))
            }
            Token::Integer(number) => {
                self.advance();
                Ok(Expr::Const(number))
            }
            Token::Float(number) => {
                self.advance();
                Ok(Expr::Const(number.into()))
            }
            Token::Op("(") => {
                self.advance();
                let expr = self.tuple(true, &[], true)?;
                self.expect_op(")")?;
                Ok(expr)
            }
            Token::Op("[") => {
                self.advance();
                let items = self.items("]", Parser::expression)?;
                Ok(Expr::List(items))
            }
            Token::Op("{") => {
                self.advance();
                let pairs = self.items("}", |parser| {
                    let key = parser.expression()?;
                    parser.expect_op(":")?;
                    Ok((key, parser.expression()?))
                })?;
                Ok(Expr::Dict(pairs))
            }
            token => self.fault(format!("unexpected '{}'", token.describe())),
        }
    }

    /// Items parted by commas, one may trail, up to a closing sign.
    fn items<T>(
        &mut self,
        close: &str,
        item: impl Fn(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        while !self.is_op(close) {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.is_op(close) {
                    break;
                }
            }
            items.push(item(self)?);
        }
        self.expect_op(close)?;
        Ok(items)
    }

    /// An expression, or several with commas, which are a tuple. `()` is one only in parentheses.
    pub(super) fn tuple(
        &mut self,
        conditional: bool,
        ends: &[&str],
        parenthesized: bool,
    ) -> Result<Expr, Fault> {
        let mut items = Vec::new();
        let mut tuple = false;
        loop {
            let ended = matches!(self.token(), Token::VariableEnd | Token::BlockEnd)
                || self.is_op(")")
                || matches!(self.token(), Token::Name(name) if ends.contains(&&**name));
            if ended {
                break;
            }
            items.push(if conditional { self.expression()? } else { self.or()? });
            if !self.skip_op(",") {
                break;
            }
            tuple = true;
        }
        match items.pop() {
            Some(only) if !tuple => Ok(only),
            Some(last) => {
                items.push(last);
                Ok(Expr::Tuple(items))
            }
            None if parenthesized => Ok(Expr::Tuple(items)),
            None => {
                let token = self.token().describe();
                self.fault(format!("Expected an expression, got '{token}'"))
            }
        }
    }
}
