//! AWS Secrets Manager: secrets, the lookup, and the source of secrets for other crates.

pub mod lookup;
pub mod secret;
pub mod source;
pub mod value;
