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
#[cfg(test)]
mod example;
mod files;
mod first_found;
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

/// A built-in lookup: an entry of a family's table.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// The short name.
    pub name: &'static str,
    /// Finds the result.
    pub run: Run,
    /// Where it takes undefined values.
    pub undefined: Undefined,
    /// Whether its terms are rendered when it reads them, and not before the loop (`with_NAME`) that uses it.
    pub lazy_terms: bool,
}

/// Where a lookup takes undefined values as they are. Anywhere else they are the result of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// Nowhere.
    Nowhere,
    /// As members of terms and options, as in the default of `env`.
    Members,
    /// As terms.
    Terms,
}

impl Lookup {
    /// A lookup that takes only what is computed and defined.
    pub const fn new(name: &'static str, run: Run) -> Lookup {
        Lookup { name, run, undefined: Undefined::Nowhere, lazy_terms: false }
    }

    /// A lookup that takes undefined values.
    pub const fn taking(mut self, undefined: Undefined) -> Lookup {
        self.undefined = undefined;
        self
    }

    /// A lookup whose terms are rendered when it reads them.
    pub const fn with_lazy_terms(mut self) -> Lookup {
        self.lazy_terms = true;
        self
    }
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

/// Returns all short names, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|lookup| lookup.name)
}
