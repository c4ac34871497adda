//! Lookups that need only the controller: its files, environment and variables.

use std::collections::HashMap;
use std::sync::OnceLock;

use playbook_api::{Error, Map, Value};

use super::Renderer;
use super::filters::short_name;

mod commands;
mod config;
mod csvfile;
mod env;
mod files;
pub mod first_found;
mod ini;
mod inventory_hostnames;
mod lists;
#[cfg(test)]
mod oracle;
mod password;
pub mod search;
mod sequence;
mod subelements;
mod template;
mod terms;
mod url;
mod vars;

/// What a lookup finds for its terms.
pub type Run = fn(terms: &[Value], options: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error>;

/// A built-in lookup.
pub struct Lookup {
    pub name: &'static str,
    pub run: Run,
}

const FAMILIES: &[&[Lookup]] = &[
    commands::LOOKUPS,
    config::LOOKUPS,
    csvfile::LOOKUPS,
    env::LOOKUPS,
    files::LOOKUPS,
    first_found::LOOKUPS,
    ini::LOOKUPS,
    inventory_hostnames::LOOKUPS,
    lists::LOOKUPS,
    password::LOOKUPS,
    sequence::LOOKUPS,
    subelements::LOOKUPS,
    template::LOOKUPS,
    url::LOOKUPS,
    vars::LOOKUPS,
];

/// The lookup of a short or full name (`env`, `ansible.builtin.env`).
pub fn find(name: &str) -> Option<&'static Lookup> {
    static INDEX: OnceLock<HashMap<&str, &Lookup>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        FAMILIES.iter().flat_map(|family| family.iter()).map(|lookup| (lookup.name, lookup)).collect()
    });
    index.get(short_name(name)).copied()
}

/// All short names, for "did you mean".
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|lookup| lookup.name)
}
