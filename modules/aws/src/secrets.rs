//! AWS Secrets Manager: secrets, the lookup, and what other crates read secrets by.

pub mod lookup;
pub mod secret;
pub mod secret_change;
pub mod secret_options;
pub mod source;
pub mod value;
