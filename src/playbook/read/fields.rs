//! Reads the keywords of a written map, and refuses those its kind does not have.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place, Value, nearest};

use crate::document::{Entry, Kind, Node};
use crate::inventory::Vars;
use crate::playbook::{Condition, Keywords};

/// Keywords that are inherited and rendered when a task runs.
const INHERITED: &[&str] = &[
    "any_errors_fatal",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "check_mode",
    "collections",
    "connection",
    "debugger",
    "delegate_facts",
    "delegate_to",
    "diff",
    "environment",
    "ignore_errors",
    "ignore_unreachable",
    "module_defaults",
    "no_log",
    "notify",
    "port",
    "remote_user",
    "run_once",
    "throttle",
    "timeout",
];

/// Those of the inherited keywords that must be text.
const TEXTS: &[&str] = &[
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "connection",
    "debugger",
    "delegate_to",
    "remote_user",
];

/// What a written map is, and so which keywords it may hold.
pub(in crate::playbook) struct Shape {
    /// The name that messages use.
    pub name: &'static str,
    /// Keywords of its own, beside the common ones.
    own: &'static [&'static str],
    /// Common keywords that it does not have.
    without: &'static [&'static str],
    /// What messages add.
    hint: &'static str,
}

const TASK: &[&str] = &[
    "action",
    "local_action",
    "args",
    "async",
    "async_val",
    "changed_when",
    "delay",
    "failed_when",
    "loop",
    "loop_control",
    "poll",
    "register",
    "retries",
    "until",
];

pub(in crate::playbook) const PLAY: Shape = Shape {
    name: "Play",
    own: &[
        "fact_path",
        "force_handlers",
        "gather_facts",
        "gather_subset",
        "gather_timeout",
        "handlers",
        "hosts",
        "max_fail_percentage",
        "order",
        "post_tasks",
        "pre_tasks",
        "roles",
        "serial",
        "strategy",
        "tasks",
        "user",
        "vars_files",
        "vars_prompt",
    ],
    without: &["when", "notify", "delegate_to", "delegate_facts"],
    hint: "",
};
pub(in crate::playbook) const BLOCK: Shape =
    Shape { name: "Block", own: &["block", "rescue", "always"], without: &[], hint: "" };
pub(in crate::playbook) const TASK_SHAPE: Shape = Shape {
    name: "Task",
    own: TASK,
    without: &[],
    hint: "\nThis error can be suppressed as a warning using the \"invalid_task_attribute_failed\" configuration",
};
pub(super) const HANDLER: Shape = Shape { name: "Handler", ..TASK_SHAPE };
pub(super) const INCLUDE: Shape = Shape { name: "TaskInclude", ..TASK_SHAPE };
pub(super) const HANDLER_INCLUDE: Shape = Shape { name: "HandlerTaskInclude", ..TASK_SHAPE };
pub(super) const INCLUDE_ROLE: Shape =
    Shape { name: "IncludeRole", own: &["public", "allow_duplicates", "rolespec_validate"], ..TASK_SHAPE };
pub(super) const ROLE: Shape = Shape { name: "RoleInclude", own: &["role"], without: &["notify"], hint: "" };
pub(super) const PLAYBOOK_INCLUDE: Shape = Shape {
    name: "PlaybookInclude",
    own: &["import_playbook"],
    without: &["notify", "delegate_to", "delegate_facts", "collections"],
    hint: "",
};

/// What a dynamic include may say; the rest would be lost on it.
pub(super) const INCLUDE_KEYWORDS: &[&str] = &[
    "action",
    "args",
    "collections",
    "debugger",
    "ignore_errors",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "name",
    "no_log",
    "register",
    "run_once",
    "tags",
    "timeout",
    "vars",
    "when",
];

impl Shape {
    pub(in crate::playbook) fn has(&self, keyword: &str) -> bool {
        let handler = self.name.starts_with("Handler") && keyword == "listen";
        let task = !self.hint.is_empty() && TASK.contains(&keyword);
        handler
            || task
            || self.own.contains(&keyword)
            || (!self.without.contains(&keyword)
                && (INHERITED.contains(&keyword) || matches!(keyword, "name" | "when" | "tags" | "vars")))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'static str> {
        let common = INHERITED.iter().chain(&["name", "when", "tags", "vars"]);
        common.chain(self.own).copied().filter(|k| !self.without.contains(k))
    }

    /// The error for a keyword this does not have.
    pub(super) fn unknown(&self, keyword: &str, place: &Place) -> Error {
        let message = format!("'{keyword}' is not a valid attribute for a {}{}", self.name, self.hint);
        let error = parser_error(message, place);
        match nearest(keyword, self.all()) {
            Some(name) => error.with_help(format!("Did you mean '{name}'?")),
            None => error,
        }
    }

