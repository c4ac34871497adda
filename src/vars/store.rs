//! What a run knows about its hosts: facts, variables of `set_fact` and `include_vars`, registered results.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use indexmap::IndexMap;
use playbook_api::{Error, Map, Value, sync};

use super::FactCache;
use crate::inventory::Vars;

/// Values by name, as `set_fact` and `register` set them.
pub type Values = IndexMap<Arc<str>, Value>;

/// What a run knows about one host. The layers are shared, so that a snapshot copies no variables.
#[derive(Clone, Debug, Default)]
pub struct HostState {
    /// Facts under the names the module returned (`ansible_distribution`), and cacheable `set_fact`s.
    pub facts: Arc<Map>,
    /// The same facts without their prefix, as `ansible_facts` shows them.
    pub ansible_facts: Arc<Map>,
    /// The variables of `include_vars` as written, which are rendered when they are needed.
    pub included: Arc<Vars>,
    /// The variables of The variables of `set_fact` and `register`; the later one wins.
    pub set: Arc<Values>,
}

/// The state of all hosts.
#[derive(Debug, Default)]
pub struct Store {
    hosts: RwLock<HashMap<Arc<str>, HostState>>,
    cache: Option<FactCache>,
}

impl Store {
    /// Makes a store that reads facts from a cache and saves them there.
    pub fn with_cache(cache: Option<FactCache>) -> Store {
        Store { cache, ..Store::default() }
    }

    /// Returns what is known about a host now.
    pub fn host(&self, name: &str) -> HostState {
        let known = sync::read(&self.hosts).get(name).cloned();
        match known {
            Some(state) => state,
            None if self.cache.is_some() => {
                let mut hosts = sync::write(&self.hosts);
                hosts.entry(name.into()).or_insert_with(|| self.cached(name)).clone()
            }
            None => HostState::default(),
        }
    }

    /// Returns what is known about a host from earlier runs.
    fn cached(&self, name: &str) -> HostState {
        let facts = self.cache.as_ref().and_then(|cache| cache.load(name)).unwrap_or_default();
        HostState {
            ansible_facts: Arc::new(deprefixed(&facts)),
            facts: Arc::new(facts),
            ..HostState::default()
        }
    }

    fn with(&self, name: &Arc<str>, change: impl FnOnce(&mut HostState)) {
        let mut hosts = sync::write(&self.hosts);
        change(hosts.entry(name.clone()).or_insert_with(|| self.cached(name)));
    }

    /// Sets a variable of a host.
    pub fn set(&self, host: &Arc<str>, name: impl Into<Arc<str>>, value: Value) {
        self.with(host, |state| {
            Arc::make_mut(&mut state.set).insert(name.into(), value);
        });
    }

    /// Sets variables of a host.
    pub fn set_all(&self, host: &Arc<str>, values: impl IntoIterator<Item = (Arc<str>, Value)>) {
        self.with(host, |state| Arc::make_mut(&mut state.set).extend(values));
    }

    /// Adds variables of `include_vars` to a host.
    pub fn include(&self, host: &Arc<str>, vars: Vars) {
        self.with(host, |state| Arc::make_mut(&mut state.included).extend(vars));
    }

    /// Merges gathered facts. As in Ansible, earlier members of `ansible_facts` stay unless they are gathered again.
    pub fn add_facts(&self, host: &Arc<str>, facts: &Map) -> Result<(), Error> {
        self.with(host, |state| {
            Arc::make_mut(&mut state.ansible_facts).extend(deprefixed(facts));
            Arc::make_mut(&mut state.facts).extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
        });
        match &self.cache {
            Some(cache) => cache.save(host, &self.host(host).facts),
            None => Ok(()),
        }
    }

    /// Forgets gathered facts (`meta: clear_facts`); variables of `set_fact` that are not cacheable stay.
    pub fn clear_facts(&self, host: &Arc<str>) -> Result<(), Error> {
        self.with(host, |state| {
            state.facts = Arc::default();
            state.ansible_facts = Arc::default();
        });
        match &self.cache {
            Some(cache) => cache.forget(host),
            None => Ok(()),
        }
    }
}

/// Returns facts under the names that they have in `ansible_facts`.
pub fn deprefixed(facts: &Map) -> Map {
    let short = |key: &Value| match key.as_str().and_then(|k| k.strip_prefix("ansible_")) {
        Some("local") | None => key.clone(),
        Some(short) => short.into(),
    };
    facts.iter().map(|(key, value)| (short(key), value.clone())).collect()
}
