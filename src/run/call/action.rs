//! What an action is: a type, like a module, whose fields are its arguments.

use std::collections::HashMap;
use std::sync::OnceLock;

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Spec, name};
use serde::de::DeserializeOwned;

use super::ActionCall;

/// An action: its fields are its arguments.
pub trait Action: DeserializeOwned + JsonSchema {
    const DOC: Doc;
    /// Arguments that are not rendered beforehand; [`ActionCall::written`] gives them.
    const RAW: &'static [&'static str] = &[];
    /// With `async`, the module of the same name runs as a job.
    const ASYNC: bool = false;
    /// Any other argument is taken too (`set_fact`'s variables).
    const FREE: bool = false;
    /// Whether the action of ansible-core rejects unknown arguments itself, which words the error differently.
    const CHECKS_ARGUMENTS: bool = false;
    /// Where hosts go together, one of them runs it for all.
    const ONCE: bool = false;

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure>;
}

/// A line of the table.
pub struct ActionEntry {
    pub doc: &'static Doc,
    pub raw: &'static [&'static str],
    pub asynchronous: bool,
    pub free: bool,
    pub once: bool,
    pub run: fn(&ActionEntry, &mut ActionCall) -> Result<Outcome, Failure>,
    build: fn() -> Spec,
    spec: OnceLock<Spec>,
}

impl ActionEntry {
    pub fn of<A: Action>() -> (&'static str, ActionEntry) {
        let entry = ActionEntry {
            doc: &A::DOC,
            raw: A::RAW,
            asynchronous: A::ASYNC,
            free: A::FREE,
            once: A::ONCE,
            build: || Spec { checked_by_action: A::CHECKS_ARGUMENTS, ..Spec::of::<A>() },
            spec: OnceLock::new(),
            run: |entry, call| {
                let mut args = call.args.clone();
                if A::FREE {
                    args.values.retain(|key, _| key.as_str().is_some_and(|k| entry.spec().find(k).is_some()));
                }
                for name in A::RAW {
                    if let Some(node) = call.written(name) {
                        args.values.insert((*name).into(), node.raw());
                    }
                }
                let action: A =
                    args.parse(entry.doc.name, entry.spec(), &call.item.play.shared.context.redactor)?;
                action.run(call)
            },
        };
        (A::DOC.name, entry)
    }

    pub fn spec(&self) -> &Spec {
        self.spec.get_or_init(self.build)
    }
}

/// The actions that a run knows, by short name.
pub struct Actions(HashMap<&'static str, ActionEntry>);

impl Actions {
    pub fn new(entries: impl IntoIterator<Item = (&'static str, ActionEntry)>) -> Actions {
        Actions(entries.into_iter().collect())
    }

    /// The action of a short or full name.
    pub fn find(&self, name: &str) -> Option<&ActionEntry> {
        self.0.get(name::builtin(name))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ActionEntry)> {
        self.0.iter().map(|(name, entry)| (*name, entry))
    }
}
