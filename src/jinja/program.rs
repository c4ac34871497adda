//! The owned syntax tree: what a template says, each node that can fail with its position.

use std::collections::HashMap;
use std::sync::Arc;

use playbook_api::Value;

use super::Template;

/// A compiled template or expression.
#[derive(Debug)]
pub struct Program {
    /// The code.
    pub body: Body,
    /// The blocks a template defines, for `extends` and `self`.
    pub blocks: HashMap<Arc<str>, Arc<Block>>,
}

/// The code of a template or of an expression.
#[derive(Debug)]
pub enum Body {
    /// A template: text and tags.
    Template(Vec<Statement>),
    /// A bare expression.
    Expression(Expr),
}

/// A position in the source text, both counted from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// `{% block %}`.
#[derive(Debug)]
pub struct Block {
    /// The name.
    pub name: Arc<str>,
    /// Whether a template that extends this one must define the block.
    pub required: bool,
    /// The content.
    pub body: Vec<Statement>,
}

/// A statement of a template, or text between statements.
#[derive(Debug)]
pub enum Statement {
    /// Text that is printed as it is.
    Text(Value),
    /// `{{ … }}`.
    Emit(Expr),
    /// `{% for %}`.
    For(Box<For>),
    /// `{% if %}`.
    If {
        /// The conditions with what they guard, in order.
        branches: Vec<(Expr, Vec<Statement>)>,
        /// `{% else %}`.
        otherwise: Vec<Statement>,
    },
    /// `{% with %}`.
    With {
        /// The names and their values.
        assignments: Vec<(Target, Expr)>,
        /// The content.
        body: Vec<Statement>,
    },
    /// `{% set name = value %}`.
    Set {
        /// What is assigned to.
        target: Target,
        /// The value.
        value: Expr,
    },
    /// `{% set name %}…{% endset %}`.
    SetBlock {
        /// What is assigned to.
        target: Target,
        /// The filters that the content goes through.
        filter: Option<Expr>,
        /// The content.
        body: Vec<Statement>,
    },
    /// `{% filter %}`: the chain's innermost input is [`Expr::Captured`].
    Filter {
        /// The filters.
        filter: Expr,
        /// The content.
        body: Vec<Statement>,
    },
    /// A scope of its own (`{% autoescape %}`, whose escaping Ansible has no use for).
    Scope(Vec<Statement>),
    /// `{% block %}`.
    Block(Arc<Block>, Position),
    /// `{% macro %}`.
    Macro(Arc<MacroCode>),
    /// `{% call %}`.
    Call {
        /// The call of a macro.
        call: Expr,
        /// The content, which the macro calls as `caller`.
        code: Arc<MacroCode>,
    },
    /// `{% import template as name %}`.
    Import {
        /// The name of the template file.
        template: Expr,
        /// The name under which its macros are found.
        name: Arc<str>,
        /// Whether it sees the variables of this template.
        context: bool,
        /// Where the tag is.
        position: Position,
    },
    /// `{% from template import name as alias %}`.
    FromImport {
        /// The name of the template file.
        template: Expr,
        /// The names and their aliases.
        names: Vec<(Arc<str>, Arc<str>)>,
        /// Whether it sees the variables of this template.
        context: bool,
        /// Where the tag is.
        position: Position,
    },
    /// `{% extends %}`.
    Extends(Expr, Position),
    /// `{% include %}`.
    Include {
        /// The name of the template file, or a list of names.
        template: Expr,
        /// Whether a missing file is passed over.
        ignore_missing: bool,
        /// Whether it sees the variables of this template.
        context: bool,
        /// Where the tag is.
        position: Position,
    },
    /// `{% do %}`.
    Do(Expr),
    /// `{% break %}`.
    Break,
    /// `{% continue %}`.
    Continue,
}

/// `{% for target in iterable if condition %}`.
#[derive(Debug)]
pub struct For {
    /// What each item is assigned to.
    pub target: Target,
    /// What the loop goes through.
    pub iterable: Expr,
    /// The condition for items that count.
    pub condition: Option<Expr>,
    /// Whether the body may call `loop(…)`.
    pub recursive: bool,
    /// The body.
    pub body: Vec<Statement>,
    /// `{% else %}`: what is printed if there are no items.
    pub otherwise: Vec<Statement>,
    /// Where the tag is.
    pub position: Position,
}

