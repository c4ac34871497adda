//! Macros, call blocks, and the `loop` of a loop's body.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use playbook_api::{Error, List, Map, Value, sync};

use super::super::object::{self, Behavior, Native};
use super::super::{Renderer, budget};
use super::{Evaluator, Frame, Unit, concat};
use crate::jinja::program::MacroCode;

/// A macro, or the `caller` of a call block, with the names of the surrounding scopes.
#[derive(Debug)]
pub(super) struct Macro {
    code: Arc<MacroCode>,
    frame: Arc<Frame>,
    unit: Arc<Unit>,
}

impl Macro {
    pub(super) fn value(code: Arc<MacroCode>, frame: Arc<Frame>, unit: Arc<Unit>) -> Value {
        Native::value(Macro { code, frame, unit })
    }

    fn invoke(&self, mut args: Vec<Value>, mut kwargs: Map) -> Result<Value, Error> {
        budget::spend(5)?;
        let code = &*self.code;
        let name = &code.name;
        let frame = Frame::new(Some(self.frame.clone()));
        let mut evaluator = Evaluator::new(self.unit.clone(), Some(frame.clone()));
        let rest = args.split_off(args.len().min(code.parameters.len()));
        let mut args = args.into_iter();
        for (parameter, default) in &code.parameters {
            let named = kwargs.shift_remove(&**parameter);
            let value = match (args.next(), named, default) {
                (Some(_), Some(_), _) => {
                    let message = format!("macro '{name}' got multiple values for argument '{parameter}'");
                    return Err(Error::new(message));
                }
                (Some(value), ..) | (None, Some(value), _) => value,
                (None, None, Some(default)) => evaluator.eval(default)?,
                (None, None, None) => Value::undefined(format!("parameter '{parameter}' was not provided")),
            };
            frame.set(parameter, value);
        }
        if code.uses_caller {
            let missing = || Value::undefined("No caller defined");
            frame.set(&"caller".into(), kwargs.shift_remove("caller").unwrap_or_else(missing));
        }
        if code.uses_kwargs {
            frame.set(&"kwargs".into(), Value::from(kwargs));
        } else if let Some(key) = kwargs.keys().next() {
            return Err(Error::new(format!("macro '{name}' takes no keyword argument '{key}'")));
        }
        if code.uses_varargs {
            frame.set(&"varargs".into(), Value::Tuple(rest.into()));
        } else if !rest.is_empty() {
            let count = code.parameters.len();
            return Err(Error::new(format!("macro '{name}' takes not more than {count} argument(s)")));
        }
        let mut out = Vec::new();
        evaluator.exec(&code.body, &mut out)?;
        let value = concat(out)?;
        Ok(evaluator.unknown.take().unwrap_or(value))
    }
}

impl Behavior for Macro {
    fn type_name(&self) -> &'static str {
        "Macro"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        Some(match name {
            "name" => Value::from(self.code.name.clone()),
            "arguments" => {
                let names = self.code.parameters.iter().map(|(name, _)| Value::from(name.clone()));
                Value::Tuple(names.collect())
            }
            "catch_kwargs" => self.code.uses_kwargs.into(),
            "catch_varargs" => self.code.uses_varargs.into(),
            "caller" => self.code.uses_caller.into(),
            _ => return None,
        })
    }

    fn call(&self, _: &Renderer, args: Vec<Value>, kwargs: Map) -> Option<Result<Value, Error>> {
        Some(super::guarded(|| self.invoke(args, kwargs)))
    }
}

/// The state of a running loop, which is `loop` in its body.
#[derive(Clone, Debug)]
pub(super) struct Loop(Arc<LoopState>);

#[derive(Debug)]
pub(super) struct LoopState {
    items: List,
    index: AtomicUsize,
    depth: usize,
    recursive: bool,
    changed: Mutex<Option<Vec<Value>>>,
}

/// The name `loop`, which is created once.
pub(super) fn loop_name() -> Arc<str> {
    static NAME: OnceLock<Arc<str>> = OnceLock::new();
    NAME.get_or_init(|| "loop".into()).clone()
}

impl Loop {
    pub(super) fn value(items: List, depth: usize, recursive: bool) -> (Arc<LoopState>, Value) {
        let index = AtomicUsize::new(0);
        let state = Arc::new(LoopState { items, index, depth, recursive, changed: Mutex::default() });
        (state.clone(), Native::value(Loop(state)))
    }

    pub(super) fn at(state: &LoopState, index: usize) {
        state.index.store(index, Ordering::Relaxed);
    }

    /// The depth of the next level, if the loop is recursive.
    pub(super) fn inner_depth(value: &Value) -> Option<usize> {
        let state = &object::downcast::<Loop>(value)?.0;
        state.recursive.then_some(state.depth + 1)
    }
}

impl Behavior for Loop {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let state = &*self.0;
        let index = state.index.load(Ordering::Relaxed);
        let length = state.items.len();
        let neighbour = |index: Option<usize>, what: &str| {
            let item = index.and_then(|i| state.items.get(i)).cloned();
            item.unwrap_or_else(|| Value::undefined(format!("there is no {what} item")))
        };
        Some(match name {
            "index" => Value::from(index + 1),
            "index0" => Value::from(index),
            "revindex" => Value::from(length - index),
            "revindex0" => Value::from(length - index - 1),
            "first" => Value::from(index == 0),
            "last" => Value::from(index + 1 == length),
            "length" => Value::from(length),
            "depth" => Value::from(state.depth + 1),
            "depth0" => Value::from(state.depth),
            "previtem" => neighbour(index.checked_sub(1), "previous"),
            "nextitem" => neighbour(Some(index + 1), "next"),
            _ => return None,
        })
    }

    fn method(&self, name: &str, args: &[Value], _: &Map) -> Option<Result<Value, Error>> {
        let state = &*self.0;
        match name {
            "cycle" if args.is_empty() => Some(Err(Error::new("no items for cycling given"))),
            "cycle" => {
                let index = state.index.load(Ordering::Relaxed) % args.len();
                Some(Ok(args.get(index).cloned().unwrap_or_default()))
            }
            "changed" => {
                let mut last = sync::lock(&state.changed);
                let changed = last.as_deref() != Some(args);
                *last = Some(args.to_vec());
                Some(Ok(changed.into()))
            }
            _ => None,
        }
    }

    fn call(&self, _: &Renderer, _: Vec<Value>, _: Map) -> Option<Result<Value, Error>> {
        let message = "The loop must have the 'recursive' marker to be called recursively.";
        Some(Err(Error::new(message)))
    }
}
