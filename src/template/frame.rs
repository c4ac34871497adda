//! The names that a template sets.

use std::sync::{Arc, Mutex};

use playbook_api::sync::lock;
use playbook_api::{Map, Value};

/// One scope inside a template: that of the whole template, of a loop's body, or of a macro.
#[derive(Debug, Default)]
pub(super) struct Frame {
    names: Mutex<Vec<(Arc<str>, Value)>>,
    parent: Option<Arc<Frame>>,
}

impl Frame {
    pub(super) fn new(parent: Option<Arc<Frame>>) -> Arc<Frame> {
        Arc::new(Frame { names: Mutex::default(), parent })
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<str>, Value)>> {
        lock(&self.names)
    }

    /// Returns the value of a name in this or a surrounding scope.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        let mut frame = self;
        loop {
            if let Some((_, value)) = frame.names().iter().find(|(n, _)| &**n == name) {
                return Some(value.clone());
            }
            frame = frame.parent.as_deref()?;
        }
    }

    /// Returns all names in this and the surrounding scopes.
    pub(super) fn all_names(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut frame = Some(self);
        while let Some(this) = frame {
            all.extend(this.names().iter().map(|(name, _)| name.to_string()));
            frame = this.parent.as_deref();
        }
        all
    }

    /// Sets a name in this scope.
    pub(super) fn set(&self, name: &Arc<str>, value: Value) {
        let mut names = self.names();
        match names.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value,
            None => names.push((name.clone(), value)),
        }
    }

    /// Takes a name's value out of its scope, to change it in place. [`Frame::put`] puts it back.
    pub(super) fn take(&self, name: &str) -> Option<Value> {
        let mut frame = self;
        loop {
            if let Some((_, value)) = frame.names().iter_mut().find(|(n, _)| &**n == name) {
                return Some(std::mem::take(value));
            }
            frame = frame.parent.as_deref()?;
        }
    }

    /// Sets a name in the scope that already has it, or else in the outermost one.
    pub(super) fn put(&self, name: &Arc<str>, value: Value) {
        let mut frame = self;
        loop {
            if let Some((_, old)) = frame.names().iter_mut().find(|(n, _)| n == name) {
                *old = value;
                return;
            }
            match frame.parent.as_deref() {
                Some(parent) => frame = parent,
                None => return frame.set(name, value),
            }
        }
    }

    /// Returns the names of only this scope, which a module exports.
    pub(super) fn exported(&self) -> Map {
        let names = self.names();
        let public = names.iter().filter(|(name, _)| !name.starts_with('_'));
        public.map(|(name, value)| (Value::from(name.clone()), value.clone())).collect()
    }
}
