//! What Terraform knows: the outputs and resources of a state.

use std::ops::Range;

use indexmap::IndexMap;
use playbook_api::{Context, Error, ErrorKind, Place, Value};

use super::scan::{self, Fault};
use super::variable_name;
use crate::document::{Node, Trust, parse_json};

/// The version of states that is understood.
const VERSION: i64 = 4;

/// An output: its value, and whether Terraform calls it sensitive.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Output {
    /// The value; every text in a sensitive one is marked as a secret.
    pub(super) value: Value,
    pub(super) sensitive: bool,
}

/// The outputs and resources of a state.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By name.
    pub(super) outputs: IndexMap<String, Output>,
    /// Where the state came from, for messages.
    pub(super) name: String,
    /// The whole text: resources are read out of it when an entry asks for them.
    text: String,
    resources: Vec<Range<usize>>,
}

/// A resource of a state, with its instances still as text.
pub(super) struct Resource<'s> {
    state: &'s State,
    members: Vec<(String, Range<usize>)>,
}

/// What a text turns out to be.
enum Form {
    State,
    Outputs,
}

impl State {
    /// Reads a state of version 4, or what `terraform output -json` printed.
    pub(super) fn read(mut text: String, name: &str, context: &Context) -> Result<State, Error> {
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        if text.trim().is_empty() {
            // What `terraform state pull` prints where nothing was applied yet.
            return Ok(State { name: name.to_owned(), ..State::default() });
        }
        let (members, resources) = scan::members_and_items(&text, 0..text.len(), Some("resources"))
            .map_err(|fault| not_a_state(&text, name, &fault))?;
        let (outputs, resources) = match form(&text, name, &members)? {
            Form::Outputs => (Some(members), Vec::new()),
            Form::State => {
                let outputs = member(&members, "outputs").filter(|range| &text[(*range).clone()] != "null");
                let outputs = outputs.map(|range| {
                    scan::members(&text, range.clone()).map_err(|fault| {
                        Error::new(format!("the outputs of the Terraform state '{name}' are not an object"))
                            .at(&fault.place(&text, name))
                    })
                });
                let is_array = member(&members, "resources").is_none_or(|range| {
                    let text = &text[range.clone()];
                    text.starts_with('[') || text == "null"
                });
                if !is_array {
                    let message = format!("the resources of the Terraform state '{name}' are not an array");
                    return Err(Error::new(message).at(&Place::file_only(name)));
                }
                (outputs.transpose()?, resources)
            }
        };
        let mut state = State { name: name.to_owned(), text, resources, outputs: IndexMap::new() };
        for (output, range) in outputs.unwrap_or_default() {
            let value = state.output(&output, range, context)?;
            state.outputs.insert(output, value);
        }
        Ok(state)
    }

    fn output(&self, output: &str, range: Range<usize>, context: &Context) -> Result<Output, Error> {
        let name = &self.name;
        let fault = Fault::at(range.start);
        let node = parse_json(&self.text[range], name, Trust::Text)?;
        let value = node.get("value").ok_or_else(|| {
            Error::new(format!("'{output}' in '{name}' is not a Terraform output: it has no 'value'"))
                .at(&fault.place(&self.text, name))
                .with_help("Give a state of version 4, or what `terraform output -json` prints.")
        })?;
        let sensitive = node.get("sensitive").is_some_and(|node| node.raw().is_true());
        let value = if sensitive { secret(value.raw(), context) } else { value.raw() };
        Ok(Output { value, sensitive })
    }

    /// Returns every output with the variable's name that it gets by default.
    pub(super) fn all(&self) -> IndexMap<String, String> {
        self.outputs.keys().map(|name| (name.clone(), variable_name(name))).collect()
    }

