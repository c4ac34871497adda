//! Filters of the community.general collection that playbooks use most.

use indexmap::IndexMap;
use playbook_api::{Error, Map, Value, map};

use super::arguments::{flag, given, iterate, text};
use super::combine::{ListMerge, merge};
use super::iterators::flatten_into;
use crate::document::{self, Trust};
use crate::template::python::sort::sort;
use crate::template::tests::loose_order;
use crate::template::{Call, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("json_query", json_query),
    Function::new("dict", dict),
    Function::new("dict_kv", dict_kv),
    Function::new("counter", counter),
    Function::new("version_sort", version_sort),
    Function::new("groupby_as_dict", groupby_as_dict),
    Function::new("lists_mergeby", lists_mergeby),
    Function::new("from_csv", from_csv),
];

/// Runs a JMESPath query.
fn json_query(call: &mut Call) -> Result<Value, Error> {
    let [query] = call.bind(["expr"], 1)?;
    let query = text(&query, "");
    let failed = |e: &dyn std::fmt::Display| {
        Error::new(format!("JMESPathError in json_query filter plugin:\n{e}\nin '{query}'"))
    };
    let nested = query.matches(['.', '[', '(', '{', '|', '&', '!']).count();
    if nested > 500 {
        return Err(failed(&"the query is nested too deeply"));
    }
    let compiled = jmespath::compile(&query).map_err(|e| failed(&e))?;
    let data = jmespath::Variable::from_json(&call.input.to_json().to_string()).map_err(|e| failed(&e))?;
    let found = compiled.search(data).map_err(|e| failed(&e))?;
    document::parse_json(&found.to_string(), "json_query", Trust::Text).map(|node| node.raw())
}

/// Converts `[[key, value], …]` to a map.
fn dict(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let pair = |item: &Value| match iterate(item)?.as_slice() {
        [key, value] => Ok((key.clone(), value.clone())),
        other => Err(Error::new(format!(
            "dictionary update sequence element has length {}; 2 is required",
            other.len()
        ))),
    };
    Ok(iterate(&call.input)?.iter().map(pair).collect::<Result<Map, Error>>()?.into())
}

fn dict_kv(call: &mut Call) -> Result<Value, Error> {
    let [key] = call.bind(["key"], 1)?;
    let mut map = Map::default();
    map.insert(key.unwrap_or_default(), call.input());
    Ok(map.into())
}

fn counter(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let mut counts: IndexMap<Value, i64> = IndexMap::new();
    for item in iterate(&call.input)?.iter() {
        *counts.entry(item.clone()).or_default() += 1;
    }
    Ok(counts.into_iter().map(|(item, count)| (item, Value::Int(count))).collect::<Map>().into())
}

fn version_sort(call: &mut Call) -> Result<Value, Error> {
    let [reverse] = call.bind(["reverse"], 0)?;
    let items = iterate(&call.input)?.to_vec();
    let order = &mut |a: &Value, b: &Value| loose_order(&a.to_text(), &b.to_text()).map_err(Error::new);
    let mut items = sort(items, order)?;
    if flag(&reverse, false) {
        items.reverse();
    }
    Ok(items.into())
}

fn groupby_as_dict(call: &mut Call) -> Result<Value, Error> {
    let [attribute] = call.bind(["attribute"], 1)?;
    let attribute = attribute.unwrap_or_default();
    let mut grouped = Map::default();
    for (at, item) in iterate(&call.input)?.iter().enumerate() {
        let Some(map) = item.as_map() else {
            return Err(Error::new(format!("Sequence element #{at} is not a mapping")));
        };
        let Some(value) = map.get(&attribute).cloned() else {
            return Err(Error::new(format!("Attribute not contained in element #{at} of sequence")));
        };
        if grouped.insert(value.clone(), item.clone()).is_some() {
            return Err(Error::new(format!("Multiple sequence entries have attribute value '{value}'")));
        }
    }
    Ok(grouped.into())
}

/// Merges lists of maps. Maps with the same value of that member are combined.
fn lists_mergeby(call: &mut Call) -> Result<Value, Error> {
    let recursive = flag(&call.take("recursive"), false);
    let lists = ListMerge::parse(&text(&call.take("list_merge"), "replace"))?;
    let mut terms = vec![call.input()];
    terms.append(&mut call.args);
    let index = match call.take("index") {
        Some(index) => index,
        None if terms.len() > 1 => terms.pop().unwrap_or_default(),
        None => return Err(Error::new("One or more lists and the index are needed.")),
    };
    let [] = call.bind([], 0)?;
    let mut items = Vec::new();
    flatten_into(&mut items, &terms, Some(1), true);
    // One list may itself be a list of lists.
    let mut maps = Vec::new();
    flatten_into(&mut maps, &items, Some(1), true);
    let mut merged: IndexMap<Value, Map> = IndexMap::new();
    for item in &maps {
        let map = item.as_map().ok_or_else(|| {
            Error::new(format!(
                "Elements of list arguments for lists_mergeby must be dictionaries. {item} is {}.",
                item.type_name()
            ))
        })?;
        if let Some(key) = map.get(&index) {
            let entry = merged.entry(key.clone()).or_default();
            *entry = merge(entry, map, recursive, lists);
        }
    }
    let sorted = super::arguments::sort_by_key(
        &merged.into_values().map(Value::from).collect::<Vec<_>>(),
        false,
        |item| Ok(item.as_map().and_then(|map| map.get(&index)).cloned().unwrap_or_default()),
    )?;
    Ok(sorted.into())
}

/// Parses CSV to a list of maps. The first line names the columns unless `fieldnames` is given.
fn from_csv(call: &mut Call) -> Result<Value, Error> {
    let [_, names, delimiter, trim, _] =
        call.bind(["dialect", "fieldnames", "delimiter", "skipinitialspace", "strict"], 0)?;
    let delimiter = given(delimiter).map_or(b',', |text| text.to_text().bytes().next().unwrap_or(b','));
    let trim = if flag(&trim, false) { csv::Trim::All } else { csv::Trim::None };
    let input = call.input.to_text();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(trim)
        .from_reader(input.as_bytes());
    let mut rows = reader.records();
    let failed = |e: csv::Error| Error::new(format!("Unable to process file: {e}"));
    let names: Vec<Value> = match given(names) {
        Some(names) => iterate(&names)?.to_vec(),
        None => match rows.next() {
            Some(row) => row.map_err(failed)?.iter().map(Value::from).collect(),
            None => Vec::new(),
        },
    };
    let mut items = Vec::new();
    for row in rows {
        let row = row.map_err(failed)?;
        let mut item = map! {};
        for (at, name) in names.iter().enumerate() {
            item.insert(name.clone(), row.get(at).map(Value::from).unwrap_or_default());
        }
        items.push(Value::from(item));
    }
    Ok(items.into())
}
