//! The owned syntax tree: what a template says, each node that can fail with its position.

use std::collections::HashMap;
use std::sync::Arc;

use playbook_api::Value;

use super::Template;

/// A compiled template or expression.
#[derive(Debug)]
pub struct Program {
    pub body: Body,
    /// The blocks a template defines, for `extends` and `self`.
    pub blocks: HashMap<Arc<str>, Arc<Block>>,
}

#[derive(Debug)]
pub enum Body {
    Template(Vec<Statement>),
    Expression(Expr),
}

/// A position in the source text, both counted from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// `{% block %}`.
#[derive(Debug)]
pub struct Block {
    pub name: Arc<str>,
    pub required: bool,
    pub body: Vec<Statement>,
}

#[derive(Debug)]
pub enum Statement {
    Text(Value),
    Emit(Expr),
    For(Box<For>),
    If {
        branches: Vec<(Expr, Vec<Statement>)>,
        otherwise: Vec<Statement>,
    },
    With {
        assignments: Vec<(Target, Expr)>,
        body: Vec<Statement>,
    },
    Set {
        target: Target,
        value: Expr,
    },
    SetBlock {
        target: Target,
        filter: Option<Expr>,
        body: Vec<Statement>,
    },
    /// `{% filter %}`: the chain's innermost input is [`Expr::Captured`].
    Filter {
        filter: Expr,
        body: Vec<Statement>,
    },
    /// A scope of its own (`{% autoescape %}`, whose escaping Ansible has no use for).
    Scope(Vec<Statement>),
    Block(Arc<Block>, Position),
    Macro(Arc<MacroCode>),
    Call {
        call: Expr,
        code: Arc<MacroCode>,
    },
    Import {
        template: Expr,
        name: Arc<str>,
        context: bool,
        position: Position,
    },
    FromImport {
        template: Expr,
        names: Vec<(Arc<str>, Arc<str>)>,
        context: bool,
        position: Position,
    },
    Extends(Expr, Position),
    Include {
        template: Expr,
        ignore_missing: bool,
        context: bool,
        position: Position,
    },
    Do(Expr),
    Break,
    Continue,
}

#[derive(Debug)]
pub struct For {
    pub target: Target,
    pub iterable: Expr,
    pub condition: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Statement>,
    pub otherwise: Vec<Statement>,
    pub position: Position,
}

/// The code of a macro or of a call block.
#[derive(Debug)]
pub struct MacroCode {
    pub name: Arc<str>,
    pub parameters: Vec<Parameter>,
    pub body: Vec<Statement>,
    /// Which of the special names the body asks for.
    pub uses_varargs: bool,
    pub uses_kwargs: bool,
    pub uses_caller: bool,
}

/// A macro's parameter and its default.
pub type Parameter = (Arc<str>, Option<Expr>);

/// What can be assigned to.
#[derive(Debug)]
pub enum Target {
    Name(Arc<str>),
    /// `ns.attribute`.
    Attribute(Arc<str>, Arc<str>, Position),
    Tuple(Vec<Target>, Position),
}

#[derive(Debug)]
pub enum Expr {
    Const(Value),
    /// Constant text that holds a template: conditions and lookup terms render it, all else takes the text.
    Embedded(Value, Arc<Template>),
    /// The captured body of a filter block.
    Captured,
    Name(Arc<str>, Position),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attribute(Box<Expr>, Arc<str>, Position),
    Item(Box<Expr>, Box<Expr>, Position),
    Slice(Box<(Expr, Bounds)>, Position),
    Call(Box<Expr>, Box<Arguments>, Position),
    Filter(Box<Expr>, Box<Plugin>),
    Test(Box<Expr>, Box<Plugin>),
    Not(Box<Expr>),
    Negative(Box<Expr>, Position),
    Positive(Box<Expr>, Position),
    Binary(Operator, Box<(Expr, Expr)>, Position),
    And(Box<(Expr, Expr)>),
    Or(Box<(Expr, Expr)>),
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>, Position),
    /// Condition, then, otherwise.
    If(Box<(Expr, Expr, Option<Expr>)>, Position),
}

/// Start, stop and step of a slice.
pub type Bounds = [Option<Expr>; 3];

/// A filter's or test's name and arguments.
#[derive(Debug)]
pub struct Plugin {
    pub name: Arc<str>,
    pub arguments: Arguments,
    pub position: Position,
}

#[derive(Debug, Default)]
pub struct Arguments {
    pub positional: Vec<Expr>,
    pub named: Vec<(Arc<str>, Expr)>,
    /// `*list` and `**dict`.
    pub splat: Option<Expr>,
    pub named_splat: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

impl Operator {
    /// As Python's messages write it.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

impl Comparison {
    /// As Python's messages write it.
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