    /// Returns the outputs that a list names, or a map with the variables' names. A missing one is an error.
    pub(super) fn chosen(&self, node: &Node) -> Result<IndexMap<String, String>, Error> {
        let mut chosen = IndexMap::new();
        let mut add = |output: &str, name: String, place: &Place| {
            if !self.outputs.contains_key(output) {
                return Err(self.no_output(output).at(place));
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

    fn no_output(&self, output: &str) -> Error {
        let error = Error::new(format!("Terraform has no output '{output}'"));
        let known: Vec<&str> = self.outputs.keys().map(String::as_str).collect();
        match playbook_api::nearest(output, known.iter().copied()) {
            Some(near) => error.with_help(format!("Did you mean '{near}'?")),
            None if known.is_empty() => error.with_help("The state has no outputs at all."),
            None => error.with_help(format!("Its outputs are: {}.", known.join(", "))),
        }
    }

    /// Returns the managed resources of a type.
    pub(super) fn resources(&self, kind: &str) -> Result<Vec<Resource<'_>>, Error> {
        let mut found = Vec::new();
        for range in &self.resources {
            let fault = |fault: Fault| self.fault(&fault);
            // Terraform writes the type before the instances, which are most of the text.
            let named = scan::member(&self.text, range.clone(), "type").map_err(fault)?;
            if named.is_none_or(|named| self.text[named].trim_matches('"') != kind) {
                continue;
            }
            let members = scan::members(&self.text, range.clone()).map_err(fault)?;
            let resource = Resource { state: self, members };
            if resource.text("mode")?.is_none_or(|mode| mode == "managed") {
                found.push(resource);
            }
        }
        Ok(found)
    }

    fn fault(&self, fault: &Fault) -> Error {
        let message = format!("the Terraform state '{}' cannot be read: {}", self.name, fault.message);
        Error::new(message).with_kind(ErrorKind::Syntax).at(&fault.place(&self.text, &self.name))
    }
}

impl Resource<'_> {
    /// Returns a member that is text.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(range) = member(&self.members, name) else { return Ok(None) };
        let node = parse_json(&self.state.text[range.clone()], &self.state.name, Trust::Text)?;
        Ok(node.as_str().map(str::to_owned))
    }

    /// Returns the instances, as the state has them: `attributes`, `index_key`, `status`, `deposed`, …
    pub(super) fn instances(&self) -> Result<Vec<Value>, Error> {
        let Some(range) = member(&self.members, "instances") else { return Ok(Vec::new()) };
        let items = scan::items(&self.state.text, range.clone()).map_err(|fault| self.state.fault(&fault))?;
        let read =
            |range| parse_json(&self.state.text[range], &self.state.name, Trust::Text).map(|n| n.raw());
        items.into_iter().map(read).collect()
    }
}

/// Marks a value as a secret and hides it in everything that is printed.
pub(super) fn secret(value: Value, context: &Context) -> Value {
    let value = value.into_secret();
    context.redactor.register_with_numbers(&value);
    value
}

fn member<'m>(members: &'m [(String, Range<usize>)], name: &str) -> Option<&'m Range<usize>> {
    members.iter().find(|(known, _)| known == name).map(|(_, range)| range)
}

/// Tells a state from the outputs that `terraform output -json` printed, and rejects everything else.
fn form(text: &str, name: &str, members: &[(String, Range<usize>)]) -> Result<Form, Error> {
    let has = |name| member(members, name).is_some();
    let place = Place::file_only(name);
    if has("encrypted_data") && has("encryption_version") {
        return Err(Error::new(format!("the state '{name}' is encrypted by OpenTofu")).at(&place).with_help(
            "Give the output of `tofu output -json` instead, or the directory: `tofu` knows the keys of \
            its state encryption.",
        ));
    }
    if has("format_version") && (has("values") || has("planned_values") || has("resource_changes")) {
        return Err(Error::new(format!("'{name}' is the output of 'terraform show -json'"))
            .at(&place)
            .with_help("Give a state of version 4, or what `terraform output -json` prints."));
    }
    let Some(version) = member(members, "version").map(|range| &text[range.clone()]) else {
        return Ok(Form::Outputs);
    };
    if version.starts_with('{') {
        // An output of that name.
        return Ok(Form::Outputs);
    }
    match version.parse::<i64>() {
        Ok(VERSION) => Ok(Form::State),
        Ok(newer) if newer > VERSION => {
            let by = member(members, "terraform_version").map(|range| text[range.clone()].trim_matches('"'));
            let by = by.map(|by| format!(" (written by Terraform {by})")).unwrap_or_default();
            Err(Error::new(format!(
                "the Terraform state '{name}' has version {newer}{by}; version {VERSION} is the newest that is \
                 understood"
            ))
            .at(&place)
            .with_help(
                "Give the output of `terraform output -json` instead, or the directory, so that `terraform` reads \
                 the state.",
            ))
        }
        _ => Err(Error::new(format!(
            "the Terraform state '{name}' has version {version}; version {VERSION} is needed"
        ))
        .at(&place)
        .with_help(
            "Every Terraform since 0.12 writes version 4. Run `terraform apply` once with a newer one.",
        )),
    }
}

