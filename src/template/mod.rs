//! The semantics of templates: evaluation as in Ansible, filters, tests and lookups.

mod budget;
pub mod call;
pub mod environment;
mod eval;
pub mod file_vars;
pub mod filters;
mod force;
mod frame;
pub(crate) mod globals;
pub mod lazy;
mod loader;
pub mod lookups;
pub mod object;
mod origin;
pub mod purity;
pub mod python;
pub mod regex;
pub mod scope;
mod secret;
pub mod tests;
mod undefined;
mod untrusted;

pub use call::{Call, Computed, Function, Needs};
pub use environment::{Environment, Options, Renderer, Truth};
pub use eval::current_place;
pub use lazy::Lazy;
pub use python::access::{get_attribute, get_item, get_path};
pub use scope::{Deprecation, Scope};
