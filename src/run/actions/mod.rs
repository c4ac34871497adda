//! What needs the run itself: actions. Everything else is a module.
//!
//! An action is a type, like a module: its fields are its arguments. A new one is a file here and a line in
//! [`table`].

mod add_host;
mod assemble;
mod assert;
mod async_status;
pub mod copy;
mod debug;
mod fail;
mod fetch;
mod gather_facts;
mod group_by;
pub mod include;
pub mod include_vars;
mod managed;
mod package;
mod pause;
mod protomatter_debug;
mod raw;
mod reboot;
mod script;
mod set_fact;
mod set_stats;
mod template;
mod tree;
mod unarchive;
mod validate_argument_spec;
mod wait_for_connection;

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use playbook_api::{Doc, Failure, JsonSchema, Outcome, Spec};
use serde::de::DeserializeOwned;

pub use super::call::ActionCall;

/// An action: its fields are its arguments.
pub trait Action: DeserializeOwned + JsonSchema {
    const DOC: Doc;
    /// Arguments that are not rendered beforehand; [`ActionCall::written`] gives them.
    const RAW: &'static [&'static str] = &[];
    /// With `async`, the module of the same name runs as a job.
    const ASYNC: bool = false;
    /// Any other argument is taken too (`set_fact`'s variables).
    const FREE: bool = false;
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
    fn of<A: Action>() -> (&'static str, ActionEntry) {
        let entry = ActionEntry {
            doc: &A::DOC,
            raw: A::RAW,
            asynchronous: A::ASYNC,
            free: A::FREE,
            once: A::ONCE,
            build: Spec::of::<A>,
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

/// All actions, by short name.
pub static TABLE: LazyLock<HashMap<&'static str, ActionEntry>> = LazyLock::new(|| {
    HashMap::from([
        ActionEntry::of::<add_host::AddHost>(),
        ActionEntry::of::<assemble::Assemble>(),
        ActionEntry::of::<assert::Assert>(),
        ActionEntry::of::<async_status::AsyncStatus>(),
        ActionEntry::of::<copy::Copy>(),
        ActionEntry::of::<debug::Debug>(),
        ActionEntry::of::<fail::Fail>(),
        ActionEntry::of::<fetch::Fetch>(),
        ActionEntry::of::<gather_facts::GatherFacts>(),
        ActionEntry::of::<group_by::GroupBy>(),
        ActionEntry::of::<include::IncludeRole>(),
        ActionEntry::of::<include::IncludeTasks>(),
        ActionEntry::of::<include_vars::IncludeVars>(),
        ActionEntry::of::<package::Package>(),
        ActionEntry::of::<pause::Pause>(),
        ActionEntry::of::<protomatter_debug::ProtomatterDebug>(),
        ActionEntry::of::<raw::Raw>(),
        ActionEntry::of::<reboot::Reboot>(),
        ActionEntry::of::<script::Script>(),
        ActionEntry::of::<set_fact::SetFact>(),
        ActionEntry::of::<set_stats::SetStats>(),
        ActionEntry::of::<template::Template>(),
        ActionEntry::of::<unarchive::Unarchive>(),
        ActionEntry::of::<validate_argument_spec::ValidateArgumentSpec>(),
        ActionEntry::of::<wait_for_connection::WaitForConnection>(),
    ])
});

/// The action of a short or full name.
pub fn find(name: &str) -> Option<&'static ActionEntry> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    TABLE.get(short)
}

/// What [`Doc`] of an action starts from.
const BUILTIN: Doc =
    Doc { check_mode: "Full: it acts on the run alone, which check mode allows.", ..Doc::BUILTIN };
