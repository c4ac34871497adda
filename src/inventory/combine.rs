//! Merges variables into others.

use super::model::Vars;
use crate::document::{Kind, Node};

/// Adds variables to others: they replace them, or are merged into them.
pub(super) fn combine(vars: &mut Vars, over: &Vars, merge: bool) {
    for (name, node) in over {
        match vars.get_mut(name) {
            Some(old) if merge => *old = merge_nodes(old, node),
            Some(old) => *old = node.clone(),
            None => {
                vars.insert(name.clone(), node.clone());
            }
        }
    }
}

/// Merges two maps, on every level. Anything else is replaced.
pub(super) fn merge_nodes(old: &Node, new: &Node) -> Node {
    let (Some(below), Some(above)) = (old.as_map(), new.as_map()) else { return new.clone() };
    let mut merged = below.clone();
    for (key, entry) in above {
        match merged.get_mut(key) {
            Some(old) => old.node = merge_nodes(&old.node, &entry.node),
            None => {
                merged.insert(key.clone(), entry.clone());
            }
        }
    }
    Node::new(new.place().clone(), Kind::Map(merged))
}
