//! What templates mean: evaluation with Ansible's semantics, filters, tests and lookups.

pub mod call;
pub mod environment;
pub mod filters;
pub mod lookups;
pub mod regex;
pub mod scope;
pub mod tests;

pub use call::{Call, Function};
pub use environment::{Environment, Renderer};
pub use scope::Scope;
