//! What templates mean: evaluation with Ansible's semantics, filters, tests and lookups.

pub mod access;
mod budget;
pub mod call;
pub mod datetime;
pub mod environment;
mod eval;
pub mod file_vars;
pub mod filters;
pub mod format;
mod frame;
mod globals;
pub mod lazy;
mod loader;
pub mod lookups;
mod methods;
pub mod object;
pub mod operators;
pub mod printf;
pub mod regex;
pub mod scope;
mod secret;
mod sort;
pub mod tests;
mod undefined;
mod untrusted;

pub use access::{get_attribute, get_item, get_path};
pub use call::{Call, Function};
pub use environment::{Environment, Options, Renderer};
pub use lazy::Lazy;
pub use scope::{Deprecation, Scope};
