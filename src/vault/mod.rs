//! Ansible Vault, formats 1.1 and 1.2.

mod keyring;

pub use keyring::Keyring;
