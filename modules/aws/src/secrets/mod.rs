//! AWS Secrets Manager: secrets, the lookup, and what other crates read secrets by.

pub mod lookup;
pub mod secret;
pub mod source;
pub mod value;
