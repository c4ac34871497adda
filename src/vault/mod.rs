//! Ansible Vault, formats 1.1 and 1.2.
//!
//! ```
//! use playbook::vault::Keyring;
//! let keyring = Keyring::with_password("prod", "correct horse");
//! let sealed = keyring.encrypt(b"hunter22", None)?;
//! assert!(sealed.starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
//! assert_eq!(keyring.open(&sealed)?, b"hunter22");
//! # Ok::<(), playbook_api::Error>(())
//! ```

pub mod envelope;
mod keyring;

pub use keyring::{Ask, Keyring, Opener, Options};

/// Whether bytes are a vault's envelope.
pub fn is_envelope(bytes: &[u8]) -> bool {
    bytes.starts_with(b"$ANSIBLE_VAULT")
}
