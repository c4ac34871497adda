//! `playbook vault`, which is also `ansible-vault`.

use clap::Parser;
use playbook_api::Error;

/// Encrypt and decrypt files and values.
#[derive(Parser)]
pub struct Vault {}

impl Vault {
    pub fn run(self) -> Result<u8, Error> {
        Ok(0)
    }
}
