//! Reads a play.

use std::sync::Arc;

use playbook_api::{Error, Value, arguments::to_bool};

use super::fields::{self, parser_error, type_name};
use super::tasks::Reader;
use crate::document::{Kind, Node};
use crate::inventory::Vars;
use crate::playbook::shape::PLAY;
use crate::playbook::{Condition, Frame, FrameKind, Keyword, Play, Prompt};

impl Reader<'_> {
    /// Reads a play, and adds what the import of its playbook gives.
    pub(crate) fn play(
        mut self,
        entry: &Node,
        vars: &Vars,
        tags: &[Node],
        when: &[Condition],
    ) -> Result<Play, Error> {
        let place = entry.place().clone();
        let loader = self.loader;
        let mut keywords = loader.keywords(&PLAY, entry, |_| false)?;
        if let Some(user) = entry.get("user") {
            if entry.get("remote_user").is_some() {
                let message = "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and should be removed";
                return Err(parser_error(message, &place));
            }
            keywords.values.insert(Keyword::RemoteUser, user.clone());
        }
        let hosts = hosts(entry)?;
        if !vars.is_empty() {
            let own = Arc::make_mut(&mut keywords.vars);
            own.extend(vars.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        keywords.tags.extend(tags.iter().cloned());
        keywords.when.extend(when.iter().cloned());
        let vars = keywords.vars.clone();
        let frame = Frame::new(FrameKind::Play, keywords, None);
        let get = |name: &str| entry.get(name).filter(|node| !node.is_null()).cloned();

        let vars_files = get("vars_files").map_or_else(Vec::new, |n| match n.as_list() {
            Some(files) => files.to_vec(),
            None => vec![n],
        });
        self.vars_files = vars_files.clone();

        let mut roles = Vec::new();
        if let Some(list) = get("roles") {
            let Some(entries) = list.as_list() else {
                let message = format!(
                    "A malformed role declaration was encountered: ds ({}) should be a list but was a {}",
                    list.raw(),
                    type_name(&list)
                );
                return Err(parser_error(message, &place));
            };
            for role in entries {
                roles.extend(loader.spare(self.role_entry(role, &frame, &place))?);
            }
        }
        let mut handlers = std::mem::take(&mut self.loaded.get_mut().handlers);
        if let Some(list) = get("handlers") {
            let malformed = "A malformed block was encountered while loading handlers:";
            let own = self.handlers(&list, &frame, malformed, &place);
            handlers.extend(loader.spare(own)?.unwrap_or_default());
        }
        let section = |name: &str| match get(name) {
            Some(list) => {
                let malformed = format!("A malformed block was encountered while loading {name}:");
                let items = self.list(&list, &frame, false, &malformed, &place);
                loader.spare(items).map(Option::unwrap_or_default)
            }
            None => Ok(Vec::new()),
        };
        let (pre_tasks, post_tasks, tasks) =
            (section("pre_tasks")?, section("post_tasks")?, section("tasks")?);
        let directory = self.loader.directory.clone();
        let loaded = self.finish(Vec::new());
        handlers.extend(loaded.handlers);
        roles.extend(loaded.roles.into_iter().map(|role| (role, Vec::new())));
        Ok(Play {
            directory,
            hosts,
            gather_facts: get("gather_facts"),
            gather_subset: get("gather_subset"),
            gather_timeout: get("gather_timeout"),
            fact_path: get("fact_path"),
            vars_files,
            vars_prompt: match get("vars_prompt") {
                Some(node) => loader.spare(prompts(&node))?.unwrap_or_default(),
                None => Vec::new(),
            },
            serial: get("serial"),
            strategy: get("strategy"),
            order: get("order"),
            max_fail_percentage: get("max_fail_percentage"),
            force_handlers: get("force_handlers"),
            place,
            frame,
            pre_tasks,
            roles,
            tasks,
            post_tasks,
            handlers,
            vars,
        })
    }
}

impl Reader<'_> {
    /// Returns the variables of those vars_files that exist and whose names are known. The run reads them again and
    /// reports their errors.
    pub(crate) fn known_vars(&self, frame: &Arc<Frame>) -> Vars {
        let mut vars = Vars::default();
        for entry in &self.vars_files {
            for choice in entry.as_list().unwrap_or(std::slice::from_ref(entry)) {
                let Ok(name) = self.loader.text(choice, frame) else { continue };
                let path = self.loader.directory.join(crate::paths::expand_home(&name));
                let path = if path.exists() { path } else { self.loader.directory.join("vars").join(&name) };
                if let Ok(node) = self.loader.document(&path) {
                    vars.extend(fields::free_vars(&node));
                    break;
                }
            }
        }
        vars
    }
}