    /// Reads the common keywords; the caller has looked at the others, named by `skip`. What is wrong with one of
    /// them goes to `fault`, which ends the reading or does not.
    pub(super) fn keywords(
        &self,
        node: &Node,
        skip: impl Fn(&str) -> bool,
        fault: &dyn Fn(Error) -> Result<(), Error>,
    ) -> Result<Keywords, Error> {
        let mut keywords = Keywords::default();
        for (key, entry) in node.as_map().into_iter().flatten() {
            if !skip(&key.to_text()) {
                self.keyword(key, entry, node.place(), &mut keywords).or_else(fault)?;
            }
        }
        Ok(keywords)
    }

    fn keyword(
        &self,
        key: &Value,
        Entry { key: key_place, node: value }: &Entry,
        owner: &Place,
        keywords: &mut Keywords,
    ) -> Result<(), Error> {
        let name = key.to_text();
        let name = &*name;
        if !self.has(name) || key.as_str().is_none() {
            return Err(self.unknown(name, key_place));
        }
        if name == "name" || TEXTS.contains(&name) {
            must_be_text(name, value, owner)?;
        }
        match name {
            "name" => keywords.name = Some(value.clone()).filter(|v| !v.is_null()),
            "when" => keywords.when = Condition::list(value),
            "tags" => keywords.tags = tags(value)?,
            "vars" => keywords.vars = Arc::new(vars(self.name, value)?),
            _ => {
                if let Some(name) = INHERITED.iter().find(|k| **k == name) {
                    keywords.values.insert(name, value.clone());
                }
            }
        }
        Ok(())
    }
}

/// Whether a key of a task is a keyword of tasks or handlers, and not the name of an action.
pub(super) fn is_task_keyword(key: &str) -> bool {
    matches!(key, "listen" | "static" | "loop_with") || key.starts_with("with_") || TASK_SHAPE.has(key)
}

/// An error that is found when documents are loaded.
pub(super) fn parser_error(message: impl Into<String>, place: &Place) -> Error {
    Error::new(message).with_kind(ErrorKind::Syntax).at(place)
}

pub(super) fn must_be_text(name: &str, node: &Node, place: &Place) -> Result<(), Error> {
    match node.kind() {
        Kind::List(_) | Kind::Map(_) => {
            let found = type_name(node);
            let message = format!(
                "The field '{name}' is supposed to be a string type, however the incoming data structure is a <class '{found}'>"
            );
            Err(parser_error(message, place))
        }
        _ => Ok(()),
    }
}

/// Python's name for the type of a written value.
pub(super) fn type_name(node: &Node) -> &'static str {
    match node.kind() {
        Kind::Value(value) => value.type_name(),
        Kind::Template(_) | Kind::Vault(_) => "str",
        Kind::List(_) => "list",
        Kind::Map(_) => "dict",
    }
}

/// `tags`: a list, or text with commas.
pub(super) fn tags(node: &Node) -> Result<Vec<Node>, Error> {
    match node.kind() {
        Kind::List(items) => Ok(items.clone()),
        Kind::Value(Value::Str(text)) => {
            Ok(text.split(',').map(|tag| Node::value(node.place().clone(), tag.trim())).collect())
        }
        Kind::Value(Value::Int(_)) | Kind::Template(_) => Ok(vec![node.clone()]),
        Kind::Value(Value::Null) => Ok(Vec::new()),
        _ => Err(Error::new("tags must be specified as a list").at(node.place())),
    }
}

/// `vars`: a dictionary whose keys are variable names.
pub(super) fn vars(owner: &str, node: &Node) -> Result<Vars, Error> {
    if node.is_null() {
        return Ok(Vars::default());
    }
    let Some(map) = node.as_map() else {
        let message = format!("Vars in a {owner} must be specified as a dictionary.");
        return Err(parser_error(message, node.place()));
    };
    map.iter()
        .map(|(key, entry)| {
            check_variable_name(key, &entry.key)?;
            Ok((Arc::from(&*key.to_text()), entry.node.clone()))
        })
        .collect()
}

/// A written map as variables, whatever its keys are called.
pub(super) fn free_vars(node: &Node) -> Vars {
    let entries = node.as_map().into_iter().flatten();
    entries.map(|(key, entry)| (Arc::from(&*key.to_text()), entry.node.clone())).collect()
}

/// Names that mean something to Jinja.
const RESERVED: &[&str] = &["true", "false", "none", "True", "False", "None", "not"];

/// Variable names are identifiers.
pub fn is_variable_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}

pub fn check_variable_name(name: &Value, place: &Place) -> Result<(), Error> {
    let of_type = match name {
        Value::Str(text) if is_variable_name(text) => return Ok(()),
        Value::Str(_) => String::new(),
        other => format!(" of type '{}'", other.type_name()),
    };
    Err(Error::new(format!("Invalid variable name '{name}'{of_type}.")).at(place).with_help(
        "Variable names must be strings starting with a letter or underscore character, and contain only letters, numbers and underscores.",
    ))
}
