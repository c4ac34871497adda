//! Filters, one family a file.

use std::collections::HashMap;
use std::sync::OnceLock;

use playbook_api::{Error, Value};

use super::{Call, Function};

pub mod arguments;
pub mod attributes;
mod basics;
mod codec;
mod combine;
mod dicts;
mod encodings;
mod html;
mod iterators;
mod json;
mod json_reader;
mod lists;
pub(crate) mod mersenne;
mod numbers;
pub(crate) mod password_hash;
pub(crate) mod paths;
pub mod percent;
mod random;
mod regexes;
mod selection;
mod sets;
mod text;
pub(crate) mod urls;
mod wrap;

pub(crate) use basics::word_as_bool;
pub(crate) use codec::Codec;
pub(crate) use iterators::{cartesian, flatten_into};

const FAMILIES: &[&[Function]] = &[
    basics::FILTERS,
    combine::FILTERS,
    dicts::FILTERS,
    encodings::FILTERS,
    html::FILTERS,
    iterators::FILTERS,
    json::FILTERS,
    lists::FILTERS,
    numbers::FILTERS,
    password_hash::FILTERS,
    paths::FILTERS,
    random::FILTERS,
    regexes::FILTERS,
    selection::FILTERS,
    sets::FILTERS,
    text::FILTERS,
    urls::FILTERS,
];

/// The collections whose filters, tests and lookups are built in.
const COLLECTIONS: &[&str] = &[
    "ansible.builtin.",
    "ansible.legacy.",
    "community.general.",
    "ansible.utils.",
    "ansible.netcommon.",
    "community.crypto.",
];

/// The name without the collection in front.
pub(crate) fn short_name(name: &str) -> &str {
    COLLECTIONS.iter().find_map(|collection| name.strip_prefix(collection)).unwrap_or(name)
}

/// An index of families by name.
pub(crate) fn index(families: &'static [&'static [Function]]) -> HashMap<&'static str, &'static Function> {
    families.iter().flat_map(|family| family.iter()).map(|function| (function.name, function)).collect()
}

/// The filter of a short or full name (`to_json`, `ansible.builtin.to_json`).
pub fn find(name: &str) -> Option<&'static Function> {
    static INDEX: OnceLock<HashMap<&str, &Function>> = OnceLock::new();
    INDEX.get_or_init(|| index(FAMILIES)).get(short_name(name)).copied()
}

/// All short names, for "did you mean".
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|function| function.name)
}

/// Calls a filter. What it makes of a secret text is a secret too, and so is a text made of a collection that
/// holds one; members that move from one collection to another keep their own marks.
pub fn run(function: &Function, call: &mut Call) -> Result<Value, Error> {
    let text = |value: &Value| value.as_list().is_none() && value.as_map().is_none() && value.is_secret();
    let from_text = text(&call.input) || call.args.iter().chain(call.kwargs.values()).any(text);
    let anywhere = from_text
        || call.input.is_secret()
        || call.args.iter().chain(call.kwargs.values()).any(Value::is_secret);
    let result = (function.call)(call)?;
    let secret = from_text || (anywhere && matches!(result, Value::Str(_)));
    Ok(if secret { result.into_secret() } else { result })
}
