//! The interface between the engine and its modules and plugins.
//!
//! The engine knows modules only through this crate, and modules do not depend on the engine. A module is a type whose
//! fields are its arguments ([`HostModule`] or [`ControllerModule`]). It receives a [`Context`] and returns an
//! [`Outcome`] or a [`Failure`]. A crate can also provide a [`Lookup`], a [`Filter`], an [`InventorySource`], a
//! [`Probe`] for `wait_until`, a [`SecretSource`] and a [`TaskRunner`].

pub mod arguments;
pub mod cancel;
pub mod context;
pub mod defaults;
pub mod diff;
pub mod error;
pub mod extension;
pub mod future;
pub mod list;
pub mod map;
pub mod module;
pub mod name;
mod nearest;
pub mod notes;
pub mod outcome;
pub mod place;
pub mod plugins;
pub mod probe;
pub mod python;
pub mod redact;
pub mod reply;
pub mod result_map;
pub mod spec;
pub mod stream;
pub mod sync;
pub mod time;
pub mod value;

pub use arguments::Arguments;
pub use context::Context;
pub use diff::Diff;
pub use error::{Error, ErrorKind};
pub use extension::{Filter, InventorySource, Lookup, Registry, SecretSource, TaskRunner};
pub use list::List;
pub use map::Map;
pub use module::{ControllerModule, Doc, HostModule, ModuleEntry, Run};
pub use nearest::nearest;
pub use outcome::{Change, ChangeAction, Failure, Outcome, ResourceName};
pub use place::Place;
pub use plugins::{PluginKind, Plugins, Variables};
pub use probe::{Observation, Probe, ProbeState};
pub use redact::{Redactor, without_password};
pub use spec::Spec;
pub use value::{Object, Text, Value};

pub use schemars::JsonSchema;
pub use serde::Deserialize;
