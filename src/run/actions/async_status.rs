//! `async_status`: the module, told where jobs are kept.

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::module::asynchronous;

/// Asks how a job that a task with `async` and `poll: 0` started is doing, or forgets it.
#[derive(Deserialize, JsonSchema)]
pub struct AsyncStatus {
    /// The job's id: `ansible_job_id` of the task that started it.
    #[serde(rename = "jid")]
    _jid: String,
    /// `status` returns what the job came to, if it ended; `cleanup` removes its file.
    #[serde(default, rename = "mode")]
    _mode: Mode,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Status,
    Cleanup,
}

impl Action for AsyncStatus {
    const DOC: Doc = Doc {
        name: "async_status",
        short: "Ask how a job is doing",
        check_mode: "Full: it asks. `cleanup` removes the job's file in check mode too.",
        returns: &[
            ("ansible_job_id", "str", "the job's id"),
            ("started", "bool", "whether it was started"),
            ("finished", "bool", "whether it ended; then the module's own values are here too"),
            ("results_file", "path", "where its result is"),
            ("erased", "path", "the file that `cleanup` removed"),
        ],
        examples: "- async_status:\n    jid: \"{{ upgrade.ansible_job_id }}\"\n  register: job\n  until: job is finished\n  retries: 30\n  delay: 10\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let mut args: Arguments = call.args.clone();
        args.values.insert("_async_dir".into(), asynchronous::folder(call)?.into());
        call.call_module("ansible.builtin.async_status", args)
    }
}
