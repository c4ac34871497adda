//! Values that are computed when they are used.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use playbook_api::notes::Property;
use playbook_api::{Error, Map, Object, Value, sync};

pub use super::force::force;
use super::{Renderer, undefined};
use crate::document::Node;

/// A member of a list or map in a document, with the scope in which it is used. It is rendered once.
pub struct Lazy {
    node: Node,
    renderer: Renderer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    value: Option<Result<Value, Error>>,
    /// The thread that is computing it. If it is the current thread, there is a cycle.
    running: Vec<ThreadId>,
}

impl Lazy {
    /// Creates a value that is computed when it is used.
    pub fn value(node: Node, renderer: Renderer) -> Value {
        Value::Object(Arc::new(Lazy { node, renderer, state: Mutex::default() }))
    }

    /// Returns the node of a document, if the value is not computed yet.
    pub fn written(value: &Value) -> Option<&Node> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref::<Lazy>().map(|lazy| &lazy.node),
            _ => None,
        }
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lazy({})", self.node.place())
    }
}

impl Object for Lazy {
    fn type_name(&self) -> &'static str {
        "lazy"
    }

    fn force(&self) -> Option<Result<Value, Error>> {
        let me = std::thread::current().id();
        let lock = || sync::lock(&self.state);
        {
            let mut state = lock();
            if let Some(value) = &state.value {
                return Some(value.clone());
            }
            if state.running.contains(&me) {
                return Some(Err(Error::new("Recursive loop detected in template").at(self.node.place())));
            }
            state.running.push(me);
        }
        let value = self.renderer.resolve(&self.node);
        let mut state = lock();
        state.running.retain(|id| *id != me);
        state.value.get_or_insert_with(|| value.clone());
        Some(value)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns the value, computing it if necessary. A map that is read member by member ([`Object::is_map`]) is not
/// built.
pub fn reach(value: &Value) -> Result<Value, Error> {
    let mut value = value.clone();
    while let Value::Object(object) = &value {
        if object.is_map() {
            break;
        }
        match object.force() {
            Some(forced) => value = forced?,
            None => break,
        }
    }
    Ok(value)
}

/// Returns the value as a map that is read member by member.
pub fn as_asked_map(value: &Value) -> Option<&dyn Object> {
    match value {
        Value::Object(object) if object.is_map() => Some(&**object),
        _ => None,
    }
}

/// Returns the value with everything inside computed; errors of undefined values become undefined members. A value
/// that is already complete is shared, not copied.
pub fn force_deep(value: &Value) -> Result<Value, Error> {
    if is_complete(value) {
        return Ok(value.clone());
    }
    let member = |value: &Value| undefined::caught(force_deep(value)).map(undefined::plain);
    Ok(match force(value)? {
        Value::List(items) => Value::List(items.iter().map(member).collect::<Result<_, _>>()?),
        Value::Tuple(items) => Value::Tuple(items.iter().map(member).collect::<Result<_, _>>()?),
        Value::Map(map) => {
            let map = map.iter().map(|(key, value)| Ok((key.clone(), member(value)?)));
            Value::from(map.collect::<Result<Map, Error>>()?)
        }
        other => undefined::plain(other),
    })
}

/// Returns whether everything inside is computed.
pub fn is_complete(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.as_any().is::<super::object::Native>() && !undefined::is(value),
        Value::List(items) | Value::Tuple(items) => items.all(Property::Complete, is_complete),
        Value::Map(map) => map.all(Property::Complete, is_complete),
        _ => true,
    }
}

/// Returns the error of the undefined members inside a complete value.
pub fn check_deep(value: &Value) -> Result<(), Error> {
    if is_defined(value) { Ok(()) } else { find_undefined(value) }
}

/// Returns whether no member inside a complete value is undefined.
fn is_defined(value: &Value) -> bool {
    match value {
        Value::List(items) | Value::Tuple(items) => items.all(Property::Defined, is_defined),
        Value::Map(map) => map.all(Property::Defined, is_defined),
        other => undefined::check(other).is_ok(),
    }
}

fn find_undefined(value: &Value) -> Result<(), Error> {
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().try_for_each(find_undefined),
        Value::Map(map) => map.values().try_for_each(find_undefined),
        other => undefined::check(other),
    }
}
