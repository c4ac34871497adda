//! The form of an action: a type, as a module is, whose fields are its arguments.

use std::collections::HashMap;
use std::sync::OnceLock;

use playbook_api::spec::{CheckedBy, OptionSpec};
use playbook_api::{Doc, Error, Failure, JsonSchema, Outcome, Spec, name};
use serde::de::DeserializeOwned;

use super::ActionCall;

/// An action: its fields are its arguments.
pub trait Action: DeserializeOwned + JsonSchema {
    /// The documentation of the action.
    const DOC: Doc;
    /// The arguments that are not rendered beforehand; [`ActionCall::written`] returns them.
    const RAW: &'static [&'static str] = &[];
    /// Whether the module of the same name runs as a job with `async`.
    const ASYNC: bool = false;
    /// Whether arguments of any other name are accepted, as the variables of `set_fact`.
    const FREE: bool = false;
    /// What rejects unknown arguments: the module of the same name, or the action of ansible-core itself.
    const CHECKED_BY: CheckedBy = CheckedBy::Module;
    /// Whether one host runs it for all hosts that are at the same task.
    const ONCE: bool = false;
    /// The message if a required argument is missing, where the action itself asks for it in its own words.
    const MISSING: Option<&'static str> = None;

    /// Runs the action.
    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure>;
}

/// Returns the failure for an error that is an exception in ansible-core, and not a result of the action: its message
/// says that the task failed.
pub fn exception(error: Error) -> Failure {
    let message = format!("Task failed: {error}");
    Failure::from(error).with("msg", message)
}

/// An entry of the table of actions.
pub struct ActionEntry {
    /// The documentation of the action.
    pub doc: &'static Doc,
    /// The arguments that are not rendered beforehand.
    pub raw: &'static [&'static str],
    /// Whether the module of the same name runs as a job with `async`.
    pub asynchronous: bool,
    /// Whether arguments of any other name are accepted.
    pub free: bool,
    /// Whether one host runs it for all hosts that are at the same task.
    pub once: bool,
    /// Parses the arguments of a call and runs the action.
    pub run: fn(&ActionEntry, &mut ActionCall) -> Result<Outcome, Failure>,
    build: fn() -> Spec,
    schema: fn() -> serde_json::Value,
    spec: OnceLock<Spec>,
}

impl ActionEntry {
    /// Returns the entry of an action, under its short name.
    pub fn of<A: Action>() -> (&'static str, ActionEntry) {
        let entry = ActionEntry {
            doc: &A::DOC,
            raw: A::RAW,
            asynchronous: A::ASYNC,
            free: A::FREE,
            once: A::ONCE,
            build: || Spec { checked_by: A::CHECKED_BY, ..Spec::of::<A>() },
            schema: || {
                let mut schema = Spec::schema::<A>();
                if A::FREE {
                    schema["additionalProperties"] = true.into();
                }
                schema
            },
            spec: OnceLock::new(),
            run: |entry, call| {
                let mut args = call.args.clone();
                if !A::DOC.free_form && args.get("_raw_params").is_some() {
                    let message =
                        format!("Action 'ansible.builtin.{}' does not support raw params.", A::DOC.name);
                    let error = Error::new(message)
                        .at_opt(args.places.get("_raw_params"))
                        .at_opt(args.place.as_ref())
                        .with_help("Give each argument by its name: `name=value`, or in YAML.");
                    return Err(exception(error));
                }
                if A::FREE {
                    args.values.retain(|key, _| key.as_str().is_some_and(|k| entry.spec().find(k).is_some()));
                }
                for name in A::RAW {
                    if let Some(node) = call.written(name) {
                        args.values.insert((*name).into(), node.raw());
                    }
                }
                let lacks = |(name, option): (&String, &OptionSpec)| {
                    let mut names = std::iter::once(name).chain(&option.aliases);
                    option.required && names.all(|name| args.get(name).is_none())
                };
                if let Some(message) = A::MISSING
                    && entry.spec().options.iter().any(lacks)
                {
                    return Err(Failure::new(message));
                }
                let action: A =
                    args.parse(entry.doc.name, entry.spec(), &call.item.play.shared.context.redactor)?;
                action.run(call)
            },
        };
        (A::DOC.name, entry)
    }

    /// Returns the spec of the action's arguments, which is built when it is first needed.
    pub fn spec(&self) -> &Spec {
        self.spec.get_or_init(self.build)
    }

    /// Returns the JSON Schema of the arguments, for editors.
    pub fn json_schema(&self) -> serde_json::Value {
        (self.schema)()
    }
}

/// The actions that a run knows, by short name.
pub struct Actions(HashMap<&'static str, ActionEntry>);

impl Actions {
    /// Makes a table of actions.
    pub fn new(entries: impl IntoIterator<Item = (&'static str, ActionEntry)>) -> Actions {
        Actions(entries.into_iter().collect())
    }

    /// Returns the action of a short or full name.
    pub fn find(&self, name: &str) -> Option<&ActionEntry> {
        self.0.get(name::builtin(name))
    }

    /// Returns all actions by their short names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ActionEntry)> {
        self.0.iter().map(|(name, entry)| (*name, entry))
    }
}
