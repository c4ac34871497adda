//! `fail`

use playbook_api::spec::CheckedBy;
use playbook_api::{Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};

/// Fails with a message, usually on a condition given with `when`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Fail {
    /// The message to fail with.
    msg: Option<String>,
}

impl Action for Fail {
    const DOC: Doc = Doc {
        name: "fail",
        short: "Fails with a message",
        examples: "- fail:\n    msg: The image tag is missing\n  when: image_tag is not defined\n",
        ..BUILTIN
    };
    const CHECKED_BY: CheckedBy = CheckedBy::Action;

    fn run(self, _: &mut ActionCall) -> Result<Outcome, Failure> {
        Err(Failure::new(self.msg.unwrap_or_else(|| "Failed as requested from task".into())))
    }
}
