//! Filters, tests and lookups in Python.

use std::collections::HashMap;

use playbook_api::{Error, Map, PluginKind, Plugins, Value, Variables};
use serde_json::{Value as Json, json};

use super::collections::full_name;
use super::{Foreign, Kind, lock, nothing_to_ask, wire};

/// What is known of names.
#[derive(Debug, Default)]
pub struct Names {
    /// Of filters and tests, asked for once: they are not the names of files.
    jinja: HashMap<PluginKind, Vec<String>>,
    /// What the files of a kind say, to look for a name in without starting Python.
    texts: HashMap<PluginKind, Vec<String>>,
    /// Names that a collection has, or has not.
    full: HashMap<(PluginKind, String), bool>,
}

fn kind(plugin: PluginKind) -> Kind {
    match plugin {
        PluginKind::Filter => Kind::Filter,
        PluginKind::Test => Kind::Test,
        PluginKind::Lookup => Kind::Lookup,
    }
}

impl Foreign {
    /// Whether a file of the kind mentions the name at all.
    fn mentioned(&self, plugin: PluginKind, name: &str) -> bool {
        let mut names = lock(&self.names);
        let texts = names.texts.entry(plugin).or_insert_with(|| {
            let files = self.folders.all(kind(plugin), &self.settings);
            files.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
        });
        texts.iter().any(|text| text.contains(name))
    }

    /// Whether there are files of the kind that are in no collection.
    fn any(&self, plugin: PluginKind) -> bool {
        self.mentioned(plugin, "")
    }

    fn jinja_name(&self, plugin: PluginKind, name: &str) -> bool {
        if !self.any(plugin) {
            return false;
        }
        if let Some(names) = lock(&self.names).jinja.get(&plugin) {
            return names.iter().any(|known| known == name);
        }
        let Ok(python) = self.python() else {
            // Whoever calls it is told what is missing.
            return self.mentioned(plugin, name);
        };
        let answer = python.ask("names", json!(kind(plugin).name()), &mut nothing_to_ask).unwrap_or_default();
        let list = |json: Json| match json {
            Json::Array(items) => items.into_iter().filter_map(|i| i.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        let found: Vec<String> = list(answer);
        let known = found.iter().any(|known| known == name);
        lock(&self.names).jinja.insert(plugin, found);
        known
    }

    fn in_a_collection(&self, plugin: PluginKind, collection: &str, name: &str) -> bool {
        let key = (plugin, name.to_owned());
        if let Some(known) = lock(&self.names).full.get(&key) {
            return *known;
        }
        let there = !self.collection(collection).is_empty();
        let known = there
            && match self.python() {
                Ok(python) => {
                    let body = json!({ "kind": kind(plugin).name(), "name": name });
                    python.ask("has", body, &mut nothing_to_ask).is_ok_and(|answer| answer == Json::Bool(true))
                }
                Err(_) => true,
            };
        lock(&self.names).full.insert(key, known);
        known
    }
}

impl Plugins for Foreign {
    fn overrides(&self, plugin: PluginKind, name: &str) -> bool {
        match (plugin, full_name(name)) {
            (_, Some((collection, _))) if collection != "ansible.legacy" => false,
            (PluginKind::Lookup, _) => {
                let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
                self.folders.find(Kind::Lookup, short, &self.settings).is_some()
            }
            _ => {
                let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
                self.mentioned(plugin, short) && self.jinja_name(plugin, short)
            }
        }
    }

    fn has(&self, plugin: PluginKind, name: &str) -> bool {
        match full_name(name) {
            Some((collection, _)) if collection == "ansible.builtin" => false,
            Some((collection, short)) if collection == "ansible.legacy" => self.has(plugin, short),
            Some((collection, _)) => self.in_a_collection(plugin, &collection, name),
            None if plugin == PluginKind::Lookup => {
                self.folders.find(Kind::Lookup, name, &self.settings).is_some()
            }
            None => self.jinja_name(plugin, name),
        }
    }

    fn call(
        &self,
        plugin: PluginKind,
        name: &str,
        input: &Value,
        args: &[Value],
        options: &Map,
    ) -> Result<Value, Error> {
        let kind = kind(plugin).name();
        let python = self.python_for(&format!("{kind} plugin"), name)?;
        let args: Vec<Json> = args.iter().map(wire::encode).collect();
        let body = json!({
            "kind": kind, "name": name, "input": wire::encode(input), "args": args,
            "options": wire::encode(&Value::from(options.clone())),
        });
        wire::decode(python.ask("jinja", body, &mut nothing_to_ask)?)
    }

    fn takes_undefined(&self, name: &str) -> bool {
        let key = (PluginKind::Lookup, format!("markers:{name}"));
        if let Some(known) = lock(&self.names).full.get(&key) {
            return *known;
        }
        let asked = self.python().and_then(|python| python.ask("markers", json!(name), &mut nothing_to_ask));
        let known = asked.is_ok_and(|answer| answer == Json::Bool(true));
        lock(&self.names).full.insert(key, known);
        known
    }

    fn lookup(
        &self,
        name: &str,
        terms: &[Value],
        options: &Map,
        variables: &dyn Variables,
    ) -> Result<Vec<Value>, Error> {
        let python = self.python_for("lookup plugin", name)?;
        let terms: Vec<Json> = terms.iter().map(wire::encode).collect();
        let body =
            json!({ "name": name, "terms": terms, "options": wire::encode(&Value::from(options.clone())) });
        let mut serve = |what: &str, body: Json| match what {
            "variables" => Ok(answer_variables(variables, &body)),
            _ => nothing_to_ask(what, body),
        };
        match wire::decode(python.ask("lookup", body, &mut serve)?)? {
            Value::List(items) => Ok(items.to_vec()),
            other => Ok(vec![other]),
        }
    }
}

/// The variables of the host in question, or of the one that is named.
pub fn answer_variables(variables: &dyn Variables, body: &Json) -> Json {
    variables.all(body.as_str()).map_or(Json::Null, |all| wire::encode(&all.into()))
}