/// The code of a macro or of a call block.
#[derive(Debug)]
pub struct MacroCode {
    /// The name.
    pub name: Arc<str>,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// The content.
    pub body: Vec<Statement>,
    /// Whether the body reads `varargs`.
    pub uses_varargs: bool,
    /// Whether the body reads `kwargs`.
    pub uses_kwargs: bool,
    /// Whether the body reads `caller`.
    pub uses_caller: bool,
}

/// A macro's parameter and its default.
pub type Parameter = (Arc<str>, Option<Expr>);

/// What can be assigned to.
#[derive(Debug)]
pub enum Target {
    /// `name`.
    Name(Arc<str>),
    /// `ns.attribute`.
    Attribute(Arc<str>, Arc<str>, Position),
    /// `a, b`.
    Tuple(Vec<Target>, Position),
}

/// An expression.
#[derive(Debug)]
pub enum Expr {
    /// A constant.
    Const(Value),
    /// Constant text that holds a template: conditions and lookup terms render it, all else takes the text.
    Embedded(Value, Arc<Template>),
    /// The captured body of a filter block.
    Captured,
    /// A variable.
    Name(Arc<str>, Position),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `(a, b)`.
    Tuple(Vec<Expr>),
    /// `{key: value}`.
    Dict(Vec<(Expr, Expr)>),
    /// `value.name`.
    Attribute(Box<Expr>, Arc<str>, Position),
    /// `value[key]`.
    Item(Box<Expr>, Box<Expr>, Position),
    /// `value[start:stop:step]`.
    Slice(Box<(Expr, Bounds)>, Position),
    /// `callee(arguments)`.
    Call(Box<Expr>, Box<Arguments>, Position),
    /// `value | filter`.
    Filter(Box<Expr>, Box<Plugin>),
    /// `value is test`.
    Test(Box<Expr>, Box<Plugin>),
    /// `not value`.
    Not(Box<Expr>),
    /// `-value`.
    Negative(Box<Expr>, Position),
    /// `+value`.
    Positive(Box<Expr>, Position),
    /// `a + b` and the other operators of arithmetic.
    Binary(Operator, Box<(Expr, Expr)>, Position),
    /// `a and b`.
    And(Box<(Expr, Expr)>),
    /// `a or b`.
    Or(Box<(Expr, Expr)>),
    /// `a ~ b`.
    Concat(Vec<Expr>),
    /// `a < b <= c`.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>, Position),
    /// Condition, then, otherwise.
    If(Box<(Expr, Expr, Option<Expr>)>, Position),
}

/// Start, stop and step of a slice.
pub type Bounds = [Option<Expr>; 3];

/// A filter's or test's name and arguments.
#[derive(Debug)]
pub struct Plugin {
    /// The name, as it is written.
    pub name: Arc<str>,
    /// The arguments.
    pub arguments: Arguments,
    /// Where the name is.
    pub position: Position,
}

/// The arguments of a call.
#[derive(Debug, Default)]
pub struct Arguments {
    /// The positional arguments.
    pub positional: Vec<Expr>,
    /// The named arguments.
    pub named: Vec<(Arc<str>, Expr)>,
    /// `*list`.
    pub splat: Option<Expr>,
    /// `**dict`.
    pub named_splat: Option<Expr>,
}

impl Arguments {
    /// Returns the expressions of all arguments.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let named = self.named.iter().map(|(_, value)| value);
        self.positional.iter().chain(named).chain(&self.splat).chain(&self.named_splat)
    }
}

/// An operator of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `//`
    FloorDivide,
    /// `%`
    Remainder,
    /// `**`
    Power,
}

impl Operator {
    /// Returns the operator as Python's messages write it.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::FloorDivide => "//",
            Operator::Remainder => "%",
            Operator::Power => "** or pow()",
        }
    }
}

/// An operator of comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

impl Comparison {
    /// Returns the operator as Python's messages write it.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::In => "in",
            Comparison::NotIn => "not in",
        }
    }
}
