//! The controller itself, as the user who runs this process: modules run inside it.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, Stream};
use playbook_api::{Arguments, Context, Failure, ModuleEntry, Outcome, Run, map};

use super::{Connection, Output, shutdown};

/// The controller itself.
#[derive(Debug)]
pub(crate) struct Local;

impl Connection for Local {
    fn run(
        &self,
        module: &Arc<ModuleEntry>,
        args: &Arguments,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let done = match module.run {
            Run::Host(run) => run(module, args, context),
            Run::Controller(_) => Err(Failure::new("this module runs in the controller")),
        };
        shutdown::block_if_ending();
        done
    }

    fn execute(&self, command: &str, context: &Context) -> Result<Output, Failure> {
        by_module(self, command, context)
    }

    fn connect(&self, endpoint: &Endpoint, timeout: Duration, _: &Cancel) -> Result<Stream, Failure> {
        Stream::open(endpoint, timeout).map_err(|e| Failure::new(e.to_string()))
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// Runs a command line with the module `command`.
pub(crate) fn by_module(
    connection: &dyn Connection,
    command: &str,
    context: &Context,
) -> Result<Output, Failure> {
    let Some(module) = context.registry.module("ansible.builtin.command") else {
        return Err(Failure::new("the module `command` is missing"));
    };
    let args = map! { "_raw_params" => command, "_uses_shell" => true, "strip_empty_ends" => false };
    let done = connection.run(module, &args.into(), context);
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(failure) if !failure.unreachable && failure.outcome.values.contains_key("rc") => failure.outcome,
        Err(failure) => return Err(failure),
    };
    let text = |name: &str| outcome.values.get(name).map(|v| v.to_text().into_owned().into_bytes());
    let code = outcome.values.get("rc").and_then(|rc| rc.as_i64()).unwrap_or(-1);
    Ok(Output {
        code: i32::try_from(code).unwrap_or(-1),
        stdout: text("stdout").unwrap_or_default(),
        stderr: text("stderr").unwrap_or_default(),
    })
}
