//! Tokens to expressions.

use std::sync::Arc;

use playbook_api::Value;

use super::lexer::{Fault, Token};
use super::parser::Parser;
use super::program::{Arguments, Comparison, Expr, Operator, Plugin};
use super::{MAX_DEPTH, Template};

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fault("the expression is nested too deeply");
        }
        let mut expr = stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.or())?;
        loop {
            let position = self.position();
            if !self.skip_name("if") {
                break;
            }
            let condition = self.or()?;
            let otherwise = if self.skip_name("else") { Some(self.expression()?) } else { None };
            expr = Expr::If(Box::new((condition, expr, otherwise)), position);
        }
        self.depth -= 1;
        Ok(expr)
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut left = self.and()?;
        while self.skip_name("or") {
            left = Expr::Or(Box::new((left, self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut left = self.not()?;
        while self.skip_name("and") {
            left = Expr::And(Box::new((left, self.not()?)));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        let mut negations = 0;
        while self.skip_name("not") {
            negations += 1;
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
        loop {
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
        loop {
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
        while self.is_op("**") {
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

    fn primary(&mut self) -> Result<Expr, Fault> {
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

    fn postfix(&mut self, mut expr: Expr) -> Result<Expr, Fault> {
        loop {
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

    fn filters_and_tests(&mut self, mut expr: Expr) -> Result<Expr, Fault> {
        loop {
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
        while self.skip_op("|") {
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
