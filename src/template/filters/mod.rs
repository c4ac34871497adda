//! Filters, with one family per file.

use std::collections::HashMap;
use std::sync::OnceLock;

use playbook_api::name;

use super::Function;

pub mod arguments;
pub mod attributes;
mod basics;
mod codec;
mod combine;
mod comment;
mod dicts;
mod encodings;
#[cfg(test)]
mod example;
mod general;
mod html;
mod iterators;
mod json;
mod lists;
pub(crate) mod mersenne;
mod network;
mod numbers;
#[cfg(test)]
mod oracle;
pub(crate) mod password_hash;
pub(crate) mod paths;
pub mod protomatter;
mod random;
mod regexes;
mod selection;
mod sets;
mod text;
mod time;
pub(crate) mod urls;
mod vaults;
mod wrap;
mod yaml;

pub(crate) use basics::word_as_bool;
pub(crate) use codec::Codec;
pub(crate) use iterators::{cartesian, flatten_into};

const FAMILIES: &[&[Function]] = &[
    basics::FILTERS,
    combine::FILTERS,
    comment::FILTERS,
    dicts::FILTERS,
    encodings::FILTERS,
    general::FILTERS,
    html::FILTERS,
    iterators::FILTERS,
    json::FILTERS,
    lists::FILTERS,
    network::FILTERS,
    numbers::FILTERS,
    password_hash::FILTERS,
    paths::FILTERS,
    protomatter::FILTERS,
    random::FILTERS,
    regexes::FILTERS,
    selection::FILTERS,
    sets::FILTERS,
    text::FILTERS,
    time::FILTERS,
    urls::FILTERS,
    vaults::FILTERS,
    yaml::FILTERS,
];

/// The collections whose filters, tests and lookups are built in, beside ansible-core's own.
const COLLECTIONS: &[&str] = &["community.general", "ansible.utils", "ansible.netcommon", "community.crypto"];

/// Returns the name without the collection in front, if the collection is one whose plugins are built in.
pub(crate) fn short_name(name: &str) -> &str {
    name::within(COLLECTIONS, name)
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

/// Returns all short names, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|function| function.name)
}
