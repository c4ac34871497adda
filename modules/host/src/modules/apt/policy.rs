//! `policy-rc.d`, which decides whether packages may start their services.

use std::path::Path;

use playbook_api::Failure;

use crate::host::errno::Doing;
use crate::host::{Host, Replace};

/// A `policy-rc.d` of the task's, for the time of one installation.
pub(super) struct Policy {
    /// The file that was there before, if one is to be put back.
    before: Option<Option<Vec<u8>>>,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl Policy {
    pub(super) fn set(answer: Option<i64>, host: &Host) -> Result<Policy, Failure> {
        let Some(answer) = answer else { return Ok(Policy { before: None }) };
        let before = std::fs::read(POLICY).ok();
        let text = format!("#!/bin/sh\nexit {answer}\n");
        let how = Replace { mode: Some(0o755), ..Replace::default() };
        host.write(Path::new(POLICY), text.as_bytes(), &how)?;
        Ok(Policy { before: Some(before) })
    }

    pub(super) fn restore(self, host: &Host) -> Result<(), Failure> {
        let path = Path::new(POLICY);
        match self.before {
            Some(Some(text)) => host.write(path, &text, &Replace::default()),
            Some(None) => host.remove(path).doing("could not remove", path),
            None => Ok(()),
        }
    }
}
