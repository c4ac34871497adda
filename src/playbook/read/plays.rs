//! Reads a play.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Value, arguments::to_bool};

use super::fields::{self, parser_error, type_name};
use super::roles::Checked;
use super::tasks::Reader;
use crate::document::{Kind, Node};
use crate::inventory::Vars;
use crate::playbook::shape::PLAY;
use crate::playbook::{Condition, Frame, FrameKind, Keyword, Play, Prompt, Task};

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
        let written = entry.as_map().and_then(|map| map.get(&Value::from(VALIDATION)));
        if let Some(written) = written.filter(|_| !loader.settings.core.validates_plays()) {
            (loader.fault)(PLAY.unknown(VALIDATION, &written.key))?;
        }
        let mut keywords = loader.keywords(&PLAY, entry, |_| false)?;
        if let Some(user) = entry.get("user") {
            if entry.get("remote_user").is_some() {
                let message = "both 'user' and 'remote_user' are set for this play. The use of 'user' is \
                    deprecated, and should be removed";
                return Err(parser_error(message, &place));
            }
            fields::must_be_text("remote_user", user, &place)?;
            keywords.values.insert(Keyword::RemoteUser, user.clone());
        }
        for name in ["fact_path", "order", "strategy"] {
            if let Some(value) = entry.get(name) {
                loader.spare(fields::must_be_text(name, value, &place))?;
            }
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
        for file in &vars_files {
            let choices = file.as_list().unwrap_or(std::slice::from_ref(file));
            if let Some(wrong) = choices.iter().find(|choice| type_name(choice) != "str") {
                let message = format!("Invalid `vars_files` value of type '{}'.", type_name(wrong));
                let error = parser_error(message, wrong.place());
                let help = "A `vars_files` value should either be a string or list of strings.";
                loader.spare::<()>(Err(error.with_help(help)))?;
            }
        }
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
        let validation = self.validation(entry, &frame)?;
        let directory = self.loader.directory.clone();
        let loaded = self.finish(Vec::new());
        handlers.extend(loaded.handlers);
        roles.extend(loaded.roles.into_iter().map(|role| (role, Vec::new())));
        Ok(Play {
            directory,
            hosts,
            validation: validation.map(Arc::new),
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

/// The keyword of a play that has an argument spec.
const VALIDATION: &str = "validate_argspec";

impl Reader<'_> {
    /// Returns the task that validates a play's variables. Its spec is in a file beside the playbook.
    fn validation(&self, entry: &Node, frame: &Arc<Frame>) -> Result<Option<Task>, Error> {
        let loader = self.loader;
        let Some(node) = entry.get(VALIDATION).filter(|node| !node.is_null()) else { return Ok(None) };
        if !loader.settings.core.validates_plays() {
            return Ok(None);
        }
        fields::must_be_text(VALIDATION, node, node.place())?;
        let fault = |e: Error| {
            e.with_kind(ErrorKind::Syntax)
                .context(format!("Error processing keyword '{VALIDATION}'"))
                .at(node.place())
        };
        let title = entry.get("name").and_then(Node::source).unwrap_or_default();
        let name = match (loader.render)(node, frame).map_err(fault)? {
            Value::Bool(false) | Value::Null | Value::Omit => return Ok(None),
            Value::Bool(true) if title.is_empty() => {
                let message = "A play name is required when validate_argspec is True. Alternatively, set \
                    validate_argspec to the name of an argument spec.";
                return Err(fault(Error::new(message).at(entry.place())));
            }
            Value::Bool(true) => title.to_owned(),
            name => name.to_text().into_owned(),
        };
        let playbook = PathBuf::from(&*entry.place().file);
        let considered =
            ["meta.yml", "meta.yaml", "meta.json", "meta"].map(|end| playbook.with_extension(end));
        let Some(path) = considered.iter().find(|path| path.is_file()) else {
            let list: Vec<String> =
                considered.iter().map(|path| format!("\n  - {}", path.display())).collect();
            let message = format!("A playbook meta file is required. Considered:{}", list.concat());
            return Err(fault(Error::new(message).at(entry.place())));
        };
        let meta = loader.document(path).map_err(fault)?;
        let specs = meta.get("argument_specs");
        let Some(spec) = specs.and_then(|specs| specs.get(&name)) else {
            let message = format!(
                "No argument spec named '{name}' in {}. Minimally expected:\nargument_specs:\n  {name}:\n    options: {{}}",
                path.display()
            );
            return Err(fault(Error::new(message).at(specs.unwrap_or(&meta).place())));
        };
        let checked = Checked { kind: "play", name: &name, spec_name: &name, path, given: Vec::new() };
        let title = format!("Validating arguments against arg spec {name}");
        Ok(Some(checked.task(&title, spec, frame)))
    }

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
