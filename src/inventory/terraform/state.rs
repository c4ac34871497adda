//! What Terraform knows: the outputs and resources of a state.

use indexmap::IndexMap;
use playbook_api::{Context, Error, ErrorKind, Place, Value};

use super::variable_name;
use crate::document::{Node, Trust, parse_json};

/// The state's version that is understood.
const VERSION: i64 = 4;

/// The outputs and resources of a state.
#[derive(Debug, Default)]
pub struct State {
    /// Values by name; sensitive ones are secrets.
    pub outputs: IndexMap<String, Value>,
    /// As the state has them: `type`, `name`, `instances`.
    pub resources: Vec<Value>,
}

impl State {
    /// Reads a state of version 4, or what `terraform output -json` printed.
    pub fn read(text: &str, name: &str, context: &Context) -> Result<State, Error> {
        let place = Place::file_only(name);
        let node = parse_json(text, name, Trust::Text).map_err(|cause| {
            let at = cause.place().cloned().unwrap_or_else(|| place.clone());
            Error::new(format!(
                "'{name}' is neither a Terraform state nor the output of 'terraform output -json'"
            ))
            .with_kind(ErrorKind::Syntax)
            .at(&at)
            .caused_by(cause)
        })?;
        let fault = |message: String| Error::new(message).at(node.place());
        if node.as_map().is_none() {
            let found = node.raw().type_name();
            return Err(fault(format!("'{name}' is no Terraform state: it holds a {found}, not a map")));
        }
        let is_state = node.get("version").is_some_and(|node| node.as_map().is_none());
        if !is_state {
            return Ok(State { outputs: outputs(&node, name, context)?, resources: Vec::new() });
        }
        let version = node.get("version").map(Node::raw).unwrap_or_default();
        match version.as_i64() {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => {
                let by = node.get("terraform_version").map(|n| n.raw().to_text().into_owned());
                let by = by.map(|by| format!(" (written by Terraform {by})")).unwrap_or_default();
                return Err(fault(format!(
                    "the Terraform state '{name}' has version {newer}{by}; version {VERSION} is the newest that is understood"
                ))
                .with_help("Give the output of `terraform output -json` instead, or a folder, so that terraform itself reads the state."));
            }
            _ => {
                return Err(fault(format!(
                    "the Terraform state '{name}' has version {version}; version {VERSION} is needed"
                ))
                .with_help(
                    "Any Terraform since 0.12 writes version 4: run `terraform apply` once with a newer one.",
                ));
            }
        }
        let found = match node.get("outputs") {
            Some(node) if !node.is_null() => outputs(node, name, context)?,
            _ => IndexMap::new(),
        };
        let resources = node.get("resources").and_then(Node::as_list).unwrap_or_default();
        Ok(State { outputs: found, resources: resources.iter().map(Node::raw).collect() })
    }

    /// Every output, under its own name.
    pub fn all(&self) -> IndexMap<String, String> {
        self.outputs.keys().map(|name| (name.clone(), variable_name(name))).collect()
    }

    /// The outputs that a list names, or a map with the variables' names. One that is not there is an error.
    pub fn chosen(&self, node: &Node) -> Result<IndexMap<String, String>, Error> {
        let mut chosen = IndexMap::new();
        let mut add = |output: &str, name: String, place: &Place| {
            if !self.outputs.contains_key(output) {
                let known: Vec<&str> = self.outputs.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Error::new(format!("Terraform has no output '{output}'"))
                    .at(place)
                    .with_help(format!("Its outputs are: {known}.")));
            }
            chosen.insert(output.to_owned(), name);
            Ok(())
        };
        if let Some(map) = node.as_map() {
            for (output, entry) in map {
                let name = entry.node.raw();
                let output = output.to_text();
                let name = if name.is_null() { variable_name(&output) } else { name.to_text().into_owned() };
                add(&output, name, &entry.key)?;
            }
        } else if let Some(items) = node.as_list() {
            for item in items {
                let output = item.raw().to_text().into_owned();
                add(&output, variable_name(&output), item.place())?;
            }
        } else {
            return Err(Error::new(
                "outputs are chosen by a list of names, or a map from outputs to variables",
            )
            .at(node.place()));
        }
        Ok(chosen)
    }

    /// An output as a variable: plain text, never a template.
    pub fn node(&self, output: &str, place: &Place) -> Option<Node> {
        self.outputs.get(output).map(|value| Node::value(place.clone(), value.clone()))
    }
}

fn outputs(node: &Node, name: &str, context: &Context) -> Result<IndexMap<String, Value>, Error> {
    let mut outputs = IndexMap::new();
    let map = node.as_map().ok_or_else(|| {
        Error::new(format!("the outputs of the Terraform state '{name}' are no map")).at(node.place())
    })?;
    for (output, entry) in map {
        let value = entry.node.get("value").ok_or_else(|| {
            Error::new(format!("'{output}' in '{name}' is no Terraform output: it has no 'value'"))
                .at(entry.node.place())
                .with_help("Give a state of version 4, or what `terraform output -json` prints.")
        })?;
        let mut value = value.raw();
        if entry.node.get("sensitive").is_some_and(|node| node.raw().is_true()) {
            value = value.into_secret();
            context.redactor.register_value(&value);
        }
        outputs.insert(output.to_text().into_owned(), value);
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<State, Error> {
        State::read(text, "terraform.tfstate", &Context::default())
    }

    #[test]
    fn states_and_outputs_keep_types_and_secrets() {
        let outputs = r#"{"n": {"value": 3, "type": "number"}, "l-x": {"value": ["a", true]},
            "p": {"value": {"password": "hunter22"}, "sensitive": true}}"#;
        let state = format!(
            r#"{{"version": 4, "terraform_version": "1.9.5", "outputs": {outputs}, "resources": []}}"#
        );
        for text in [outputs, &state] {
            let context = Context::default();
            let state = State::read(text, "x", &context).unwrap();
            assert_eq!(state.outputs["n"], Value::from(3));
            assert!(state.outputs["p"].is_secret());
            assert!(!context.redactor.text("it is hunter22").contains("hunter22"));
            assert_eq!(state.all()["l-x"], "l_x");
        }
    }

    #[test]
    fn other_states_say_what_they_are() {
        for (text, words) in [
            ("{\"version\": 4, ", "neither a Terraform state"),
            ("[]", "holds a list"),
            ("{\"version\": 5, \"terraform_version\": \"9.0\"}", "has version 5 (written by Terraform 9.0)"),
            ("{\"version\": 3}", "has version 3"),
            ("{\"a\": {\"type\": 1}}", "is no Terraform output"),
            ("{\"version\": 4, \"outputs\": []}", "are no map"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message().contains(words), "{error}");
            assert_eq!(&*error.place().unwrap().file, "terraform.tfstate");
        }
    }
}
