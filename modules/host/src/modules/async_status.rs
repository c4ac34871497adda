//! `async_status`: the state of a job.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value, result_map};

use crate::host::Host;
use crate::host::errno::Doing;
use crate::host::job;

/// Returns the state of a job that a task with `async` and `poll: 0` has started, or removes its file.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AsyncStatus {
    /// The ID of the job: `ansible_job_id` of the task that started it.
    jid: String,
    /// The action: `status` returns the result of the job, and `cleanup` removes its file.
    #[serde(default)]
    mode: Mode,
    /// The directory of jobs, given by the engine.
    #[serde(default = "async_dir")]
    _async_dir: String,
}

#[derive(Debug, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Status,
    Cleanup,
}

fn async_dir() -> String {
    "~/.ansible_async".into()
}

impl HostModule for AsyncStatus {
    const DOC: Doc = Doc {
        name: "async_status",
        short: "Asks how a job is doing",
        check_mode: "Full: it asks. `cleanup` removes the job's file in check mode too.",
        returns: &[
            ("ansible_job_id", "str", "The job's id."),
            ("started", "bool", "Whether it was started."),
            ("finished", "bool", "Whether it ended; then the module's own values are here too."),
            ("results_file", "path", "Where its result is."),
            ("erased", "path", "The file that `cleanup` removed."),
        ],
        examples: "- async_status:\n    jid: \"{{ upgrade.ansible_job_id }}\"\n  register: job\n  until: job is finished\n  retries: 30\n  delay: 10\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let file = job::directory(&self._async_dir, context).join(&self.jid);
        let shown = file.to_string_lossy().into_owned();
        let cleanup = matches!(self.mode, Mode::Cleanup);
        let with = |outcome: Outcome, started: bool, finished: bool| {
            let mut all = Outcome::default()
                .with("started", started)
                .with("finished", finished)
                .with("stdout", "")
                .with("stderr", "")
                .with("ansible_job_id", self.jid.as_str())
                .with(if cleanup { "erased" } else { "results_file" }, shown.as_str());
            all.values.extend(outcome.values);
            Outcome { values: all.values, ..outcome }
        };
        if self.jid.contains('/') || !file.exists() {
            return Err(Failure::new("could not find job").outcome(with(Outcome::default(), true, true)));
        }
        if cleanup {
            let books = job::books(context);
            Host::new(&books).remove(&file).doing("could not remove the job's file", &file)?;
            return Ok(with(Outcome::default(), false, false));
        }
        let text = std::fs::read_to_string(&file).doing("could not read the job's file", &file)?;
        let said = serde_json::from_str(&text).ok().map(Value::from_json);
        let Some(said) = said.and_then(|said| said.as_map().cloned()) else {
            // The file is being written.
            return Ok(with(Outcome::default(), true, false));
        };
        if said.get("started").is_some_and(Value::is_true) {
            return Ok(with(Outcome::default(), true, false));
        }
        match result_map::from_map(said) {
            Ok(outcome) => Ok(with(outcome, true, true)),
            Err(failure) => {
                let outcome = with(failure.outcome.clone(), true, true);
                Err(Failure { outcome, ..failure })
            }
        }
    }
}
