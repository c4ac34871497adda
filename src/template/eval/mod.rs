//! Evaluates a syntax tree in a scope.

mod assign;
mod blocks;
mod expression;
mod invoke;
mod macros;
mod modules;
mod output;
mod plugins;
mod statement;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use playbook_api::{Error, Place, Value};

pub(super) use invoke::call_value;
pub(super) use modules::Module;
pub(super) use output::{concat, print};
pub(super) use plugins::{ScopeVariables, filter, lookup, test};

use super::frame::Frame;
use super::{Renderer, budget, undefined};
use crate::jinja::program::{Body, For, Position, Statement};
use crate::jinja::{Expression, Program, Syntax, Template, with_stack};

/// A template file being evaluated: where its names come from, and where it stands.
#[derive(Debug)]
pub(super) struct Unit {
    renderer: Renderer,
    place: Place,
    syntax: Arc<Syntax>,
    expression: bool,
    /// Template files loaded so far by this render.
    files: Files,
}

type Files = Arc<Mutex<HashMap<PathBuf, Arc<Template>>>>;

pub(super) struct Evaluator<'p> {
    unit: Arc<Unit>,
    frame: Option<Arc<Frame>>,
    blocks: Option<Arc<blocks::Blocks>>,
    /// The block being rendered and how far up its chain of parents, for `super()`.
    block: Option<(Arc<str>, usize)>,
    /// The loops around, for `loop(…)` of recursive ones.
    loops: Vec<&'p For>,
    /// What a filter block captured.
    captured: Option<Value>,
    /// Constant text that holds templates is rendered: conditions, lookup terms.
    embedded: bool,
    /// Whether it is a condition that is evaluated.
    condition: bool,
    /// Something unknown decided which way the template went: the result is unknown too.
    unknown: Option<Value>,
    /// The parent a template extends.
    parent: Option<Arc<Template>>,
}

/// What a statement does to the loop around it.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// Renders a template to its native value.
pub(super) fn render(renderer: &Renderer, template: &Template) -> Result<Value, Error> {
    let program = template.program()?;
    budget::within(renderer.environment.options.work, || {
        guarded_at(template.place(), || {
            let unit =
                Unit::new(renderer, template.place(), template.syntax().clone(), false, Files::default());
            let mut evaluator = Evaluator::new(Arc::new(unit), None);
            let value = evaluator.program(program)?;
            Ok(preserve_newlines(template, value))
        })
    })
    .map_err(|error| error.at(template.place()))
}

/// Evaluates a bare expression; `condition` renders templates inside its constants.
pub(super) fn evaluate(
    renderer: &Renderer,
    expression: &Expression,
    condition: bool,
) -> Result<Value, Error> {
    let program = expression.program()?;
    budget::within(renderer.environment.options.work, || {
        guarded_at(expression.place(), || {
            let unit =
                Unit::new(renderer, expression.place(), Syntax::shared_default(), true, Files::default());
            let mut evaluator = Evaluator::new(Arc::new(unit), None);
            evaluator.embedded = condition;
            evaluator.condition = condition;
            evaluator.program(program)
        })
    })
    .map_err(|error| error.at(expression.place()))
}

/// How deeply renders may nest: variables that need variables that need …
const MAX_DEPTH: usize = 400;

