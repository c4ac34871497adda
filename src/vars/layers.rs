//! Variables in layers: the last layer that knows a name wins.

use std::sync::Arc;

use playbook_api::{Error, Map, Value};

use super::store::Values;
use crate::document::Node;
use crate::inventory::Vars;
use crate::template::Renderer;

/// One source of variables.
#[derive(Clone, Debug)]
pub enum Layer {
    /// Variables as they were written, which are rendered when they are needed.
    Written(Arc<Vars>),
    /// Values that the run computed.
    Values(Arc<Values>),
    /// Facts by name.
    Facts(Arc<Map>),
}

/// A variable as its layer holds it.
pub enum Found<'a> {
    Node(&'a Node),
    Value(&'a Value),
}

impl Layer {
    /// Returns a variable of the layer.
    pub fn get(&self, name: &str) -> Option<Found<'_>> {
        match self {
            Layer::Written(vars) => vars.get(name).map(Found::Node),
            Layer::Values(values) => values.get(name).map(Found::Value),
            Layer::Facts(facts) => facts.get(name).map(Found::Value),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Layer::Written(vars) => vars.is_empty(),
            Layer::Values(values) => values.is_empty(),
            Layer::Facts(facts) => facts.is_empty(),
        }
    }

    fn names(&self, into: &mut Vec<String>) {
        match self {
            Layer::Written(vars) => into.extend(vars.keys().map(|k| k.to_string())),
            Layer::Values(values) => into.extend(values.keys().map(|k| k.to_string())),
            Layer::Facts(facts) => into.extend(facts.keys().filter_map(|k| k.as_str().map(str::to_owned))),
        }
    }
}

/// All layers, lowest precedence first.
#[derive(Clone, Debug, Default)]
pub struct Layers(Vec<Layer>);

impl Layers {
    /// Adds a layer on top, unless it is empty.
    pub fn push(&mut self, layer: Layer) {
        if !layer.is_empty() {
            self.0.push(layer);
        }
    }

    /// Adds layers on top.
    pub fn extend(&mut self, more: Layers) {
        self.0.extend(more.0);
    }

    /// Adds written variables on top.
    pub fn written(&mut self, vars: &Arc<Vars>) {
        self.push(Layer::Written(vars.clone()));
    }

    /// Returns the variable of the highest layer that knows the name.
    pub fn get(&self, name: &str) -> Option<Found<'_>> {
        self.0.iter().rev().find_map(|layer| layer.get(name))
    }

    /// Whether the highest layer that knows a name is one of facts.
    pub fn is_fact(&self, name: &str) -> bool {
        let found = self.0.iter().rev().find(|layer| layer.get(name).is_some());
        found.is_some_and(|layer| matches!(layer, Layer::Facts(_)))
    }

    /// Returns the variable with `hash_behaviour = merge`: dictionaries of all layers are merged, lowest first.
    pub fn merged(&self, name: &str, renderer: &Renderer) -> Option<Result<Value, Error>> {
        let mut all = self.0.iter().filter_map(|layer| layer.get(name));
        let value = |found: Found| match found {
            Found::Node(node) => renderer.value(node),
            Found::Value(value) => Ok(value.clone()),
        };
        let first = value(all.next()?);
        Some(
            all.try_fold(first, |below, found| {
                Ok::<_, Error>(value(found).and_then(|v| Ok(merge(below?, v))))
            })
            .and_then(|v| v),
        )
    }

    /// Returns the names of all variables.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for layer in &self.0 {
            layer.names(&mut names);
        }
        names
    }
}

/// Merges dictionaries into each other; anything else is replaced.
pub fn merge(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Map(below), Value::Map(above)) => {
            let mut merged = (*below).clone();
            for (key, value) in above.iter() {
                let value = match merged.get(key) {
                    Some(old) => merge(old.clone(), value.clone()),
                    None => value.clone(),
                };
                merged.insert(key.clone(), value);
            }
            merged.into()
        }
        (_, above) => above,
    }
}
