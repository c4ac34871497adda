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
    /// As written, rendered when asked for.
    Written(Arc<Vars>),
    /// Computed by the run.
    Values(Arc<Values>),
    /// Facts, by text key.
    Facts(Arc<Map>),
}

/// A variable as its layer holds it.
pub enum Found<'a> {
    Node(&'a Node),
    Value(&'a Value),
}

impl Layer {
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
    pub fn push(&mut self, layer: Layer) {
        if !layer.is_empty() {
            self.0.push(layer);
        }
    }

    pub fn extend(&mut self, more: Layers) {
        self.0.extend(more.0);
    }

    pub fn written(&mut self, vars: &Arc<Vars>) {
        self.push(Layer::Written(vars.clone()));
    }

    /// The winner.
    pub fn get(&self, name: &str) -> Option<Found<'_>> {
        self.0.iter().rev().find_map(|layer| layer.get(name))
    }

    /// With `hash_behaviour = merge`: dicts of all layers merged into each other, lowest first.
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

    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for layer in &self.0 {
            layer.names(&mut names);
        }
        names
    }
}

/// Dicts merged into each other; anything else is replaced.
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
