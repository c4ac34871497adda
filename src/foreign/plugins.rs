//! Filters, tests and lookups in Python.

use std::collections::HashMap;

use playbook_api::sync::lock;
use playbook_api::{Error, Map, PluginKind, Plugins, Value, Variables, name};
use serde_json::{Value as Json, json};

use super::collections::full_name;
use super::{Foreign, Kind, nothing_to_ask, wire};

/// What is known about the names of plugins.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The texts of the files of a kind, in which names are searched without starting Python.
    texts: HashMap<PluginKind, Vec<String>>,
    /// Python's answers about names, since filters and tests have other names than their files.
    known: HashMap<(PluginKind, String), Result<bool, Error>>,
    /// Whether lookups accept undefined values.
    tolerant: HashMap<String, bool>,
}

fn kind(plugin: PluginKind) -> Kind {
    match plugin {
        PluginKind::Filter => Kind::Filter,
        PluginKind::Test => Kind::Test,
        PluginKind::Lookup => Kind::Lookup,
        PluginKind::Inventory => Kind::Inventory,
    }
}

impl Foreign {
    /// Whether a file of the kind mentions the name at all.
    fn mentioned(&self, plugin: PluginKind, name: &str) -> bool {
        let mut names = lock(&self.names);
        let texts = names.texts.entry(plugin).or_insert_with(|| {
            let files = self.directories.all(kind(plugin), &self.settings);
            files.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
        });
        texts.iter().any(|text| text.contains(name))
    }

    /// Whether there are files of the kind that are in no collection.
    fn any(&self, plugin: PluginKind) -> bool {
        self.mentioned(plugin, "")
    }

    /// Whether Python has the plugin. Without Python it is assumed to exist, so that the call reports what is missing.
    fn known(&self, plugin: PluginKind, name: &str) -> Result<bool, Error> {
        let key = (plugin, name.to_owned());
        if let Some(known) = lock(&self.names).known.get(&key) {
            return known.clone();
        }
        let known = match self.python() {
            Ok(python) => {
                let body = json!({ "kind": kind(plugin).name(), "name": name });
                python.ask("has", body, &mut nothing_to_ask).map(|answer| answer == Json::Bool(true))
            }
            // A lookup has the name of its file.
            Err(_) if plugin == PluginKind::Lookup && self.find(Kind::Lookup, name, &[])?.is_some() => {
                Ok(true)
            }
            Err(_) => Ok(full_name(name).is_some() || self.mentioned(plugin, name)),
        };
        lock(&self.names).known.insert(key, known.clone());
        known
    }
}

impl Plugins for Foreign {
    fn overrides(&self, plugin: PluginKind, name: &str) -> bool {
        match (plugin, full_name(name)) {
            (_, Some((collection, _))) if collection != "ansible.legacy" => false,
            (PluginKind::Lookup | PluginKind::Inventory, _) => {
                let short = name::builtin(name);
                self.directories.find(kind(plugin), short, &self.settings).is_some()
            }
            _ => {
                let short = name::builtin(name);
                // Python is not started for a built-in one that no file mentions.
                self.mentioned(plugin, short) && self.known(plugin, short).is_ok_and(|known| known)
            }
        }
    }

    fn has(&self, plugin: PluginKind, name: &str) -> Result<bool, Error> {
        if plugin == PluginKind::Inventory {
            return Ok(self.find(Kind::Inventory, name, &[])?.is_some());
        }
        match full_name(name) {
            Some((collection, _)) if collection == "ansible.builtin" => Ok(false),
            Some((collection, short)) if collection == "ansible.legacy" => self.has(plugin, short),
            Some((collection, _)) => {
                Ok(!self.collection(&collection).is_empty() && self.known(plugin, name)?)
            }
            // Only Python knows a name that has moved from ansible-core to a collection.
            None => Ok((self.any(plugin) || self.python().is_ok()) && self.known(plugin, name)?),
        }
    }

    fn inventory(&self, name: &str, source: &str, known: &Map) -> Result<Option<Map>, Error> {
        let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
        if self.find(Kind::Inventory, short, &[])?.is_none() && self.python().is_err() {
            return Ok(None);
        }
        let python = self.python_for("inventory plugin", name)?;
        let known = wire::encode(&known.clone().into());
        let body = json!({ "name": name, "source": source, "known": known });
        match python.ask("inventory", body, &mut nothing_to_ask)? {
            Json::Null => Ok(None),
            made => wire::decode_map(made).map(Some),
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
        if let Some(known) = lock(&self.names).tolerant.get(name) {
            return *known;
        }
        let asked = self.python().and_then(|python| python.ask("markers", json!(name), &mut nothing_to_ask));
        let known = asked.is_ok_and(|answer| answer == Json::Bool(true));
        lock(&self.names).tolerant.insert(name.to_owned(), known);
        known
    }

    fn option(
        &self,
        kind: &str,
        plugin: &str,
        option: &str,
        variables: &dyn Variables,
    ) -> Result<Option<(Value, String)>, Error> {
        let python = self.python_for(&format!("{kind} plugin"), plugin)?;
        let body = json!({ "kind": kind, "plugin": plugin, "option": option });
        let mut serve = |what: &str, body: Json| match what {
            "variables" => Ok(answer_variables(variables, &body)),
            _ => nothing_to_ask(what, body),
        };
        let answer = wire::decode(python.ask("option", body, &mut serve)?)?;
        Ok(match answer.as_list() {
            Some([value, origin]) => Some((value.clone(), origin.to_text().to_string())),
            _ => None,
        })
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

/// Returns the variables of the current host, or of the one that the body names.
pub(super) fn answer_variables(variables: &dyn Variables, body: &Json) -> Json {
    variables.all(body.as_str()).map_or(Json::Null, |all| wire::encode(&all.into()))
}