fn not_a_state(text: &str, name: &str, fault: &Fault) -> Error {
    if text.starts_with("PK\u{3}\u{4}") {
        return Error::new(format!("'{name}' is a Terraform plan, not a state"))
            .at(&Place::file_only(name))
            .with_help("Apply the plan, and give the state or what `terraform output -json` prints.");
    }
    Error::new(format!("'{name}' is neither a Terraform state nor the output of 'terraform output -json'"))
        .with_kind(ErrorKind::Syntax)
        .at(&fault.place(text, name))
        .caused_by(Error::new(fault.message.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<State, Error> {
        State::read(text.to_owned(), "terraform.tfstate", &Context::default())
    }

    #[test]
    fn states_and_outputs_keep_types_and_secrets() {
        let outputs = r#"{"n": {"value": 3, "type": "number"}, "l-x": {"value": ["a", true]},
            "big": {"value": 123456789012345678901234567890},
            "p": {"value": {"password": "hunter22", "pin": 987654}, "sensitive": true}}"#;
        let state = format!(
            r#"{{"version": 4, "terraform_version": "1.9.5", "outputs": {outputs}, "resources": []}}"#
        );
        for text in [outputs.to_owned(), state.clone(), format!("\u{feff}{state}")] {
            let context = Context::default();
            let state = State::read(text, "x", &context).unwrap();
            assert_eq!(state.outputs["n"], Output { value: 3.into(), sensitive: false });
            assert_eq!(state.outputs["big"].value.to_text(), "123456789012345678901234567890");
            assert!(state.outputs["p"].sensitive && state.outputs["p"].value.is_secret());
            assert_eq!(context.redactor.text("it is hunter22 987654"), "it is ******** ********");
            assert_eq!(context.redactor.value(&987_654.into()), "********".into());
            assert_eq!(state.all()["l-x"], "l_x");
        }
        assert!(read("\n").unwrap().outputs.is_empty());
    }

    #[test]
    fn other_texts_say_what_they_are() {
        let neither =
            "'terraform.tfstate' is neither a Terraform state nor the output of 'terraform output -json'";
        for (text, message, place) in [
            ("{\"version\": 4, ", neither, "terraform.tfstate:1:16"),
            ("[]", neither, "terraform.tfstate:1:1"),
            ("PK\u{3}\u{4}", "'terraform.tfstate' is a Terraform plan, not a state", "terraform.tfstate"),
            (
                "{\"version\": 5, \"terraform_version\": \"9.0\"}",
                "the Terraform state 'terraform.tfstate' has version 5 (written by Terraform 9.0); version 4 is the \
                 newest that is understood",
                "terraform.tfstate",
            ),
            (
                "{\"version\": 3}",
                "the Terraform state 'terraform.tfstate' has version 3; version 4 is needed",
                "terraform.tfstate",
            ),
            (
                "{\"serial\":1,\"lineage\":\"0e\",\"meta\":{\"key_provider.pbkdf2.k\":\"ey\"},\
                 \"encrypted_data\":\"AA\",\"encryption_version\":\"v0\"}",
                "the state 'terraform.tfstate' is encrypted by OpenTofu",
                "terraform.tfstate",
            ),
            (
                "{\"format_version\":\"1.0\",\"values\":{\"outputs\":{}}}",
                "'terraform.tfstate' is the output of 'terraform show -json'",
                "terraform.tfstate",
            ),
            (
                "{\n\"a\": {\"type\": 1}}",
                "'a' in 'terraform.tfstate' is not a Terraform output: it has no 'value'",
                "terraform.tfstate:2:6",
            ),
            (
                "{\"version\": 4, \"outputs\": []}",
                "the outputs of the Terraform state 'terraform.tfstate' are not an object",
                "terraform.tfstate:1:27",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.message(), error.place().unwrap().to_string().as_str()), (message, place));
        }
    }
}