thread_local! {
    /// The places of the templates and expressions that this thread renders, the innermost last.
    static PLACES: std::cell::RefCell<Vec<Place>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Returns the place of the innermost template or expression that this thread renders.
pub fn current_place() -> Option<Place> {
    let place = PLACES.with_borrow(|places| places.last().cloned())?;
    // A template file is one template: its first line says no more than its name.
    let is_file = (place.line, place.column) == (1, 1);
    Some(if is_file { Place::file_only(place.file.to_string()) } else { place })
}

/// Counts nested renders as [`guarded`] does, and remembers where what is rendered was written.
fn guarded_at<T>(place: &Place, render: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    struct Level;
    impl Drop for Level {
        fn drop(&mut self) {
            PLACES.with_borrow_mut(Vec::pop);
        }
    }
    PLACES.with_borrow_mut(|places| places.push(place.clone()));
    let _level = Level;
    guarded(render)
}

/// Counts nested renders, and gives them stack.
fn guarded<T>(render: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    thread_local!(static DEPTH: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
    struct Level;
    impl Drop for Level {
        fn drop(&mut self) {
            DEPTH.with(|depth| depth.set(depth.get() - 1));
        }
    }
    let depth = DEPTH.with(|depth| {
        depth.set(depth.get() + 1);
        depth.get()
    });
    let _level = Level;
    if depth > MAX_DEPTH {
        return Err(Error::new("Recursive loop detected in template"));
    }
    with_stack(render)
}

/// A text ends with as many newlines as its template does.
fn preserve_newlines(template: &Template, value: Value) -> Value {
    let Value::Str(text) = &value else {
        return value;
    };
    let count = |text: &str| text.len() - text.trim_end_matches('\n').len();
    let missing = count(template.source()).saturating_sub(count(text));
    if missing == 0 {
        return value;
    }
    let full = format!("{}{}", text.as_str(), template.syntax().newline.repeat(missing));
    if text.is_secret() { Value::secret(full) } else { Value::from(full) }
}

impl Unit {
    fn new(renderer: &Renderer, place: &Place, syntax: Arc<Syntax>, expression: bool, files: Files) -> Self {
        Unit { renderer: renderer.clone(), place: place.clone(), syntax, expression, files }
    }
}

impl<'p> Evaluator<'p> {
    fn new(unit: Arc<Unit>, frame: Option<Arc<Frame>>) -> Self {
        Evaluator {
            unit,
            frame,
            blocks: None,
            block: None,
            loops: Vec::new(),
            captured: None,
            embedded: false,
            condition: false,
            unknown: None,
            parent: None,
        }
    }

    fn program(&mut self, program: &'p Program) -> Result<Value, Error> {
        let value = match &program.body {
            Body::Expression(expr) => self.eval(expr)?,
            Body::Template(statements) => match statements.as_slice() {
                [Statement::Emit(expr)] => output::single(self.eval(expr)?)?,
                statements => {
                    let mut out = Vec::with_capacity(statements.len());
                    self.template(program, statements, &mut out)?;
                    concat(out)?
                }
            },
        };
        undefined::check_hard(&value)?;
        Ok(self.unknown.take().unwrap_or(value))
    }

    /// The scope names are set in, made when first needed.
    fn frame(&mut self) -> &Arc<Frame> {
        self.frame.get_or_insert_with(|| Frame::new(None))
    }

    /// Runs something in a scope of its own.
    fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let outer = self.frame.clone();
        self.frame = Some(Frame::new(outer.clone()));
        let result = run(self);
        self.frame = outer;
        result
    }

    fn place(&self, position: Position) -> Place {
        crate::jinja::place_of(&self.unit.place, position)
    }

    /// What Python would raise here: an error that says so, with its place. What is undefined is named bare.
    fn fault(&self, error: Error, position: Position) -> Error {
        let place = self.place(position);
        if error.is_undefined() || error.cause().is_some() || error.place().is_some() {
            return error.at(&place);
        }
        let what =
            if self.unit.expression { "Error rendering expression" } else { "Error rendering template" };
        let kind = error.kind();
        Error::new(what).with_kind(kind).caused_by(error).at(&place)
    }

    fn raise<T>(&self, message: impl Into<String>, position: Position) -> Result<T, Error> {
        Err(self.fault(Error::new(message), position))
    }

    /// Python's truth of a value. Unknown is false, and makes the whole render unknown.
    fn truth(&mut self, value: &Value) -> Result<bool, Error> {
        match value {
            Value::Undefined(_) => undefined::check_hard(value).map(|()| false),
            Value::Unknown(_) => {
                self.unknown.get_or_insert_with(|| value.clone());
                Ok(false)
            }
            Value::Object(_) => {
                undefined::check(value)?;
                Ok(super::lazy::force(value)?.is_true())
            }
            other => Ok(other.is_true()),
        }
    }
}
