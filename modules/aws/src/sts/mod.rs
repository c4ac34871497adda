//! AWS Security Token Service: who calls, and the credentials of roles.

pub(crate) mod assume_role;
pub(crate) mod caller;
