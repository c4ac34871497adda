//! `async_status`: calls the module with the directory of the jobs.

use playbook_api::{Arguments, Doc, Failure, JsonSchema, Outcome};
use serde::Deserialize;

use super::{Action, ActionCall, BUILTIN};
use crate::run::module::asynchronous;

/// Returns the state of a job that a task with `async` and `poll: 0` started, or removes the job's file.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct AsyncStatus {
    /// The id of the job: `ansible_job_id` of the task that started it.
    #[serde(rename = "jid")]
    _jid: String,
    /// The action: `status` returns the job's state, and its result once it has ended; `cleanup` removes its file.
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
        short: "Returns the state of an asynchronous job",
        check_mode: "Full: reads the state. `cleanup` removes the job's file in check mode, too.",
        returns: &[
            ("ansible_job_id", "str", "the id of the job"),
            ("started", "bool", "whether the job was started"),
            ("finished", "bool", "whether the job has ended; the values of its module are added then"),
            ("results_file", "path", "the file with the job's result"),
            ("erased", "path", "the file that `cleanup` removed"),
        ],
        examples: "- async_status:\n    jid: \"{{ upgrade.ansible_job_id }}\"\n  register: job\n  until: job is finished\n  retries: 30\n  delay: 10\n",
        ..BUILTIN
    };

    fn run(self, call: &mut ActionCall) -> Result<Outcome, Failure> {
        let mut args: Arguments = call.args.clone();
        args.values.insert("_async_dir".into(), asynchronous::directory(call)?.into());
        call.call_module("ansible.builtin.async_status", args)
    }
}
