//! Checks the names in `module_defaults`.

use playbook_api::{Error, Place, Value};

use super::fields::parser_error;
use super::loader::Loader;
use crate::document::Node;
use crate::foreign::Kind;
use crate::playbook::shape::Shape;
use crate::playbook::{Keyword, Keywords};

impl Loader<'_> {
    /// Reads the keywords that plays, roles, blocks and tasks have in common. The caller reads the others, which `skip`
    /// names.
    pub(super) fn keywords(
        &self,
        shape: &Shape,
        node: &Node,
        skip: impl Fn(&str) -> bool,
    ) -> Result<Keywords, Error> {
        let keywords = shape.keywords(node, skip, self.fault)?;
        check(&keywords, self)?;
        if self.settings.core.warns_of_reserved_tags() {
            warn_of_reserved_tags(node, self);
        }
        Ok(keywords)
    }
}

/// Warns of tags that `--tags` gives a meaning of its own.
fn warn_of_reserved_tags(node: &Node, loader: &Loader) {
    const RESERVED: [&str; 3] = ["all", "tagged", "untagged"];
    let Some(written) = node.get("tags") else { return };
    let Ok(tags) = super::fields::tags(written) else { return };
    let is_tag = |name: &&str| tags.iter().any(|tag| tag.source() == Some(*name));
    let met: Vec<Value> = RESERVED.into_iter().filter(is_tag).map(Value::from).collect();
    if !met.is_empty() {
        let message = format!(
            "Found reserved tagnames in tags: {}, we do not recommend doing this as it might give unexpected results",
            Value::from(met)
        );
        (loader.warn)(Error::new(message).at(written.place()));
    }
}

/// Checks the names in `module_defaults` of keywords that were just read.
fn check(keywords: &Keywords, loader: &Loader) -> Result<(), Error> {
    let Some(node) = keywords.values.get(&Keyword::ModuleDefaults).filter(|node| !node.is_null()) else {
        return Ok(());
    };
    let dicts: Vec<&Node> = node.as_list().map_or_else(|| vec![node], |items| items.iter().collect());
    for dict in dicts {
        let Some(map) = dict.as_map() else {
            let error = parser_error(
                "The field 'module_defaults' is supposed to be a dictionary or list of dictionaries",
                dict.place(),
            );
            let help =
                "Its keys are names of modules, actions and groups; only their values may be templates.";
            return (loader.fault)(error.with_help(help));
        };
        for (key, entry) in map {
            let key = key.to_text();
            match key.strip_prefix("group/") {
                Some(name) => group(name, &entry.key, loader)?,
                None if exists(&key, loader)? => {}
                None => {
                    let message = format!("Could not resolve action {key} in module_defaults");
                    (loader.fault)(parser_error(message, &entry.key))?;
                }
            }
        }
    }
    Ok(())
}

fn group(name: &str, place: &Place, loader: &Loader) -> Result<(), Error> {
    if loader.settings.validate_action_group_metadata {
        for problem in loader.foreign.group_problems(name)? {
            (loader.warn)(Error::new(problem));
        }
    }
    // Groups of modules that this program has itself need no collection.
    let own = matches!(name, "amazon.aws.aws" | "community.aws.aws" | "community.postgresql.postgresql");
    if own || loader.foreign.action_group(name)?.is_some() {
        return Ok(());
    }
    let message = format!("could not resolve the module_defaults group {name}");
    (loader.fault)(parser_error(format!("Error loading module_defaults: {message}"), place))
}

/// Whether a key names a module or action.
fn exists(name: &str, loader: &Loader) -> Result<bool, Error> {
    let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
    Ok(loader.names.is_action(short)
        || loader.foreign.find(Kind::Module, name, &[])?.is_some()
        || loader.foreign.find(Kind::Action, name, &[])?.is_some()
        || loader.foreign.core_module(short).is_some())
}
