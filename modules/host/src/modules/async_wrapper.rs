//! `async_wrapper`: starts jobs for the `async` keyword. Tasks do not call it.

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::host::job::{self, Request};

/// Starts a module as a job on the host and returns at once.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AsyncWrapper {
    /// The start of the job's ID, which its process ID follows.
    _prefix: String,
    /// The number of seconds that the module may run.
    _limit: u64,
    /// The directory of jobs.
    _async_dir: String,
    /// The full name of the module.
    _module: String,
    /// The arguments of the module.
    _module_args: serde_json::Map<String, serde_json::Value>,
}

impl HostModule for AsyncWrapper {
    const DOC: Doc = Doc {
        name: "async_wrapper",
        short: "Starts a module as a job",
        check_mode: "Full: the job runs its module in check mode.",
        returns: &[
            ("ansible_job_id", "str", "The job's id, for `async_status`."),
            ("results_file", "path", "Where the result will be."),
            ("started", "bool", "True."),
            ("finished", "bool", "False."),
        ],
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let directory = job::directory(&self._async_dir, context);
        let args = match Value::from_json(self._module_args.into()) {
            Value::Map(map) => (*map).clone(),
            _ => Map::default(),
        };
        let request = Request::new(&self._module, args, self._limit, context);
        let (id, file) = job::start(&self._prefix, &directory, request, context)?;
        Ok(Outcome::changed(true)
            .with("started", true)
            .with("finished", false)
            .with("ansible_job_id", id)
            .with("results_file", file.to_string_lossy().into_owned()))
    }
}
