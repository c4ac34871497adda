//! Reads the keywords of a written map and rejects those that its kind does not have.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Place, Value, nearest};

use crate::document::{Entry, Kind, Node};
use crate::inventory::Vars;
use crate::playbook::shape::{Shape, TASK};
use crate::playbook::{Condition, Keyword, KeywordKind, Keywords};

/// What ansible-core adds to the message about an unknown keyword of a task.
const HINT: &str =
    "\nThis error can be suppressed as a warning using the \"invalid_task_attribute_failed\" configuration";

impl Shape {
    /// Returns the error for a keyword that the map may not have.
    pub(super) fn unknown(&self, keyword: &str, place: &Place) -> Error {
        let hint = if self.task { HINT } else { "" };
        let message = format!("'{keyword}' is not a valid attribute for a {}{}", self.name, hint);
        let error = parser_error(message, place);
        match nearest(keyword, self.all()) {
            Some(name) => error.with_help(format!("Did you mean '{name}'?")),
            None => error,
        }
    }

    /// Reads the common keywords. The caller reads the others, which `skip` names. An error in one of them is passed to
    /// `fault`, which may end the reading.
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
        let keyword = Keyword::named(name);
        if name == "name" || keyword.is_some_and(|keyword| keyword.kind() == KeywordKind::Text) {
            must_be_text(name, value, owner)?;
        }
        if name == "collections" {
            must_be_texts(name, value)?;
        }
        match name {
            "name" => keywords.name = Some(value.clone()).filter(|v| !v.is_null()),
            "when" => keywords.when = Condition::list(value),
            "tags" => keywords.tags = tags(value)?,
            "vars" => keywords.vars = Arc::new(vars(self.name, value)?),
            _ => {
                if let Some(keyword) = keyword {
                    keywords.values.insert(keyword, value.clone());
                }
            }
        }
        Ok(())
    }
}

/// Whether a key of a task is a keyword of tasks or handlers, and not the name of an action.
pub(super) fn is_task_keyword(key: &str) -> bool {
    matches!(key, "listen" | "static" | "loop_with") || key.starts_with("with_") || TASK.has(key)
}

/// Returns an error that is raised when documents are loaded.
pub(super) fn parser_error(message: impl Into<String>, place: &Place) -> Error {
    Error::new(message).with_kind(ErrorKind::Syntax).at(place)
}

pub(super) fn must_be_text(name: &str, node: &Node, place: &Place) -> Result<(), Error> {
    match node.kind() {
        Kind::List(_) | Kind::Map(_) => {
            let found = type_name(node);
            let message = format!(
                "The field '{name}' is supposed to be a string type, however the incoming data structure \
                is a <class '{found}'>"
            );
            Err(parser_error(message, place))
        }
        _ => Ok(()),
    }
}

/// Returns the message about an item of a keyword's list that is not text.
pub fn not_text(keyword: &str, found: &str) -> String {
    format!("Keyword '{keyword}' items must be of type 'str', not '{found}'.")
}

/// Checks a list of texts, or one text.
pub(super) fn must_be_texts(name: &str, node: &Node) -> Result<(), Error> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    let text = |item: &Node| matches!(type_name(item), "str" | "NoneType");
    match items.iter().find(|item| !text(item)) {
        None => Ok(()),
        Some(item) => Err(parser_error(not_text(name, type_name(item)), item.place())),
    }
}

/// Returns Python's name for the type of a written value.
pub(super) fn type_name(node: &Node) -> &'static str {
    match node.kind() {
        Kind::Value(value) => value.type_name(),
        Kind::Template(_) | Kind::Vault(_) => "str",
        Kind::List(_) => "list",
        Kind::Map(_) => "dict",
    }
}

/// Reads `tags`: a list, or text with commas.
pub(super) fn tags(node: &Node) -> Result<Vec<Node>, Error> {
    match node.kind() {
        Kind::List(items) => Ok(items.clone()),
        Kind::Value(Value::Str(text)) => {
            Ok(text.split(',').map(|tag| Node::value(node.place().clone(), tag.trim())).collect())
        }
        Kind::Template(_) => Ok(vec![node.clone()]),
        _ => Err(Error::new("tags must be specified as a list").at(node.place())),
    }
}

/// Reads `vars`: a dictionary whose keys are variable names.
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
            Ok((key.shared_text(), entry.node.clone()))
        })
        .collect()
}

/// Returns a written map as variables, with any keys.
pub(super) fn free_vars(node: &Node) -> Vars {
    let entries = node.as_map().into_iter().flatten();
    entries.map(|(key, entry)| (key.shared_text(), entry.node.clone())).collect()
}

/// Names that have a meaning in Jinja.
const RESERVED: &[&str] = &["true", "false", "none", "True", "False", "None", "not"];

/// Whether a name is a valid name of a variable: an identifier.
pub fn is_variable_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}

/// Checks the name of a variable.
pub fn check_variable_name(name: &Value, place: &Place) -> Result<(), Error> {
    let of_type = match name {
        Value::Str(text) if is_variable_name(text) => return Ok(()),
        Value::Str(_) => String::new(),
        other => format!(" of type '{}'", other.type_name()),
    };
    Err(Error::new(format!("Invalid variable name '{name}'{of_type}.")).at(place).with_help(
        "Variable names must be strings starting with a letter or underscore character, and contain only \
        letters, numbers and underscores.",
    ))
}
