//! Values with behavior: macros, loops, namespaces, points in time.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use playbook_api::{Error, Map, Object, Value};

use super::Renderer;

/// The behavior of such a value.
pub trait Behavior: Any + Send + Sync + fmt::Debug {
    /// Returns Python's name for the type, for messages.
    fn type_name(&self) -> &'static str;

    /// Returns an attribute, if there is one of that name.
    fn attribute(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Calls a method by name. Returns `None` if it does not exist.
    fn method(&self, _name: &str, _args: &[Value], _kwargs: &Map) -> Option<Result<Value, Error>> {
        None
    }

    /// Calls the value itself.
    fn call(&self, _renderer: &Renderer, _args: Vec<Value>, _kwargs: Map) -> Option<Result<Value, Error>> {
        None
    }

    /// Sets an attribute, if that is possible.
    fn set(&self, _name: &str, _value: Value) -> bool {
        false
    }

    /// Takes an attribute out to change it. `set` puts it back.
    fn take(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Returns Python's `str()`, if it differs from the type's name.
    fn text(&self) -> Option<String> {
        None
    }

    /// Returns the value that modules and reports get instead.
    fn plain(&self) -> Option<Value> {
        None
    }
}

/// A value with behavior, as a [`Value::Object`].
#[derive(Debug)]
pub struct Native(Box<dyn Behavior>);

impl Native {
    /// Creates a value from a behavior.
    pub fn value(behavior: impl Behavior) -> Value {
        Value::Object(Arc::new(Native(Box::new(behavior))))
    }
}

impl Object for Native {
    fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    fn text(&self) -> Option<String> {
        self.0.text()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns the behavior of a value, if it has any.
pub fn behavior(value: &Value) -> Option<&dyn Behavior> {
    match value {
        Value::Object(object) => object.as_any().downcast_ref::<Native>().map(|native| &*native.0),
        _ => None,
    }
}

/// Returns a value's behavior, if it has this type.
pub fn downcast<T: Behavior>(value: &Value) -> Option<&T> {
    let behavior: &dyn Any = behavior(value)?;
    behavior.downcast_ref()
}

/// Returns an attribute of a value with behavior.
pub fn attribute_of(value: &Value, name: &str) -> Option<Value> {
    behavior(value)?.attribute(name)
}
