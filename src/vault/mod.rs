//! Ansible Vault, formats 1.1 and 1.2.

mod keyring;

pub use keyring::Keyring;

/// Whether bytes are a vault's envelope.
pub fn is_envelope(bytes: &[u8]) -> bool {
    bytes.starts_with(b"$ANSIBLE_VAULT")
}