fn hosts(entry: &Node) -> Result<Node, Error> {
    let place = entry.place();
    let Some(hosts) = entry.get("hosts") else {
        return Err(parser_error("The field 'hosts' is required but was not set.", place).with_help(
            "Every play names its hosts: 'hosts: all', 'hosts: localhost', a group or a pattern.",
        ));
    };
    let empty = match hosts.kind() {
        Kind::List(items) => items.is_empty(),
        Kind::Value(value) => !value.is_true(),
        _ => false,
    };
    if empty {
        return Err(parser_error("Hosts list cannot be empty. Please check your playbook", hosts.place()));
    }
    for item in hosts.as_list().unwrap_or_default() {
        if item.is_null() {
            let message = "Hosts list cannot contain values of 'None'. Please check your playbook";
            return Err(parser_error(message, item.place()));
        }
        if item.source().is_none() {
            let message = format!("Hosts list contains an invalid host value: '{}'", item.raw());
            return Err(parser_error(message, item.place()));
        }
    }
    if hosts.as_list().is_none() && hosts.source().is_none() && !matches!(hosts.kind(), Kind::Vault(_)) {
        let message = "Hosts list must be a sequence or string. Please check your playbook.";
        return Err(parser_error(message, hosts.place()));
    }
    Ok(hosts.clone())
}

fn prompts(node: &Node) -> Result<Vec<Prompt>, Error> {
    const KEYS: [&str; 9] =
        ["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];
    let entries = match node.kind() {
        Kind::List(entries) => entries.clone(),
        _ => vec![node.clone()],
    };
    entries
        .iter()
        .map(|entry| {
            let Some(map) = entry.as_map() else {
                let message = format!(
                    "Invalid vars_prompt data structure, expected a dictionary, not {}",
                    type_name(entry)
                );
                return Err(parser_error(message, entry.place()));
            };
            let Some(name) = entry.get("name").filter(|name| !name.is_null()) else {
                let message = "Invalid vars_prompt data structure, missing 'name' key";
                return Err(parser_error(message, entry.place()));
            };
            if let Some((key, e)) = map.iter().find(|(key, _)| !KEYS.contains(&&*key.to_text())) {
                let message = format!("Invalid vars_prompt data structure, found unsupported key '{key}'");
                return Err(parser_error(message, &e.key));
            }
            fields::must_be_text("name", name, entry.place())?;
            let boolean = |name: &str, otherwise: bool| {
                entry.get(name).and_then(|n| to_bool(&n.raw())).unwrap_or(otherwise)
            };
            let text = |name: &str| entry.get(name).and_then(Node::source).map(Arc::from);
            Ok(Prompt {
                name: name.raw().to_text().into(),
                prompt: entry.get("prompt").cloned(),
                default: entry.get("default").filter(|n| !n.is_null()).cloned(),
                private: boolean("private", true),
                confirm: boolean("confirm", false),
                encrypt: text("encrypt"),
                salt_size: entry.get("salt_size").and_then(|n| match n.raw() {
                    Value::Str(text) => text.parse().ok(),
                    other => other.as_i64().and_then(|n| u64::try_from(n).ok()),
                }),
                salt: text("salt"),
                unsafe_text: boolean("unsafe", false),
            })
        })
        .collect()
}
