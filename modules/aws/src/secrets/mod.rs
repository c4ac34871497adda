//! AWS Secrets Manager: secrets, the lookup, and the source of secrets for other crates.

pub(crate) mod lookup;
pub(crate) mod secret;
pub(crate) mod source;
pub(crate) mod value;
