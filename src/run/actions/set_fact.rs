//! `set_fact`

use std::sync::Arc;

use playbook_api::{Doc, Error, Failure, JsonSchema, Map, Outcome, Value};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::document::{Node, Trust};
use crate::run::Effect;

/// Sets variables of a host for the rest of the run. Any argument is a variable.
#[derive(Deserialize, JsonSchema)]
pub struct SetFact {
    /// Also keep them as facts: in the fact cache, if one is set up, and in `ansible_facts`.
    #[serde(default)]
    cacheable: bool,
}

impl Action for SetFact {
    const DOC: Doc = Doc {
        name: "set_fact",
        short: "Set variables of a host",
        free_form: true,
        returns: &[("ansible_facts", "dict", "the variables")],
        examples: "- set_fact:\n    image: \"{{ ecr_repo }}/{{ app_name }}:{{ image_tag }}\"\n",
        ..BUILTIN
    };
    const FREE: bool = true;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let names = call.args.values.iter().filter(|(k, _)| k.as_str() != Some("cacheable"));
        let values: Vec<(Arc<str>, Value)> =
            names.map(|(k, v)| Ok((name(call, &k.to_text())?, v.clone()))).collect::<Result<_, Error>>()?;
        if values.is_empty() {
            return Err(Failure::new(
                "No key/value pairs provided, at least one is required for this action to succeed",
            ));
        }
        let mut values = values;
        for (name, _) in &mut values {
            // Names may be templates too.
            if crate::jinja::Template::is_template(name) {
                let template = crate::jinja::Template::new(name.clone(), call.item.task.action.place.clone());
                *name = Arc::from(&*call.renderer().render(&template)?.to_text());
            }
            if !is_identifier(name) {
                return Err(Failure::new(format!("The variable name {} is not valid.", playbook_api::python::repr(&name.clone().into())))
                    .help("variables must start with a letter or underscore character, and contain only letters, numbers and underscores"));
            }
        }
        let facts: Map = values.iter().map(|(k, v)| (Value::from(k.clone()), v.clone())).collect();
        let delegate =
            crate::run::keyword::boolean(call.item.task, "delegate_facts", &call.renderer())? == Some(true);
        let host = if delegate { call.target().clone() } else { call.item.host.clone() };
        call.carry.extend(values.iter().cloned());
        call.effects.push(Effect::Set { host: host.clone(), values });
        if self.cacheable {
            call.effects.push(Effect::Facts { host, facts: facts.clone() });
        }
        let mut outcome = Outcome::default();
        outcome.facts = facts;
        if self.cacheable {
            outcome = outcome.with("_ansible_facts_cacheable", true);
        }
        Ok(outcome)
    }
}

/// A variable's name: as written in the task it may be a template.
fn name(call: &ActionCall, written: &str) -> Result<Arc<str>, Error> {
    let Some(node) = call.written(written) else { return Ok(written.into()) };
    let key = Node::text(node.place().clone(), written, Trust::Templates);
    Ok(call.renderer().value(&key)?.to_text().into())
}

/// What may be a variable's name.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    starts && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') && !is_python_keyword(name)
}

fn is_python_keyword(name: &str) -> bool {
    matches!(
        name,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}
