//! Actions: what tasks can do that needs the run itself. Everything else is a module.
//!
//! An action is a type, as a module is, and its fields are its arguments. A new action is a file here and a line in
//! [`TABLE`].

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

use std::sync::LazyLock;

use playbook_api::Doc;

pub use super::call::ActionCall;
pub use super::call::action::{Action, ActionEntry, Actions, exception};

/// All actions, by short name.
pub static TABLE: LazyLock<Actions> = LazyLock::new(|| {
    Actions::new([
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

/// The base of an action's [`Doc`].
const BUILTIN: Doc =
    Doc { check_mode: "Full: it acts only on the run, which check mode allows.", ..Doc::BUILTIN };
