//! Lookups that rearrange lists: the bodies of `with_items`, `with_nested` and the like.

use playbook_api::{Error, Map, Value, map};
use rand::seq::IndexedRandom;

use super::Lookup;
use crate::template::Renderer;
use crate::template::filters::arguments::tuple;
use crate::template::filters::cartesian;

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup::new("items", items).with_lazy_terms(),
    Lookup::new("list", list),
    Lookup::new("flattened", flattened).with_lazy_terms(),
    Lookup::new("nested", nested),
    Lookup::new("cartesian", nested),
    Lookup::new("together", together),
    Lookup::new("indexed_items", indexed_items),
    Lookup::new("random_choice", random_choice),
    Lookup::new("dict", dict),
];

/// Returns the members of list terms, and the other terms.
fn flat(terms: &[Value]) -> Vec<Value> {
    terms
        .iter()
        .flat_map(|term| term.as_list().map_or_else(|| vec![term.clone()], <[Value]>::to_vec))
        .collect()
}

fn items(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    Ok(flat(terms))
}

fn list(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    Ok(terms.to_vec())
}

fn flattened(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    crate::template::filters::flatten_into(&mut out, terms, None, true);
    Ok(out)
}

fn nested(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    if terms.is_empty() {
        return Err(Error::new("with_nested requires at least one element in the nested list"));
    }
    let columns: Vec<Vec<Value>> = terms.iter().map(|term| flat(std::slice::from_ref(term))).collect();
    let rows = cartesian(&columns.iter().collect::<Vec<_>>())?;
    Ok(rows.into_iter().map(|row| flat(&row).into()).collect())
}

fn together(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    if terms.is_empty() {
        return Err(Error::new("with_together requires at least one element in each list"));
    }
    let columns: Vec<Vec<Value>> = terms.iter().map(|term| flat(std::slice::from_ref(term))).collect();
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| columns.iter().map(|column| column.get(at).cloned().unwrap_or_default()).collect();
    Ok((0..longest).map(row).collect())
}

fn indexed_items(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    Ok(flat(terms).into_iter().enumerate().map(|(at, item)| tuple(vec![at.into(), item])).collect())
}

fn random_choice(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    Ok(terms.choose(&mut rand::rng()).cloned().into_iter().collect())
}

fn dict(terms: &[Value], _: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    let mut pairs = Vec::new();
    for term in flat(terms) {
        let Value::Map(entries) = &term else {
            return Err(Error::new(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{term}' of type <class '{}'>)",
                term.type_name()
            )));
        };
        pairs.extend(
            entries
                .iter()
                .map(|(key, value)| Value::from(map! { "key" => key.clone(), "value" => value.clone() })),
        );
    }
    Ok(pairs)
}
